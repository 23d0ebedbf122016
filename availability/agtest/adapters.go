package agtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"
)

// nodeStore is a node's way to the store.
type nodeStore struct{ n *Node }

var _ dnsstore.Store = nodeStore{}

// Lookup reads through the node's faults.
func (s nodeStore) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	set, err := send(ctx, s.n.process(), func(ctx context.Context) (dnsstore.RRSet, error) {
		return s.n.faulty.Lookup(ctx, k)
	})
	if err == nil {
		s.n.ahead.Store(int64(s.n.c.time.Now().Round(0).Sub(s.n.clock.Now().Round(0))))
	}
	return set, err
}

// Apply writes through the node's faults.
func (s nodeStore) Apply(ctx context.Context, c dnsstore.Change) error {
	_, err := send(ctx, s.n.process(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.n.faulty.Apply(ctx, c)
	})
	return err
}

// Skew returns how far the store's clock, which is that of the test, was ahead
// of the node's wall clock at the last answer. A server tells it by its
// signatures; the group makes ClockSkewDetected of it.
func (s nodeStore) Skew() time.Duration { return time.Duration(s.n.ahead.Load()) }

// nodeTransport is a node's way to the others and back.
type nodeTransport struct{ n *Node }

var _ transport.Addressed = nodeTransport{}

// SetAddress sets the group that is served.
func (t nodeTransport) SetAddress(group, node string) error {
	if a, ok := t.n.c.net.Node(t.n.id).(transport.Addressed); ok {
		return a.SetAddress(group, node)
	}
	return nil
}

// Exchange sends over the network.
func (t nodeTransport) Exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	back, err := send(ctx, t.n.process(), func(ctx context.Context) (transport.Message, error) {
		return t.n.c.net.Node(t.n.id).Exchange(ctx, to, m)
	})
	if errors.Is(err, transport.ErrRejected) && t.n.c.killed(to.ID) {
		err = errDead // it was killed before it could answer
	}
	if errors.Is(err, errDead) {
		return back, &transport.PeerError{Peer: to, Op: "exchange", Err: fmt.Errorf("%w: %w", transport.ErrUnreachable, err)}
	}
	return back, err
}

// killed tells whether the node of that ID is dead.
func (c *Cluster) killed(id string) bool {
	return slices.ContainsFunc(c.nodes, func(n *Node) bool { return n.id == id && n.process().dead() })
}

// Serve takes messages until ctx ends or the process is killed.
func (t nodeTransport) Serve(ctx context.Context, h transport.Handler) error {
	p := t.n.process()
	ctx, cancel := p.bound(ctx)
	defer cancel()
	if err := p.pass(); err != nil {
		return err
	}
	if h == nil {
		return t.n.c.net.Node(t.n.id).Serve(ctx, nil)
	}
	return t.n.c.net.Node(t.n.id).Serve(ctx, transport.HandlerFunc(
		func(ctx context.Context, m transport.Message) (transport.Message, error) {
			if err := p.pass(); err != nil {
				return transport.Message{}, err
			}
			answer, err := h.HandleMessage(ctx, m)
			if dead := p.pass(); dead != nil {
				return transport.Message{}, dead
			}
			return answer, err
		}))
}
