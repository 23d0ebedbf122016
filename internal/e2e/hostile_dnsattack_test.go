//go:build linux

package e2e_test

import (
	endian "encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// otherSecret is not that of the group.
const otherSecret = "YW5vdGhlci1zZWNyZXQtb2YtMzItb2N0ZXRzLWxvbmcuLi4="

// dnsAttacks are what a host on the path to the name server can do without a
// key. Those that lie leave a node as if the server were away.
func dnsAttacks() []dnsAttack {
	return []dnsAttack{
		{name: "unsigned", lies: true, make: one(func(w *way, n string, r []byte) []byte { return pack(lie(r, w.ask(n, r)), nil) })},
		{name: "signed with another secret", lies: true, make: one(func(w *way, n string, r []byte) []byte {
			return pack(lie(r, w.ask(n, r)), &forger{r, otherSecret, ""})
		})},
		{name: "signed by another key", lies: true, make: one(func(w *way, n string, r []byte) []byte {
			return pack(lie(r, w.ask(n, r)), &forger{r, otherSecret, "other-key."})
		})},
		{name: "changed under the true signature", lies: true, make: one(changedAnswer)},
		{name: "replayed", lies: true, make: replayedAnswers},
		{name: "reflected", lies: true, make: reflected},
		{name: "oversized", lies: true, make: one(func(w *way, n string, r []byte) []byte {
			answer := w.ask(n, r)
			return append(answer, make([]byte, 65507-len(answer))...)
		})},
		{name: "slow", lies: true, drip: 10 * time.Millisecond, make: one(func(w *way, n string, r []byte) []byte { return w.ask(n, r) })},
		{name: "re-ordered", lies: true, make: one(func(w *way, n string, r []byte) []byte { return w.swap(w.ask(n, r)) })},
		{name: "cut off", lies: true, make: one(func(w *way, n string, r []byte) []byte {
			answer := w.ask(n, r)
			return answer[:len(answer)/2]
		})},
		{name: "BADTIME", lies: true, make: one(badTime)},
		{name: "truncated", lies: true, make: one(func(w *way, n string, r []byte) []byte {
			m := lie(r, w.ask(n, r))
			if m != nil {
				m.Truncated, m.Answer = true, nil
			}
			return pack(m, nil)
		})},
		{name: "garbage", lies: true, make: one(garbage)},
		{name: "kept", lies: true, make: func(*way, string, []byte) [][]byte { return nil }},
		{name: "kept, but handed on", lies: true, make: func(w *way, n string, r []byte) [][]byte { w.ask(n, r); return nil }},
		{name: "doubled ahead", make: one(func(w *way, n string, r []byte) []byte { w.ask(n, r); return w.ask(n, r) })},
		{name: "updates replayed behind", make: one(replayedUpdates)},
		{name: "updates forged behind", make: one(forgedUpdates)},
	}
}

// lying are the attacks under which no true answer comes in time.
func lying(all []dnsAttack) []dnsAttack {
	return slices.DeleteFunc(all, func(a dnsAttack) bool { return !a.lies })
}

// one makes one message, or none.
func one(f func(w *way, network string, request []byte) []byte) func(*way, string, []byte) [][]byte {
	return func(w *way, network string, request []byte) [][]byte {
		if message := f(w, network, request); len(message) > 0 {
			return [][]byte{message}
		}
		return nil
	}
}

// lie makes a false answer of a true one: an update that was made was not, and
// the other way round; another Primary, another address, or no record at all.
func lie(request, truth []byte) *dns.Msg {
	var q, m dns.Msg
	if q.Unpack(request) != nil || m.Unpack(truth) != nil {
		return nil
	}
	m.Extra = nil
	if m.Opcode == dns.OpcodeUpdate {
		m.Rcode = dns.RcodeSuccess - m.Rcode
		if m.Rcode != dns.RcodeSuccess {
			m.Rcode = dns.RcodeNXRrset
		}
		return &m
	}
	if q.Id%4 == 0 { // of some
		m.Answer = nil
	}
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.TXT:
			for i, s := range rr.Txt {
				switch key, _, _ := strings.Cut(s, "="); key {
				case "term":
					rr.Txt[i] = "term=1995290771"
				case "primary", "by":
					rr.Txt[i] = key + "=b"
				case "nonce":
					rr.Txt[i] = "nonce=6666666666666666"
				}
			}
		case *dns.A:
			rr.A = net.IPv4(192, 0, 2, 66)
		}
	}
	return &m
}

// forger signs without the secret.
type forger struct {
	request []byte
	secret  string
	name    string // empty: that of the request's key
}

// pack makes the octets of a message, and signs it if there is somebody to.
func pack(m *dns.Msg, by *forger) []byte {
	if m == nil {
		return nil
	}
	if by == nil {
		wire, _ := m.Pack() // none goes out if it cannot be
		return wire
	}
	var q dns.Msg
	if q.Unpack(by.request) != nil || q.IsTsig() == nil {
		return nil
	}
	t := q.IsTsig()
	name := t.Hdr.Name
	if by.name != "" {
		name = by.name
	}
	m.SetTsig(name, t.Algorithm, 300, time.Now().Unix())
	wire, _, _ := dns.TsigGenerate(m, by.secret, t.MAC, false) // as above
	return wire
}

// changedAnswer changes what is signed: the response code, or the term.
func changedAnswer(w *way, network string, request []byte) []byte {
	answer := w.ask(network, request)
	if len(answer) < 12 {
		return nil
	}
	if at := strings.Index(string(answer), "term="); at > 0 {
		answer[at+5] ^= 1
		return answer
	}
	answer[3] ^= dns.RcodeNXRrset
	return answer
}

// replayedAnswers are older answers to requests of the same kind, as they were
// and with the ID that is expected.
func replayedAnswers(w *way, network string, request []byte) [][]byte {
	w.ask(network, request)
	kind := kindOf(request)
	var all [][]byte
	for _, x := range w.captured(func(x exchanged) bool { return kindOf(x.request) == kind && string(x.request) != string(request) }) {
		patched := slices.Clone(x.answer)
		copy(patched, request[:2])
		all = append(all, x.answer, patched)
	}
	return all[max(0, len(all)-8):]
}

// kindOf is the opcode and what is asked for.
func kindOf(request []byte) string {
	var m dns.Msg
	if m.Unpack(request) != nil || len(m.Question) == 0 {
		return ""
	}
	return fmt.Sprint(m.Opcode, m.Question[0])
}

// reflected sends the request back, as it is and in the form of an answer.
func reflected(_ *way, _ string, request []byte) [][]byte {
	answer := slices.Clone(request)
	answer[2] |= 0x80
	return [][]byte{request, answer}
}

// swap gives the answer that was held back, and holds this one back.
func (w *way) swap(answer []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.held
	w.held = answer
	return old
}

// badTime says that the clock of the node is off by months.
func badTime(w *way, network string, request []byte) []byte {
	m := lie(request, w.ask(network, request))
	var q dns.Msg
	if m == nil || q.Unpack(request) != nil || q.IsTsig() == nil {
		return nil
	}
	m.Rcode = dns.RcodeNotAuth
	m.SetTsig(q.IsTsig().Hdr.Name, q.IsTsig().Algorithm, 300, time.Now().Unix())
	t := m.IsTsig()
	t.OrigId, t.Error, t.OtherLen, t.OtherData = m.Id, dns.RcodeBadTime, 6, "000070000000"
	t.MAC, t.MACSize = strings.Repeat("00", 32), 32
	return pack(m, nil)
}

func garbage(w *way, _ string, request []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	message := make([]byte, 12+w.rng.IntN(500))
	for i := range message {
		message[i] = byte(w.rng.Uint32())
	}
	copy(message, request[:2])
	endian.BigEndian.PutUint16(message[2:], 0xa800)
	return message
}

// replayedUpdates gives the true answer, and sends updates that it has seen to
// the server again.
func replayedUpdates(w *way, network string, request []byte) []byte {
	answer := w.ask(network, request)
	w.all.Go(func() {
		for _, x := range w.updates() {
			w.ask(network, x.request)
		}
	})
	return answer
}

// updates are some that were captured.
func (w *way) updates() []exchanged {
	all := w.captured(func(x exchanged) bool { return x.request[2]>>3&15 == dns.OpcodeUpdate })
	return all[max(0, len(all)-3):]
}

// forgedUpdates gives the true answer, and sends the server updates without
// conditions, and with them, that delete the record: not signed, signed with
// another secret, and under the signature of an update that was captured.
func forgedUpdates(w *way, network string, request []byte) []byte {
	answer := w.ask(network, request)
	w.all.Go(func() {
		for _, x := range w.updates() {
			w.forgeUpdates(network, x.request)
		}
	})
	return answer
}

func (w *way) forgeUpdates(network string, captured []byte) {
	var m dns.Msg
	if m.Unpack(captured) != nil || m.IsTsig() == nil {
		return
	}
	signature := m.IsTsig()
	m.Answer, m.Extra = m.Answer[:w.dice(len(m.Answer)+1)], nil
	m.RemoveName([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: dns.Fqdn(fqdn)}}})
	w.send(network, pack(&m, nil))
	w.send(network, pack(m.Copy(), &forger{captured, otherSecret, ""}))
	m.Extra = []dns.RR{signature}
	w.send(network, pack(&m, nil))
}

func (w *way) dice(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}
