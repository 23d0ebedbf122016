package agclient_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
)

// network is made of pipes, so that it takes virtual time in a bubble. It has
// a resolver, which knows one address of each name, for ever.
type network struct {
	mu        sync.Mutex
	hosts     map[string]*host // by address
	names     map[string]string
	dialed    []string // addresses with ports, in order
	listeners sync.WaitGroup
}

// host is one machine, with one listener for all its ports.
type host struct {
	address string
	queue   chan net.Conn
	closed  chan struct{}

	mu     sync.Mutex
	dead   bool // its connections are reset, and new ones refused
	silent bool // new connections never come about
	conns  []net.Conn
	count  int // of connections that are open
}

func newNetwork() *network {
	return &network{hosts: map[string]*host{}, names: map[string]string{}}
}

func (n *network) host(address string) *host {
	h := &host{address: address, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[address] = h
	return h
}

func (n *network) resolve(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = address
}

// reached lists what was dialed, after resolving.
func (n *network) reached() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dialed...)
}

// dial is the DialContext of a Base.
func (n *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if address, ok := n.names[name]; ok {
		name = address
	}
	h := n.hosts[name]
	n.dialed = append(n.dialed, net.JoinHostPort(name, port))
	n.mu.Unlock()
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
	}
	return h.connect(ctx)
}

func (h *host) connect(ctx context.Context) (net.Conn, error) {
	h.mu.Lock()
	dead, silent := h.dead, h.silent
	h.mu.Unlock()
	switch {
	case silent:
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	case dead:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case h.queue <- far:
	case <-h.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, near, far)
	h.count++
	return &pipe{Conn: near, of: h}, nil
}

// open counts the connections that the client has not closed.
func (h *host) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// pipe has the errors of a TCP connection.
type pipe struct {
	net.Conn

	of   *host
	once sync.Once
}

func (p *pipe) Close() error {
	p.once.Do(func() {
		p.of.mu.Lock()
		defer p.of.mu.Unlock()
		p.of.count--
	})
	return p.Conn.Close()
}

func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if err != nil {
		err = &net.OpError{Op: "read", Net: "tcp", Err: err}
	}
	return n, err
}

func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	if err != nil {
		err = &net.OpError{Op: "write", Net: "tcp", Err: err}
	}
	return n, err
}

// crash resets all connections and refuses new ones.
func (h *host) crash() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = true
	for _, c := range h.conns {
		c.Close()
	}
	h.conns = nil
}

func (h *host) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead, h.silent = false, false
}

// vanish makes new connections hang.
func (h *host) vanish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = true
}

// connections counts all that were made.
func (n *network) connections(address string) int {
	count := 0
	for _, addr := range n.reached() {
		if host, _, err := net.SplitHostPort(addr); err == nil && host == address {
			count++
		}
	}
	return count
}

// Accept makes host a net.Listener.
func (h *host) Accept() (net.Conn, error) {
	select {
	case c := <-h.queue:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *host) Close() error {
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
	return nil
}

func (h *host) Addr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(h.address)} }

func address(i int) string { return fmt.Sprintf("192.0.2.%d", i+1) }

func wantDialed(t testing.TB, n *network, since int, want ...string) {
	t.Helper()
	got := n.reached()[since:]
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("dialed %q, want %q", got, want)
	}
}

// withoutPort lists what was dialed but for a port.
func (n *network) withoutPort(port string) []string {
	var all []string
	for _, addr := range n.reached() {
		if _, p, err := net.SplitHostPort(addr); err == nil && p != port {
			all = append(all, addr)
		}
	}
	return all
}
