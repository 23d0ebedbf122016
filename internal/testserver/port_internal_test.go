package testserver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestLaunch_PortIsTaken needs the inside: from outside, a port is always free.
func TestLaunch_PortIsTaken(t *testing.T) {
	t.Parallel()
	for _, newSoftware := range []func() software{
		func() software { return &bind{} },
		func() software { return &knot{} },
		func() software { return &powerDNS{} },
		func() software { return &coreDNS{} },
	} {
		for _, network := range []string{"udp", "tcp"} {
			soft := newSoftware()
			t.Run(soft.name()+" "+network, func(t *testing.T) {
				t.Parallel()
				s := &Server{Name: soft.name(), tb: t, soft: soft, set: newSettings(nil), Zone: DefaultZone, Keys: newKeys(), Dir: newDir(t)}
				soft.prepare(s)
				if err := s.writeZones(); err != nil {
					t.Fatal(err)
				}
				control, err := s.freePort(loopback)
				if err != nil {
					t.Fatal(err)
				}
				s.control, s.Addr = control, takePort(t, network)
				if err := soft.configure(s); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				err = s.launch()
				if !errors.Is(err, errAddressInUse) {
					t.Errorf("launch returned %v, want an error that wraps errAddressInUse; the log:\n%s", err, s.Log())
				}
				if took := time.Since(begin); took >= startTimeout {
					t.Errorf("launch took %v, want less than the time-out", took)
				}
				if s.proc.running() {
					t.Error("the process still runs")
				}
			})
		}
	}
}

// TestReserve_NobodyElseGetsThePort: that a port was free tells nothing of the
// time until the server has it, and BIND shares its port with another BIND.
func TestReserve_NobodyElseGetsThePort(t *testing.T) {
	t.Parallel()
	r, err := reserve(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux has the address that reservations are made at")
	}
	if _, err := reservePort(t.Context(), loopback, r.port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a reserved port was reserved: %v, want %v", err, syscall.EADDRINUSE)
	}
	l, err := listen(t.Context(), loopback, r.port)
	if err != nil {
		t.Fatalf("the server itself cannot have the port: %v", err)
	}
	if err := errors.Join(l.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if r, err = reservePort(t.Context(), loopback, r.port); err != nil {
		t.Errorf("the port was not given back: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestStart_PortsOfItsOwn needs the inside for the port of the control channel.
func TestStart_PortsOfItsOwn(t *testing.T) {
	t.Parallel()
	s := start(t, &bind{}, nil)
	for _, port := range []string{s.port(), strconv.Itoa(s.control)} {
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := reservePort(t.Context(), loopback, n); err == nil {
			t.Errorf("port %d is given away while the server has it", n)
			_ = r.Close()
		}
	}
}

// unlucky finds its port taken a few times.
type unlucky struct {
	*bind
	left int
}

func (u *unlucky) command(s *Server) []string {
	if u.left == 0 {
		return u.bind.command(s)
	}
	u.left--
	return []string{"/bin/sh", "-c", "echo creating TCP socket: address in use; exec sleep 60"}
}

func TestStart_TriesOtherPorts(t *testing.T) {
	t.Parallel()
	u := &unlucky{bind: &bind{}, left: 2}
	s := start(t, u, nil)
	if u.left != 0 || !s.proc.running() {
		t.Errorf("%d failures left, running %t", u.left, s.proc.running())
	}
}

// takePort listens on a free port until the test ends.
func takePort(t *testing.T, network string) string {
	t.Helper()
	var lc net.ListenConfig
	if network == "tcp" {
		l, err := lc.Listen(t.Context(), network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	c, err := lc.ListenPacket(t.Context(), network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

// TestCopyProgram runs a copy of a server, as on a machine with AppArmor.
func TestCopyProgram(t *testing.T) {
	t.Parallel()
	s := &Server{Name: "BIND", tb: t, Dir: newDir(t)}
	program, err := copyProgram(need(t, s.Name, "named"), s.file("named"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(t.Context(), []string{program, "-v"}); err != nil || out == "" {
		t.Errorf("the copy printed %q, %v", out, err)
	}
}

func TestAwaitFree(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		taken := netip.MustParseAddrPort(takePort(t, network))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := awaitFree(ctx, loopback, int(taken.Port())); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: %v, want %v", network, err, syscall.EADDRINUSE)
		}
		cancel()
	}
	l, err := listen(t.Context(), loopback, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = l.Close() })
	if err := awaitFree(t.Context(), loopback, portOf(l)); err != nil {
		t.Error(err)
	}
}
