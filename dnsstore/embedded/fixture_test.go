package embedded_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// patience is how long a test waits for what must happen. It is never the
// reason that a test passes.
const patience = 20 * time.Second

const (
	zoneName = "example.test."
	keyName  = "ag-key."
	secret   = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
)

func testKey() embedded.Key {
	return embedded.Key{Name: keyName, Secret: dnsstore.NewSecret(secret)}
}

func testConfig() embedded.Config {
	return embedded.Config{Zone: zoneName, Keys: []embedded.Key{testKey()}}
}

func rrset(name, rrtype string, data ...string) dnsstore.RRSet {
	return dnsstore.RRSet{
		Key: dnsstore.Key{Name: strings.TrimSuffix(name, "."), Type: rrtype},
		TTL: 30 * time.Second, Data: data,
	}
}

// running is a server that serves until it is stopped, or the test ends.
type running struct {
	*embedded.Server
	addr string
	stop func() error // waits for the end; may be called again
}

func start(t testing.TB, c embedded.Config) *running {
	t.Helper()
	return startServer(t, newServer(t, c))
}

func startServer(t testing.TB, s *embedded.Server) *running {
	t.Helper()
	// Not the test's context: that ends before the clean-up.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r := &running{Server: s}
	r.stop = func() error {
		cancel()
		err := <-done
		done <- nil // for the next call
		return err
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	waiting, end := context.WithTimeout(ctx, patience)
	defer end()
	var err error
	if r.addr, err = s.Addr(waiting); err != nil {
		t.Fatal(err)
	}
	return r
}

// listen returns two sockets of the caller.
func listen(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p, err := c.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return l, p
}

// client asks a server over one socket.
type client struct {
	t    testing.TB
	conn net.Conn
	udp  bool
}

func dial(t testing.TB, network, addr string) *client {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn, udp: network == "udp"}
}

func (c *client) send(packet []byte) error {
	if !c.udp {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	_, err := c.conn.Write(packet)
	return err
}

func (c *client) receive() ([]byte, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if c.udp {
		buffer := make([]byte, 65535)
		n, err := c.conn.Read(buffer)
		return buffer[:n], err
	}
	var length [2]byte
	if _, err := io.ReadFull(c.conn, length[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(c.conn, packet)
	return packet, err
}

// raw sends octets and returns the answer to them.
func (c *client) raw(packet []byte) []byte {
	c.t.Helper()
	if err := c.send(packet); err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.receive()
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return answer
}

// ask sends a message as it is.
func (c *client) ask(m *dns.Msg) *dns.Msg {
	c.t.Helper()
	packet, err := m.Pack()
	if err != nil {
		c.t.Fatal(err)
	}
	return unpack(c.t, c.raw(packet))
}

func unpack(t testing.TB, packet []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(packet); err != nil {
		t.Fatalf("unpack answer: %v", err)
	}
	return m
}

var errNotSigned = errors.New("answer is not signed")

// exchange signs a message, sends it, and verifies the answer.
func (c *client) exchange(m *dns.Msg) (*dns.Msg, error) {
	packet, mac, err := sign(m, time.Now())
	if err != nil {
		return nil, err
	}
	if err := c.send(packet); err != nil {
		return nil, err
	}
	answer, err := c.receive()
	if err != nil {
		return nil, err
	}
	resp := new(dns.Msg)
	if err := resp.Unpack(answer); err != nil {
		return nil, err
	}
	if resp.Id != m.Id || !resp.Response || resp.IsTsig() == nil {
		return resp, errNotSigned
	}
	return resp, verify(answer, mac)
}

func sign(m *dns.Msg, at time.Time) (packet []byte, mac string, err error) {
	m = m.Copy()
	m.Compress = true
	m.SetTsig(keyName, dns.HmacSHA256, 300, at.Unix())
	return dns.TsigGenerate(m, secret, "", false)
}

// verify checks the signature of an answer to a request with this MAC.
func verify(packet []byte, mac string) error {
	// The library does not look at a message with NOTAUTH.
	hidden := append([]byte(nil), packet...)
	hidden[3] &^= 0xf
	return dns.TsigVerifyWithProvider(hidden, restoring{rcode: packet[3] & 0xf, offset: 2 + len(mac)/2 + 3}, mac, false)
}

// restoring puts the response code back to where it is signed.
type restoring struct {
	rcode  byte
	offset int
}

func (restoring) Generate([]byte, *dns.TSIG) ([]byte, error) { return nil, errors.ErrUnsupported }

func (r restoring) Verify(octets []byte, t *dns.TSIG) error {
	octets[r.offset] |= r.rcode
	key, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return err
	}
	h := hmac.New(sha256.New, key)
	h.Write(octets)
	if hex.EncodeToString(h.Sum(nil)) != t.MAC {
		return dns.ErrSig
	}
	return nil
}

// update makes an UPDATE of lines such as
//
//	prereq|update <owner> <ttl> <class> <type> [data]
//
// just as they are in the message; without data RDLENGTH is 0.
func update(t testing.TB, lines ...string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetUpdate(zoneName)
	for _, l := range lines {
		section, record, _ := strings.Cut(l, " ")
		if section == "prereq" {
			m.Answer = append(m.Answer, parseLine(t, record))
		} else {
			m.Ns = append(m.Ns, parseLine(t, record))
		}
	}
	return m
}

func parseLine(t testing.TB, text string) dns.RR {
	t.Helper()
	f := strings.SplitN(text, " ", 5)
	if len(f) < 4 {
		t.Fatalf("record %q", text)
	}
	ttl, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(f[0], ".") {
		f[0] += "." + zoneName
	}
	h := dns.RR_Header{Name: f[0], Ttl: uint32(ttl), Class: dns.StringToClass[f[2]], Rrtype: dns.StringToType[f[3]]}
	if len(f) == 4 {
		return &dns.ANY{Hdr: h}
	}
	rr, err := dns.NewRR(fmt.Sprintf(". 0 IN %s %s", f[3], f[4]))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	*rr.Header() = h
	return rr
}

// swap is an UPDATE that replaces one TXT value by another; an empty value is
// none.
func swap(t testing.TB, name, from, to string) *dns.Msg {
	t.Helper()
	prerequisite := fmt.Sprintf("prereq %s 0 NONE TXT", name)
	if from != "" {
		prerequisite = fmt.Sprintf("prereq %s 0 IN TXT %q", name, from)
	}
	return update(t, prerequisite, fmt.Sprintf("update %s 0 ANY TXT", name), fmt.Sprintf("update %s 30 IN TXT %q", name, to))
}

// mustUpdate sends a signed UPDATE, which must be applied.
func mustUpdate(t testing.TB, c *client, m *dns.Msg) {
	t.Helper()
	resp, err := c.exchange(m)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Rcode != dns.RcodeSuccess {
		t.Fatalf("update: %s", dns.RcodeToString[resp.Rcode])
	}
}

// lookup returns the data of the answers to a query, as dig +short prints it.
func lookup(t testing.TB, c *client, name string, rrtype uint16) []string {
	t.Helper()
	resp := c.ask(new(dns.Msg).SetQuestion(name, rrtype))
	out := []string{}
	for _, rr := range resp.Answer {
		out = append(out, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(out)
	return out
}

// applied sends an UPDATE until it is applied: what kept it from that is about
// to end.
func applied(t testing.TB, c *client, m *dns.Msg) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		resp := mustExchange(c, m)
		if resp.Rcode == dns.RcodeSuccess {
			return
		}
	}
	t.Fatal("update was never applied")
}
