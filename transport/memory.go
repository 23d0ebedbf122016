package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/transport/internal/serving"
)

// Memory is a network inside the process whose links can be cut, delayed and
// made to lose or double messages: for tests and simulations. It signs
// nothing. It works in virtual time, inside a bubble of package
// testing/synctest. All methods are safe for concurrent use.
//
// A link has a direction. A request goes over the link from the sender to the
// receiver, its answer over the link back.
type Memory struct {
	// Drop tells whether the n-th message of a link, from 1, is lost; nil: none
	// is. It is set before the network is used, and may be called by several
	// goroutines at a time.
	Drop func(from, to string, n uint64) bool
	// Duplicate tells whether the n-th message of a link, from 1, arrives
	// twice; nil: none does. The handler is then called twice, and the sender
	// gets one of the two answers. Doubling an answer does nothing. Otherwise
	// as Drop.
	Duplicate func(from, to string, n uint64) bool

	mu    sync.Mutex // guards the following
	nodes map[string]*memoryNode
	links map[direction]link
}

type direction struct{ from, to string }

type link struct {
	cut   bool
	delay time.Duration
	sent  uint64
}

var _ Addressed = (*memoryNode)(nil)

// NewMemory returns a network without nodes. All its links work, without
// delay.
func NewMemory() *Memory {
	return &Memory{nodes: map[string]*memoryNode{}, links: map[direction]link{}}
}

// Node returns the transport of a node, the same one for the same ID. Its
// Exchange finds a peer by its ID and does not look at the URL; it fails at
// once with [ErrUnreachable] if the peer does not serve. The transport is
// [Addressed], though it needs to be told the group only if it shall refuse
// others.
func (n *Memory) Node(id string) Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := n.nodes[id]
	if node == nil {
		node = &memoryNode{net: n, id: id}
		n.nodes[id] = node
	}
	return node
}

// Cut cuts the link in one direction, also for the messages that are on their
// way. A message that is sent into a cut link is lost: the sender waits until
// its context ends. To separate two nodes cut both directions.
func (n *Memory) Cut(from, to string) { n.change(from, to, func(l *link) { l.cut = true }) }

// Heal ends what Cut did. What was lost stays lost.
func (n *Memory) Heal(from, to string) { n.change(from, to, func(l *link) { l.cut = false }) }

// Delay sets how long a message is on its way from now on, zero or less: not
// at all.
func (n *Memory) Delay(from, to string, d time.Duration) {
	n.change(from, to, func(l *link) { l.delay = d })
}

// change changes a link and returns what it was then.
func (n *Memory) change(from, to string, edit func(*link)) link {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.links[direction{from, to}]
	edit(&l)
	n.links[direction{from, to}] = l
	return l
}

// errLost: the message did not arrive. Nobody but the network knows.
var errLost = errors.New("lost")

// carry waits for as long as a message is on its way, and tells how many of it
// arrive. A lost one ends with the context, as for a sender that waits for an
// answer.
func (n *Memory) carry(ctx context.Context, from, to string) (copies int, err error) {
	l := n.change(from, to, func(l *link) { l.sent++ })
	lost := l.cut || n.Drop != nil && n.Drop(from, to, l.sent)
	if !lost {
		if err := wait(ctx, l.delay); err != nil {
			return 0, err
		}
		lost = n.change(from, to, func(*link) {}).cut
	}
	if lost {
		<-ctx.Done()
		return 0, fmt.Errorf("%w: %w", errLost, serving.Ended(ctx))
	}
	if n.Duplicate != nil && n.Duplicate(from, to, l.sent) {
		return 2, nil
	}
	return 1, nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return serving.Ended(ctx)
	}
	timer := time.NewTimer(d) //nolint:forbidigo // the network's own time, virtual in a bubble
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return serving.Ended(ctx)
	}
}

func (n *Memory) find(id string) (*memoryNode, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	node, ok := n.nodes[id]
	return node, ok
}

// memoryNode is the transport of one node.
type memoryNode struct {
	net  *Memory
	id   string
	desk serving.Desk[Handler]

	mu    sync.Mutex // guards the following
	group string     // empty: any
}

// result is what a handler returned.
type result struct {
	answer Message
	err    error
}

// SetAddress sets the group that is served. The node is the node.
func (n *memoryNode) SetAddress(group, node string) error {
	if node != n.id {
		return fmt.Errorf("transport: node %.80q cannot serve as %.80q", n.id, node)
	}
	if !validGroup(group) {
		return fmt.Errorf("transport: group %.80q", group)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.group = group
	return nil
}

// Serve delivers messages to h, with contexts that end when ctx does. It
// returns ErrServing if it is running already.
func (n *memoryNode) Serve(ctx context.Context, h Handler) error {
	if h == nil {
		return errors.New("transport: serve: nil handler")
	}
	if !n.desk.Serve(ctx, h) {
		return ErrServing
	}
	return nil
}

// Exchange sends m over the network.
func (n *memoryNode) Exchange(ctx context.Context, to Peer, m Message) (Message, error) {
	if err := CheckRequest(to, m); err != nil {
		return Message{}, exchangeError(to, err)
	}
	answer, err := n.exchange(ctx, to.ID, m.Clone())
	if err != nil {
		return Message{}, exchangeError(to, err)
	}
	return answer, nil
}

func (n *memoryNode) exchange(ctx context.Context, to string, m Message) (Message, error) {
	copies, err := n.net.carry(ctx, n.id, to)
	if err != nil {
		return Message{}, unreachable(err)
	}
	peer, ok := n.net.find(to)
	if !ok {
		return Message{}, unreachable(errors.New("no such node"))
	}
	results := make(chan result, copies) // room for each, also when the sender has gone
	for range copies {
		if !peer.receive(m, results) {
			return Message{}, unreachable(errors.New("the node does not serve"))
		}
	}
	select {
	case r := <-results:
		if _, err := n.net.carry(ctx, to, n.id); err != nil {
			return Message{}, unreachable(err)
		}
		return r.answer, refused(r.err)
	case <-ctx.Done():
		return Message{}, unreachable(serving.Ended(ctx))
	}
}

// receive lets the handler answer on a goroutine that Serve waits for.
func (n *memoryNode) receive(m Message, results chan<- result) bool {
	return n.desk.Go(func(ctx context.Context, h Handler) {
		r := result{err: errors.New("the handler ended its goroutine")}
		defer func() { results <- r }()
		if n.foreign(m) {
			r.err = fmt.Errorf("%w: this node serves another group", ErrUnauthenticated)
			return
		}
		r.answer, r.err = Deliver(ctx, h, m)
	})
}

func (n *memoryNode) foreign(m Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.group != "" && m.Group != n.group
}

func unreachable(err error) error { return fmt.Errorf("%w: %w", ErrUnreachable, err) }

// refused says what the error of a handler is to the sender. Of its kinds only
// ErrUnauthenticated passes: no other error means anything on another node.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnauthenticated):
		return fmt.Errorf("%w: the peer says: %s", ErrUnauthenticated, err.Error())
	}
	return fmt.Errorf("%w: %s", ErrRejected, err.Error())
}
