package rfc2136_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

const (
	testKey    = "failover-key."
	testSecret = "bWFrZS10aGlzLWEtMzItYnl0ZS1zZWNyZXQtcGxlYXNlIQ=="
	fqdn       = "svc.lab.test"
	zone       = "lab.test."
)

// fake is a server that does what a script says, over UDP and TCP on one port
// of loopback.
type fake struct {
	addr   string
	script func(*call)

	packets net.PacketConn
	streams net.Listener
	running sync.WaitGroup

	scripting sync.Mutex // one at a time

	mu    sync.Mutex
	calls []*call
	conns map[net.Conn]bool
}

// call is one message that the fake has got.
type call struct {
	raw   []byte
	msg   *dns.Msg
	tsig  *dns.TSIG
	net   string
	n     int // how many came before
	reply func([]byte)
	conn  net.Conn // of TCP, to be broken
}

// newFake starts a fake that the test ends.
func newFake(tb testing.TB, script func(*call)) *fake {
	tb.Helper()
	f, err := startFake(tb.Context(), script)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(f.stop)
	return f
}

func startFake(ctx context.Context, script func(*call)) (*fake, error) {
	f := &fake{script: script, conns: make(map[net.Conn]bool)}
	var err error
	var listen net.ListenConfig
	for range 20 { // the port of the one may be in use by the other
		if f.streams, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		f.addr = f.streams.Addr().String()
		if f.packets, err = listen.ListenPacket(ctx, "udp", f.addr); err == nil {
			f.running.Go(f.servePackets)
			f.running.Go(f.serveStreams)
			return f, nil
		}
		_ = f.streams.Close()
	}
	return nil, err
}

func (f *fake) stop() {
	_ = f.packets.Close()
	_ = f.streams.Close()
	f.mu.Lock()
	for c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

func (f *fake) servePackets() {
	buf := make([]byte, 65535)
	for {
		n, from, err := f.packets.ReadFrom(buf)
		if err != nil {
			return
		}
		f.handle(append([]byte(nil), buf[:n]...), "udp", nil, func(b []byte) { _, _ = f.packets.WriteTo(b, from) })
	}
}

func (f *fake) serveStreams() {
	for {
		c, err := f.streams.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[c] = true
		f.mu.Unlock()
		f.running.Go(func() { f.serveConn(c) })
	}
}

func (f *fake) serveConn(c net.Conn) {
	defer func() {
		_ = c.Close()
		f.mu.Lock()
		delete(f.conns, c)
		f.mu.Unlock()
	}()
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		raw := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, raw); err != nil {
			return
		}
		f.handle(raw, "tcp", c, func(b []byte) { _, _ = c.Write(framed(b)) })
	}
}

func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func (f *fake) handle(raw []byte, network string, conn net.Conn, reply func([]byte)) {
	c := &call{raw: raw, msg: new(dns.Msg), net: network, reply: reply, conn: conn}
	if err := c.msg.Unpack(raw); err != nil {
		return
	}
	c.tsig = c.msg.IsTsig()
	f.mu.Lock()
	c.n = len(f.calls)
	f.calls = append(f.calls, c)
	f.mu.Unlock()
	f.scripting.Lock()
	defer f.scripting.Unlock()
	f.script(c)
}

// got returns the messages that have come so far.
func (f *fake) got() []*call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*call(nil), f.calls...)
}

// answer is a response without a signature.
func (c *call) answer(rcode int, rrs ...dns.RR) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(c.msg, rcode)
	m.Opcode = c.msg.Opcode
	m.Authoritative = true
	m.Answer = rrs
	return m
}

// signature is how a response is signed.
type signature struct {
	name, algorithm, secret string
	at                      time.Time // zero: the time of the request
	failure                 uint16
	other                   string // hexadecimal
	noMAC                   bool   // without the request's MAC
}

// sign returns a response with the right signature but for what s says.
func (c *call) sign(m *dns.Msg, s signature) []byte {
	if s.name == "" {
		s.name = testKey
	}
	if s.algorithm == "" {
		s.algorithm = c.tsig.Algorithm
	}
	if s.secret == "" {
		s.secret = testSecret
	}
	at := int64(c.tsig.TimeSigned)
	if !s.at.IsZero() {
		at = s.at.Unix()
	}
	m = m.Copy().SetTsig(s.name, s.algorithm, 300, at)
	t := m.IsTsig()
	t.OrigId, t.Error, t.OtherData, t.OtherLen = m.Id, s.failure, s.other, uint16(len(s.other)/2)
	mac := c.tsig.MAC
	if s.noMAC {
		mac = ""
	}
	wire, _, err := dns.TsigGenerate(m, s.secret, mac, false)
	if err != nil {
		panic(err) // the test is wrong
	}
	return wire
}

// truth sends the right answer.
func (c *call) truth(rcode int, rrs ...dns.RR) { c.reply(c.sign(c.answer(rcode, rrs...), signature{})) }

// always answers everything with a code.
func always(rcode int) func(*call) { return func(c *call) { c.truth(rcode) } }

// config is one that fits a fake.
func (f *fake) config() rfc2136.Config {
	return rfc2136.Config{
		Server: f.addr, Zone: "lab.test", TSIGName: "failover-key", TSIGSecret: dnsstore.NewSecret(testSecret),
	}
}

// store opens a store on the fake.
func (f *fake) store(tb testing.TB, edit ...func(*rfc2136.Config)) *rfc2136.Store {
	tb.Helper()
	c := f.config()
	for _, e := range edit {
		e(&c)
	}
	s, err := rfc2136.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func overUDP(c *rfc2136.Config) { c.Net = "udp" }

func rrset(kind string, data ...string) dnsstore.RRSet {
	s := dnsstore.RRSet{Key: key(kind), Data: data}
	if len(data) > 0 {
		s.TTL = 30 * time.Second
	}
	return s
}

func key(kind string) dnsstore.Key { return dnsstore.Key{Name: fqdn, Type: kind} }

// swap is a change such as a group makes.
func swap() dnsstore.Change {
	return dnsstore.Change{
		If:  []dnsstore.RRSet{rrset("TXT", `"seq=1"`), rrset("CNAME")},
		Set: []dnsstore.RRSet{rrset("TXT", `"seq=2"`), rrset("A", "192.0.2.10"), rrset("AAAA")},
	}
}

func rr(tb testing.TB, text string) dns.RR {
	tb.Helper()
	r, err := dns.NewRR(text)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// dump prints a value with every verb that may show what is in it.
func dump(v any) string { return fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v) }

// recordPorts is a dialer that notes the local addresses.
func recordPorts(ports map[string]bool) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			ports[c.LocalAddr().String()] = true
		}
		return c, err
	}
}

// signRaw signs a response that is already octets.
func (c *call) signRaw(wire []byte) []byte {
	secret, err := base64.StdEncoding.DecodeString(testSecret)
	if err != nil {
		panic(err)
	}
	requestMAC, err := hex.DecodeString(c.tsig.MAC)
	if err != nil {
		panic(err)
	}
	name := make([]byte, 256)
	n, _ := dns.PackDomainName(testKey, name, 0, nil, false)
	algorithm := make([]byte, 256)
	a, _ := dns.PackDomainName(c.tsig.Algorithm, algorithm, 0, nil, false)
	at := binary.BigEndian.AppendUint64(nil, c.tsig.TimeSigned)[2:]
	mac := hmac.New(sha256.New, secret)
	for _, part := range [][]byte{
		{byte(len(requestMAC) >> 8), byte(len(requestMAC))},
		requestMAC, wire,
		name[:n],
		{0, dns.ClassANY, 0, 0, 0, 0},
		algorithm[:a], at,
		{1, 44, 0, 0, 0, 0}, // fudge 300, no error, no other data
	} {
		mac.Write(part)
	}
	sum := mac.Sum(nil)
	rdata := slices.Concat(algorithm[:a], at, []byte{1, 44, byte(len(sum) >> 8), byte(len(sum))}, sum, wire[:2], []byte{0, 0, 0, 0})
	out := slices.Concat(wire, name[:n], []byte{0, byte(dns.TypeTSIG), 0, dns.ClassANY, 0, 0, 0, 0, byte(len(rdata) >> 8), byte(len(rdata))}, rdata)
	binary.BigEndian.PutUint16(out[10:], binary.BigEndian.Uint16(wire[10:])+1)
	return out
}

// watched is a connection whose reads are announced, counted from 1.
type watched struct {
	net.Conn
	reads  int
	onRead func(n int)
}

func (w *watched) Read(b []byte) (int, error) {
	w.reads++
	w.onRead(w.reads)
	return w.Conn.Read(b)
}

// watching is a dialer that announces each read.
func watching(onRead func(n int)) func(*rfc2136.Config) {
	return func(c *rfc2136.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &watched{Conn: conn, onRead: onRead}, nil
		}
	}
}

// hostsResolver is a resolver that knows some IPv4 addresses.
func hostsResolver(tb testing.TB, table map[string]string) *net.Resolver {
	tb.Helper()
	f := newFake(tb, func(c *call) {
		q := c.msg.Question[0]
		address, known := table[q.Name]
		m := c.answer(dns.RcodeSuccess)
		switch {
		case !known:
			m.Rcode = dns.RcodeNameError
		case q.Qtype == dns.TypeA:
			m.Answer = []dns.RR{rr(tb, q.Name+" 5 IN A "+address)}
		}
		c.reply(pack(m))
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", f.addr)
	}}
}

// endless is a source of the same octet.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0x12
	}
	return len(b), nil
}

func fixedTime() time.Time { return time.Unix(1795290771, 0) }
