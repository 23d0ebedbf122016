package embedded_test

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// TestTCP_ManyOnOneConnection: there is no limit, and answers come in order
// also to a client that does not wait for them.
func TestTCP_ManyOnOneConnection(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	cl := dial(t, "tcp", s.addr)
	m := new(dns.Msg).SetQuestion(zoneName, dns.TypeSOA)
	const many = 500
	for i := range many {
		m.Id = uint16(i)
		packet, err := m.Pack()
		if err == nil {
			err = cl.send(packet)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range many {
		packet, err := cl.receive()
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if got := unpack(t, packet).Id; got != uint16(i) {
			t.Fatalf("answer to %d, want to %d", got, i)
		}
	}
}

func TestTCP_MaxConns(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.MaxConns = 2
	s := start(t, c)
	first, second := dial(t, "tcp", s.addr), dial(t, "tcp", s.addr)
	lookup(t, first, zoneName, dns.TypeSOA)
	lookup(t, second, zoneName, dns.TypeSOA)
	if answer, err := dial(t, "tcp", s.addr).receive(); err == nil {
		t.Errorf("third connection: %x, want it closed", answer)
	}
	lookup(t, first, zoneName, dns.TypeSOA)
	if err := second.conn.Close(); err != nil {
		t.Fatal(err)
	}
	waitForPlace(t, s.addr)
}

// waitForPlace waits until there is room for one more connection.
func waitForPlace(t *testing.T, addr string) {
	t.Helper()
	packet := soaQuery(t)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		cl := dial(t, "tcp", addr)
		if err := cl.send(packet); err == nil {
			if _, err = cl.receive(); err == nil {
				return
			}
		}
	}
	t.Fatal("there was never a place for one more")
}

func soaQuery(t testing.TB) []byte {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion(zoneName, dns.TypeSOA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// TestTCP_IdleTimeout: who does not ask, or never finishes, is not waited for.
func TestTCP_IdleTimeout(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.IdleTimeout = 50 * time.Millisecond
	s := start(t, c)
	for name, octets := range map[string][]byte{"silent": nil, "half a length": {0}, "half a message": {0, 20, 1, 2}} {
		cl := dial(t, "tcp", s.addr)
		if _, err := cl.conn.Write(octets); err != nil {
			t.Fatal(err)
		}
		if _, err := cl.receive(); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
			t.Errorf("%s: %v, want the end of the connection", name, err)
		}
	}
}

// TestTCP_NobodyReads: a client that asks and takes no answers does not keep
// its place.
func TestTCP_NobodyReads(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.IdleTimeout, c.MaxConns = 500*time.Millisecond, 1
	s := start(t, c)
	cl := dial(t, "tcp", s.addr)
	if tcp, ok := cl.conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // the sooner it is full
	}
	lookup(t, cl, zoneName, dns.TypeSOA)
	packet := soaQuery(t)
	var flood sync.WaitGroup
	flood.Go(func() {
		for err := error(nil); err == nil; {
			err = cl.send(packet)
		}
	})
	waitForPlace(t, s.addr)
	if err := cl.conn.Close(); err != nil {
		t.Error(err)
	}
	flood.Wait()
}

// TestUpdate_Overload: more updates than may wait are answered at once; those
// that wait are carried out.
func TestUpdate_Overload(t *testing.T) {
	t.Parallel()
	s := newServer(t, testConfig())
	packet, _, err := sign(update(t, "prereq example.test. 0 ANY SOA"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan []byte, embedded.MaxWaiting)
	var waiting sync.WaitGroup
	for range embedded.MaxWaiting {
		waiting.Go(func() { answers <- s.RespondAlone(packet) })
	}
	for deadline := time.Now().Add(patience); s.Waiting() < embedded.MaxWaiting; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d updates wait, want %d", s.Waiting(), embedded.MaxWaiting)
		}
	}
	if got := unpack(t, s.RespondAlone(packet)).Rcode; got != dns.RcodeServerFailure {
		t.Errorf("one more: %s, want SERVFAIL", dns.RcodeToString[got])
	}
	startServer(t, s)
	waiting.Wait()
	close(answers)
	for a := range answers {
		if got := unpack(t, a).Rcode; got != dns.RcodeSuccess {
			t.Errorf("one that waited: %s, want NOERROR", dns.RcodeToString[got])
		}
	}
}
