package availability_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// lab is a group in a bubble: one store, one network, any number of nodes.
type lab struct {
	t     *testing.T
	store *dnsstore.Memory
	net   *transport.Memory
	nodes []*node
}

type node struct {
	*availability.Group
	faulty *dnsstoretest.Faulty
	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	roles  []event.RoleChange
	events []event.Event
}

func newLab(t *testing.T) *lab {
	return &lab{t: t, store: dnsstore.NewMemory(), net: transport.NewMemory()}
}

// config is that of the i-th node, a to z.
func (l *lab) config(i int) availability.Config {
	id := string(rune('a' + i))
	return availability.Config{
		NodeID: id,
		Settings: availability.Settings{
			GroupFQDN:           "svc.lab.test",
			ExternalIPv4Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
		},
		Bootstrap: availability.BootstrapCreate,
		Transport: l.net.Node(id),
	}
}

// start runs one more node.
func (l *lab) start(edit ...func(*availability.Config)) *node {
	l.t.Helper()
	n := &node{faulty: dnsstoretest.NewFaulty(l.store), done: make(chan error, 1)}
	c := l.config(len(l.nodes))
	c.Store = n.faulty
	for _, e := range edit {
		e(&c)
	}
	g, err := availability.New(c)
	if err != nil {
		l.t.Fatal(err)
	}
	n.Group = g
	event.On(g, func(_ context.Context, e event.RoleChange) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.roles = append(n.roles, e)
	})
	_, err = g.Subscribe(event.Any, func(_ context.Context, e event.Event) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.events = append(n.events, e)
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	n.cancel = cancel
	go func() { n.done <- g.Run(ctx) }()
	l.nodes = append(l.nodes, n)
	l.t.Cleanup(cancel)
	return n
}

// stop ends all nodes and waits for them, so that the bubble can end.
func (l *lab) stop() {
	for _, n := range l.nodes {
		n.cancel()
	}
	for i, n := range l.nodes {
		if err := <-n.done; err != nil {
			l.t.Errorf("Run of node %d: %v", i, err)
		}
		n.faulty.Close()
	}
}

// wait lets time pass until ok.
func (l *lab) wait(what string, ok func() bool) time.Duration {
	l.t.Helper()
	start := time.Now()
	for time.Since(start) < 10*time.Minute {
		if ok() {
			return time.Since(start)
		}
		synctest.Wait()
		time.Sleep(time.Millisecond)
	}
	l.t.Fatalf("waited in vain until %s; states: %s", what, l)
	return 0
}

func (l *lab) String() string {
	s := ""
	for _, n := range l.nodes {
		s += fmt.Sprintf("\n%+v", n.GetNodeState())
	}
	return s
}

// kill makes a node dead to all others; it goes on in its own world.
func (l *lab) kill(n *node) {
	n.faulty.Cut()
	l.cutPeers(n)
}

func (l *lab) cutPeers(n *node) {
	for _, o := range l.nodes {
		if o != n {
			l.net.Cut(n.GetNodeState().NodeID, o.GetNodeState().NodeID)
			l.net.Cut(o.GetNodeState().NodeID, n.GetNodeState().NodeID)
		}
	}
}

func (l *lab) heal(n *node) {
	n.faulty.Heal()
	for _, o := range l.nodes {
		if o != n {
			l.net.Heal(n.GetNodeState().NodeID, o.GetNodeState().NodeID)
			l.net.Heal(o.GetNodeState().NodeID, n.GetNodeState().NodeID)
		}
	}
}

// heard returns the events of one type that a node has told.
func heard[E event.Event](n *node) []E {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []E
	for _, e := range n.events {
		if typed, ok := e.(E); ok {
			found = append(found, typed)
		}
	}
	return found
}

func (l *lab) primary() string {
	for _, n := range l.nodes {
		if n.IsPrimary() {
			return n.GetNodeState().NodeID
		}
	}
	return ""
}

// pair is a settled group of two with a as Primary.
func pair(t *testing.T, edit ...func(*availability.Config)) (*lab, *node, *node) {
	l := newLab(t)
	a := l.start(append(edit, func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })...)
	b := l.start(append(edit, func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })...)
	if err := a.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, a, b
}
