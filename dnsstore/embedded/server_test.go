package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
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

// logged collects log lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestDir_KeepsTheZone(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Dir = filepath.Join(t.TempDir(), "zone")
	c.Records = []dnsstore.RRSet{rrset("first.example.test", "A", "192.0.2.1")}
	s := start(t, c)
	mustUpdate(t, dial(t, "udp", s.addr), swap(t, "svc", "", "r1"))

	second := newServer(t, c)
	if err := second.Run(t.Context()); !errors.Is(err, embedded.ErrLocked) {
		t.Errorf("second server: %v, want ErrLocked", err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	// An unfinished entry, as after a crash.
	path := filepath.Join(c.Dir, "zone.journal")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("\x00\x00\x00\x10half")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	var lines logged
	c.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	c.Records = []dnsstore.RRSet{rrset("second.example.test", "A", "192.0.2.2")}
	s = start(t, c)
	cl := dial(t, "udp", s.addr)
	got := map[string][]string{
		"svc":    lookup(t, cl, "svc.example.test.", dns.TypeTXT),
		"first":  lookup(t, cl, "first.example.test.", dns.TypeA),
		"second": lookup(t, cl, "second.example.test.", dns.TypeA),
	}
	want := map[string][]string{"svc": {`"r1"`}, "first": {"192.0.2.1"}, "second": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if got := s.Serial(); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
	if !strings.Contains(lines.String(), "unfinished entry removed") {
		t.Errorf("the cut is not in the log:\n%s", &lines)
	}
	if strings.Contains(lines.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestDir_Mistakes(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Dir = filepath.Join(t.TempDir(), "zone")
	s := start(t, c)
	for _, v := range []string{"r1", "r2"} {
		mustUpdate(t, dial(t, "udp", s.addr), update(t, "update svc 30 IN TXT "+v))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	other := c
	other.Zone = "example.org"
	if err := newServer(t, other).Run(t.Context()); !errors.Is(err, embedded.ErrCorrupt) {
		t.Errorf("another zone: %v, want ErrCorrupt", err)
	}

	path := filepath.Join(c.Dir, "zone.journal")
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	octets[60] ^= 1
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newServer(t, c).Run(t.Context()); !errors.Is(err, embedded.ErrCorrupt) {
		t.Errorf("damaged: %v, want ErrCorrupt", err)
	}

	c.Dir = filepath.Join(t.TempDir(), "none", "zone")
	if err := newServer(t, c).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory above: %v, want ErrNotExist", err)
	}
}
