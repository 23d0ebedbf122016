package agtest

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// FQDN is the name of a group, unless an edit sets another.
const FQDN = "group.lab.test"

// mostNodes is as many as have a letter for their ID.
const mostNodes = 26

// Cluster is a group in memory. Create it with [New].
type Cluster struct {
	t      testing.TB
	time   clock.Clock
	store  *dnsstore.Memory
	net    *transport.Memory
	nodes  []*Node // fixed before the first one runs
	faults linkFaults
	log    eventLog

	all    sync.WaitGroup  // processes, and what they have sent
	over   context.Context //nolint:containedctx // ended by the end of the test, for what was sent without a deadline
	finish context.CancelFunc

	mu       sync.Mutex
	programs []program // guarded by mu
}

// New makes a group of that many nodes, 1 to 26, and returns when all are
// members and the Primary, node 0, knows it. The nodes have the IDs a, b, c, …,
// the addresses 192.0.2.1, .2, .3, … and the port 443.
//
// Each edit may change the configuration of node i before it is used: hooks,
// priorities, timing, a StateDir, a Logger. It is called once for each node,
// also if that is restarted later. Store, Transport and Clock are set; an edit
// may put a layer over them. What it replaces has no faults, and a nil
// Transport leaves the record as the only way between the nodes. A Bootstrap
// other than BootstrapManual is left to do its work, and any node may then be
// the first Primary.
//
// In a bubble of testing/synctest t has to be that of the bubble. A mistake in
// a configuration fails the test, as does a group that does not come about
// within a generous time. The cluster has a subscription of its own to the
// events of each node.
func New(t testing.TB, nodes int, edit ...func(i int, c *availability.Config)) *Cluster {
	t.Helper()
	if nodes < 1 || nodes > mostNodes {
		t.Fatalf("agtest: %d nodes, want 1 to %d", nodes, mostNodes)
	}
	c := &Cluster{t: t, time: clock.New(), store: dnsstore.NewMemory(), net: transport.NewMemory()}
	c.faults.of = map[Link]linkFault{}
	c.log.time = c.time
	c.over, c.finish = context.WithCancel(context.WithoutCancel(t.Context()))
	for i := range nodes {
		c.nodes = append(c.nodes, c.newNode(i, edit))
	}
	t.Cleanup(c.end) // after the edits, whose own Cleanups it must precede
	for _, n := range c.nodes {
		n.start()
	}
	for i, n := range c.nodes {
		c.enter(i, n)
	}
	c.Await(t.Context(), "the Primary knows all nodes", c.complete)
	return c
}

// newNode makes what stays the same in all runs of a node.
func (c *Cluster) newNode(i int, edit []func(int, *availability.Config)) *Node {
	c.t.Helper()
	n := &Node{c: c, i: i, faulty: dnsstoretest.NewFaulty(c.store)}
	n.clock = newNodeClock(n)
	n.config = availability.Config{
		NodeID: string(rune('a' + i)),
		Settings: availability.Settings{
			GroupFQDN:           FQDN,
			ExternalIPv4Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
			Timing:              availability.FastTiming(),
		},
		Store: nodeStore{n}, Transport: nodeTransport{n}, Clock: n.clock,
	}
	for _, e := range edit {
		e(i, &n.config)
	}
	n.id = n.config.NodeID
	if n.id == "" {
		c.t.Fatalf("agtest: node %d has no NodeID", i)
	}
	return n
}

// enter makes a node a member, or waits until it has made itself one.
func (c *Cluster) enter(i int, n *Node) {
	c.t.Helper()
	g := n.group()
	ctx, cancel := context.WithTimeout(c.t.Context(), c.patience())
	defer cancel()
	var err error
	switch {
	case n.config.Bootstrap != availability.BootstrapManual:
		c.Await(ctx, "node "+n.String()+" is a member", func() bool { return n.knows(n) })
	case i == 0:
		err = g.Create(ctx)
	default:
		err = g.Join(ctx)
	}
	if err != nil {
		c.t.Fatalf("agtest: node %s does not get into the group: %v\n%s", n, err, c)
	}
}

// complete tells whether a Primary knows all nodes. One that joins may know a
// moment earlier that it is a member.
func (c *Cluster) complete() bool {
	return slices.ContainsFunc(c.nodes, func(p *Node) bool {
		return p.group().IsPrimary() && !slices.ContainsFunc(c.nodes, func(n *Node) bool { return !p.knows(n) })
	})
}

// knows tells whether another node, or the node itself, is a full member of the
// group that the node is in.
func (n *Node) knows(other *Node) bool {
	info := n.group().Info()
	return info.State.NodeRole != event.RoleNotInGroup &&
		slices.ContainsFunc(info.Members, func(m availability.Member) bool { return m.ID == other.id && !m.Joining })
}

// period is the group's failover period.
func (c *Cluster) period() time.Duration {
	return c.nodes[0].group().Info().Configuration.AllowedAbsenceInterval
}

// patience is a generous time to wait for anything.
func (c *Cluster) patience() time.Duration { return 20*c.period() + 30*time.Second }

// end ends all nodes, whatever they are up to, and waits for them.
func (c *Cluster) end() {
	for _, n := range c.nodes {
		if p := n.process(); p != nil {
			p.kill()
		}
	}
	c.finish()
	c.all.Wait()
	for _, n := range c.nodes {
		_ = n.faulty.Close() // always nil
	}
}

// Node returns node i.
func (c *Cluster) Node(i int) *Node {
	c.t.Helper()
	if i < 0 || i >= len(c.nodes) {
		c.t.Fatalf("agtest: node %d, there are 0 to %d", i, len(c.nodes)-1)
	}
	return c.nodes[i]
}

// Group returns the group of node i, as its program has it. Each
// [Node.Restart] makes a new one, with no subscribers.
func (c *Cluster) Group(i int) *availability.Group {
	c.t.Helper()
	return c.Node(i).group()
}

// Store returns the store that all nodes share, without any fault: for a look
// at DNS, and for changes by hand.
func (c *Cluster) Store() *dnsstore.Memory { return c.store }

// CutStore does to all nodes what [Node.CutStore] does to one.
func (c *Cluster) CutStore() {
	for _, n := range c.nodes {
		n.CutStore()
	}
}

// HealStore does to all nodes what [Node.HealStore] does to one.
func (c *Cluster) HealStore() {
	for _, n := range c.nodes {
		n.HealStore()
	}
}
