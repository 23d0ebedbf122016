package rfc2136_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// forgery makes a message that is no answer, from a right one.
type forgery struct {
	name string
	make func(c *call, m *dns.Msg) []byte
}

func pack(m *dns.Msg) []byte {
	wire, err := m.Pack()
	if err != nil {
		panic(err) // the test is wrong
	}
	return wire
}

// edited signs an answer and spoils the octets.
func edited(edit func([]byte) []byte) func(*call, *dns.Msg) []byte {
	return func(c *call, m *dns.Msg) []byte { return edit(c.sign(m, signature{})) }
}

// changed spoils an answer and signs it well.
func changed(edit func(*dns.Msg)) func(*call, *dns.Msg) []byte {
	return func(c *call, m *dns.Msg) []byte {
		m = m.Copy()
		edit(m)
		return c.sign(m, signature{})
	}
}

// wrongly signs an answer in a wrong way.
func wrongly(s signature) func(*call, *dns.Msg) []byte {
	return func(c *call, m *dns.Msg) []byte { return c.sign(m, s) }
}

const otherSecret = "YW5vdGhlci1zZWNyZXQtb2YtMzItb2N0ZXRzLWxvbmcuLi4="

func forgeries() []forgery {
	return []forgery{
		{"not signed", func(_ *call, m *dns.Msg) []byte { return pack(m) }},
		{"signed with another secret", wrongly(signature{secret: otherSecret})},
		{"signed by another key with our secret", wrongly(signature{name: "other-key."})},
		{"signed by another key with its secret", wrongly(signature{name: "other-key.", secret: otherSecret})},
		{"signed with another algorithm", wrongly(signature{algorithm: dns.HmacSHA512})},
		{"signed, but not over our request", wrongly(signature{noMAC: true})},
		{"one bit of the header flipped", edited(func(b []byte) []byte { b[3] ^= 1; return b })},
		{"one bit of the question flipped", edited(func(b []byte) []byte { b[14] ^= 1; return b })},
		{"one bit of the signature flipped", edited(func(b []byte) []byte { b[len(b)-7] ^= 1; return b })},
		{"signature cut to 16 octets", cutSignature},
		{"another ID", changed(func(m *dns.Msg) { m.Id++ })},
		{"another ID in front of a signature over ours", edited(func(b []byte) []byte { b[0] ^= 0x80; return b })},
		{"a request", changed(func(m *dns.Msg) { m.Response = false })},
		{"another opcode", changed(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })},
		{"another name in the question", changed(func(m *dns.Msg) { m.Question[0].Name = "other.test." })},
		{"another type in the question", changed(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeMX })},
		{"another class in the question", changed(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })},
		{"two questions", changed(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) })},
		{"octets after the signature", edited(func(b []byte) []byte { return append(b, 0) })},
		{"a record after the signature", recordAfter},
		{"two signatures", twoSignatures},
		{"three octets", func(*call, *dns.Msg) []byte { return []byte{1, 2, 3} }},
		{"nothing", func(*call, *dns.Msg) []byte { return nil }},
		{"a bare header", func(_ *call, m *dns.Msg) []byte { return pack(m)[:12] }},
		{"65535 octets", oversized},
		{"a length in the signature that is a lie", edited(func(b []byte) []byte { b[len(b)-1] = 9; return b })},
		{"a count that is a lie", edited(func(b []byte) []byte { binary.BigEndian.PutUint16(b[10:], 9); return b })},
		{"BADKEY, not signed", unsignedError(dns.RcodeBadKey, "")},
		{"BADSIG, not signed", unsignedError(dns.RcodeBadSig, "")},
		{"BADTIME, not signed", unsignedError(dns.RcodeBadTime, "000070000000")},
		{"BADTIME with another secret", func(c *call, m *dns.Msg) []byte {
			m = m.Copy()
			m.Rcode = dns.RcodeNotAuth
			return c.sign(m, signature{secret: otherSecret, failure: dns.RcodeBadTime, other: "000070000000"})
		}},
	}
}

// cutSignature truncates the MAC, which RFC 8945 section 5.2.2.1 allows a peer
// to accept, and which we do not.
func cutSignature(c *call, m *dns.Msg) []byte {
	var signed dns.Msg
	if err := signed.Unpack(c.sign(m, signature{})); err != nil {
		panic(err)
	}
	t := signed.IsTsig()
	t.MAC, t.MACSize = t.MAC[:32], 16
	return pack(&signed)
}

func recordAfter(c *call, m *dns.Msg) []byte {
	var signed dns.Msg
	if err := signed.Unpack(c.sign(m, signature{})); err != nil {
		panic(err)
	}
	signed.Extra = append(signed.Extra, &dns.TXT{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{"x"}})
	return pack(&signed)
}

func twoSignatures(c *call, m *dns.Msg) []byte {
	var first dns.Msg
	if err := first.Unpack(c.sign(m, signature{secret: otherSecret})); err != nil {
		panic(err)
	}
	return c.sign(&first, signature{})
}

func oversized(c *call, m *dns.Msg) []byte {
	wire := c.sign(m, signature{})
	return append(wire, make([]byte, 65507-len(wire))...) // as much as a datagram holds
}

// unsignedError is how a server answers to a request whose signature it cannot
// verify (RFC 8945 section 5.3.2).
func unsignedError(code uint16, other string) func(*call, *dns.Msg) []byte {
	return func(c *call, m *dns.Msg) []byte {
		m = m.Copy().SetTsig(testKey, c.tsig.Algorithm, 300, int64(c.tsig.TimeSigned))
		m.Rcode = dns.RcodeNotAuth
		t := m.IsTsig()
		t.OrigId, t.Error, t.OtherData, t.OtherLen = m.Id, code, other, uint16(len(other)/2)
		return pack(m)
	}
}

func TestApply_ForgedAnswerIsAsIfItHadNotCome(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		for _, forged := range forgeries() {
			for _, lie := range []int{dns.RcodeSuccess, dns.RcodeNXRrset, dns.RcodeRefused} {
				name := network + "/" + forged.name + "/" + dns.RcodeToString[lie]
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					truth := dns.RcodeServerFailure
					if lie != dns.RcodeSuccess {
						truth = dns.RcodeSuccess
					}
					f := newFake(t, lieThenTruth(forged, lie, truth))
					s := f.store(t, func(c *rfc2136.Config) { c.Net = network })
					err := s.Apply(t.Context(), swap())
					wantRcode(t, err, truth)
					if got := s.Stats(); got.Unverified != 1 {
						t.Errorf("counted %d unverified messages, want 1", got.Unverified)
					}
					if s.Skew().Abs() > time.Minute {
						t.Errorf("a forged message moved the clock by %s", s.Skew())
					}
				})
			}
		}
	}
}

// lieThenTruth sends a forged answer and then the right one: on UDP at once, on
// TCP on the connection after it.
func lieThenTruth(forged forgery, lie, truth int) func(*call) {
	return func(c *call) {
		if c.n == 0 {
			c.reply(forged.make(c, c.answer(lie)))
		}
		if c.n > 0 || c.net == "udp" {
			c.truth(truth)
		}
	}
}

// wantRcode wants the end that a verified answer with that code brings.
func wantRcode(t *testing.T, err error, rcode int) {
	t.Helper()
	if rcode == dns.RcodeSuccess {
		if err != nil {
			t.Fatalf("Apply returned %v, want nil", err)
		}
		return
	}
	failed, ok := errors.AsType[*rfc2136.ServerError](err)
	if !ok {
		t.Fatalf("Apply returned %v, want a *ServerError", err)
	}
	if failed.Rcode != rcode {
		t.Errorf("Rcode is %d, want %d: %v", failed.Rcode, rcode, err)
	}
}

func TestApply_OnlyForgedAnswersEndUnknown(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		for _, forged := range forgeries() {
			t.Run(network+"/"+forged.name, func(t *testing.T) {
				t.Parallel()
				f := newFake(t, func(c *call) { c.reply(forged.make(c, c.answer(dns.RcodeNXRrset))) })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := f.store(t, func(c *rfc2136.Config) { c.Net = network }, watching(func(n int) {
					if network == "udp" && n > 1 { // the forged answer has been looked at
						cancel()
					}
				}))
				err := s.Apply(ctx, swap())
				wantUnknown(t, err)
				if failed, _ := errors.AsType[*rfc2136.ServerError](err); failed.Rcode != rfc2136.NoAnswer {
					t.Errorf("Rcode is %d, want NoAnswer", failed.Rcode)
				}
			})
		}
	}
}

// wantUnknown wants an error that says that nothing is certain.
func wantUnknown(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, dnsstore.ErrUnknown) {
		t.Errorf("Apply returned %v, want an error that wraps ErrUnknown", err)
	}
	for _, not := range []error{dnsstore.ErrConflict, dnsstore.ErrRefused, rfc2136.ErrNotSent} {
		if errors.Is(err, not) {
			t.Errorf("Apply returned %v, which wraps %v", err, not)
		}
	}
}

func TestLookup_ForgedDataIsNotRead(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		for _, forged := range forgeries() {
			t.Run(network+"/"+forged.name, func(t *testing.T) {
				t.Parallel()
				f := newFake(t, func(c *call) {
					if c.n == 0 {
						c.reply(forged.make(c, c.answer(dns.RcodeSuccess, rr(t, `svc.lab.test. 30 IN TXT "forged"`))))
					}
					if c.n > 0 || c.net == "udp" {
						c.truth(dns.RcodeSuccess, rr(t, `svc.lab.test. 30 IN TXT "true"`))
					}
				})
				s := f.store(t, func(c *rfc2136.Config) { c.Net = network })
				got, err := s.Lookup(t.Context(), key("TXT"))
				if err != nil {
					t.Fatalf("Lookup returned %v", err)
				}
				if diff := cmp.Diff([]string{`"true"`}, got.Data); diff != "" {
					t.Errorf("data mismatch (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestApply_ManyForgedDatagramsBeforeTheTruth(t *testing.T) {
	t.Parallel()
	all := forgeries()
	f := newFake(t, func(c *call) {
		for _, forged := range all {
			c.reply(forged.make(c, c.answer(dns.RcodeNXRrset)))
		}
		c.truth(dns.RcodeSuccess)
	})
	s := f.store(t, overUDP)
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Fatalf("Apply returned %v, want nil", err)
	}
	if got := s.Stats().Unverified; got != uint64(len(all)) {
		t.Errorf("counted %d unverified messages, want %d", got, len(all))
	}
}

// An answer may come octet by octet; a stream that drips for ever ends with
// the context.
func TestApply_SlowStream(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		for _, octet := range framed(c.sign(c.answer(dns.RcodeSuccess), signature{})) {
			_, _ = c.conn.Write([]byte{octet})
		}
	})
	if err := f.store(t).Apply(t.Context(), swap()); err != nil {
		t.Errorf("octet by octet: Apply returned %v, want nil", err)
	}
	stuck := newFake(t, func(c *call) {
		_, _ = c.conn.Write(framed(c.sign(c.answer(dns.RcodeSuccess), signature{}))[:40])
	})
	err := stuck.store(t).Apply(within(t, time.Second), swap())
	wantUnknown(t, err)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Apply returned %v, want an error that wraps DeadlineExceeded", err)
	}
}

// The answer to an update may leave the question out (RFC 2136 section 3.8),
// and names compare without case.
func TestApply_AnswerMayDifferWhereItMay(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*dns.Msg){
		"no question":    func(m *dns.Msg) { m.Question = nil },
		"upper case":     func(m *dns.Msg) { m.Question[0].Name = "LAB.Test." },
		"truncated":      func(m *dns.Msg) { m.Truncated = true },
		"with a section": func(m *dns.Msg) { m.Ns = []dns.RR{rr(t, "lab.test. 5 IN NS ns1.lab.test.")} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(c *call) { c.reply(changed(edit)(c, c.answer(dns.RcodeSuccess))) })
			if err := f.store(t).Apply(t.Context(), swap()); err != nil {
				t.Errorf("Apply returned %v, want nil", err)
			}
		})
	}
}

// A key's name may come back in capitals: names have no case.
func TestApply_KeyNameInCapitals(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		wire := c.sign(c.answer(dns.RcodeSuccess), signature{})
		at := bytes.Index(wire, []byte("failover-key"))
		wire[at] = 'F'
		c.reply(wire)
	})
	s := f.store(t, func(c *rfc2136.Config) { c.TSIGName = "Failover-Key." })
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Errorf("Apply returned %v, want nil", err)
	}
	if got := f.got()[0].tsig.Hdr.Name; got != testKey {
		t.Errorf("the key went out as %q, want %q", got, testKey)
	}
}
