//go:build linux

package hosts_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// slow is a way to the name server, on its own host, on which every answer of
// a stream takes longer.
type slow struct {
	address string
	delay   atomic.Int64 // nanoseconds

	listener net.Listener
	dial     func() (net.Conn, error)
	all      sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool // guarded by mu
	ended    chan struct{}
}

func newSlow(l *lab) *slow {
	l.t.Helper()
	host := l.net.hosts[dnsHost]
	listener, err := host.listen(l.t.Context(), net.JoinHostPort(addressOf(dnsHost), "5353"))
	if err != nil {
		l.t.Fatal(err)
	}
	ctx := context.WithoutCancel(l.t.Context())
	s := &slow{
		address: listener.Addr().String(), listener: listener, conns: map[net.Conn]bool{}, ended: make(chan struct{}),
		dial: func() (net.Conn, error) { return host.dial(ctx, "tcp", l.dns.Addr) },
	}
	s.all.Go(s.accept)
	l.t.Cleanup(s.close)
	return s
}

func (s *slow) accept() {
	for {
		asker, err := s.listener.Accept()
		if err != nil {
			return
		}
		server, err := s.dial()
		if err != nil {
			_ = asker.Close()
			continue
		}
		s.keep(asker, server)
		s.all.Go(func() {
			_, _ = io.Copy(server, asker)
			_ = server.Close()
		})
		s.all.Go(func() {
			s.answer(asker, server)
			_ = asker.Close()
		})
	}
}

// answer passes on what the server says, later.
func (s *slow) answer(asker, server net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		wait := time.NewTimer(time.Duration(s.delay.Load()))
		select {
		case <-wait.C:
		case <-s.ended:
			return
		}
		if _, err := asker.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (s *slow) keep(conns ...net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range conns {
		s.conns[c] = true
	}
}

func (s *slow) close() {
	_ = s.listener.Close()
	close(s.ended)
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
}
