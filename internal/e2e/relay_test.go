//go:build linux

package e2e_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay is how the other nodes reach a node: what they take for its external
// port. It can be cut. What is sent into a cut relay is swallowed, as a
// firewall would: nobody is told.
type relay struct {
	listener net.Listener
	ctx      context.Context // of the test, for the connections that are made
	all      sync.WaitGroup

	mu     sync.Mutex // guards the following
	target string     // where the node listens; empty: it does not
	cut    bool
	conns  map[net.Conn]bool
	last   time.Time // when something was last about to be handed to the node
}

func newRelay(t *testing.T, ip string) *relay {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, ctx: t.Context(), conns: map[net.Conn]bool{}}
	r.all.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.closeAll()
		r.all.Wait()
	})
	return r
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// aim says where the node listens.
func (r *relay) aim(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = address
}

func (r *relay) setCut(cut bool) {
	r.mu.Lock()
	r.cut = cut
	r.mu.Unlock()
	if !cut {
		r.closeAll() // what was swallowed does not come back
	}
}

// lastHanded is when something was last about to be handed to the node: what it
// has heard from its peers, it has heard at this instant or later.
func (r *relay) lastHanded() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.all.Go(func() { r.carry(c) })
	}
}

// carry connects one peer with the node.
func (r *relay) carry(peer net.Conn) {
	defer r.forget(peer)
	r.remember(peer)
	target, cut := r.state()
	if cut {
		_, _ = io.Copy(io.Discard, peer)
		return
	}
	d := net.Dialer{Timeout: time.Second}
	node, err := d.DialContext(r.ctx, "tcp", target)
	if err != nil {
		return
	}
	r.remember(node)
	defer r.forget(node)
	r.all.Go(func() {
		r.copy(peer, node, func() {})
		_ = peer.Close()
	})
	r.copy(node, peer, r.stamp)
}

// copy hands over what comes, unless the relay is cut.
func (r *relay) copy(to, from net.Conn, before func()) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if _, cut := r.state(); n > 0 && !cut {
			before()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *relay) stamp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
}

func (r *relay) state() (target string, cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target, r.cut
}

func (r *relay) remember(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = true
}

func (r *relay) forget(c net.Conn) {
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
	_ = c.Close()
}

func (r *relay) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
	}
}
