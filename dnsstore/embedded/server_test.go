package embedded_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

func newServer(t testing.TB, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRun_Once(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	if err := s.Run(t.Context()); !errors.Is(err, embedded.ErrStopped) {
		t.Errorf("second Run: %v, want ErrStopped", err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := s.Run(t.Context()); !errors.Is(err, embedded.ErrStopped) {
		t.Errorf("Run after its end: %v, want ErrStopped", err)
	}
}

func TestRun_EndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newServer(t, testConfig()).Run(ctx); err != nil {
		t.Errorf("%v, want nil", err)
	}
}

func TestAddr(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newServer(t, testConfig()).Addr(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("before Run: %v, want Canceled", err)
	}

	taken := start(t, testConfig())
	c := testConfig()
	c.Addr = taken.addr
	s := newServer(t, c)
	failure := s.Run(t.Context())
	if failure == nil {
		t.Fatal("Run at an address in use: no error")
	}
	_, err := s.Addr(t.Context())
	if !errors.Is(err, embedded.ErrStopped) || !errors.Is(err, failure) {
		t.Errorf("after Run has failed: %v, want ErrStopped and %v", err, failure)
	}

	host, _, err := net.SplitHostPort(taken.addr)
	if err != nil || host != "127.0.0.1" {
		t.Errorf("address %q, %v; want one of 127.0.0.1", taken.addr, err)
	}
}

// TestRun_Stops with connections open, whatever they wait for.
func TestRun_Stops(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.IdleTimeout = time.Hour
	s := start(t, c)
	idle, half := dial(t, "tcp", s.addr), dial(t, "tcp", s.addr)
	lookup(t, idle, zoneName, dns.TypeSOA)
	lookup(t, half, zoneName, dns.TypeSOA)
	if _, err := half.conn.Write([]byte{0, 30, 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	for name, cl := range map[string]*client{"idle": idle, "half": half} {
		if answer, err := cl.receive(); err == nil {
			t.Errorf("%s: answer %x", name, answer)
		}
	}
	var d net.Dialer
	if conn, err := d.DialContext(t.Context(), "tcp", s.addr); err == nil {
		_ = conn.Close()
		t.Error("still listening")
	}
}

// anyConn hides what kind of connection it is.
type anyConn struct{ net.PacketConn }

func TestRun_CallersSockets(t *testing.T) {
	t.Parallel()
	c := testConfig()
	l, packets := listen(t)
	c.Listener = l
	c.PacketConn = anyConn{packets}
	s := start(t, c)
	if s.addr != packets.LocalAddr().String() {
		t.Errorf("address %q, want that of the packets %q", s.addr, packets.LocalAddr())
	}
	for network, addr := range map[string]string{"udp": s.addr, "tcp": c.Listener.Addr().String()} {
		if got := lookup(t, dial(t, network, addr), zoneName, dns.TypeNS); len(got) != 1 {
			t.Errorf("%s: %q", network, got)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := c.Listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listener: %v, want ErrClosed", err)
	}
	if _, _, err := packets.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("packets: %v, want ErrClosed", err)
	}
}

// TestRun_SocketFails: a server that cannot serve says so and ends.
func TestRun_SocketFails(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"udp", "tcp"} {
		c := testConfig()
		l, p := listen(t)
		c.Listener, c.PacketConn = l, p
		s := newServer(t, c)
		done := make(chan error, 1)
		go func() { done <- s.Run(t.Context()) }()
		if _, err := s.Addr(t.Context()); err != nil {
			t.Fatal(err)
		}
		socket := map[string]io.Closer{"udp": p, "tcp": l}[which]
		if err := socket.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s closed: %v, want ErrClosed", which, err)
		}
	}
}
