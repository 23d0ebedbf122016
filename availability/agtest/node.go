package agtest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

// Node is a node of a [Cluster]: a machine with a program that is run on it,
// once or several times.
type Node struct {
	c      *Cluster
	i      int
	id     string
	config availability.Config
	faulty *dnsstoretest.Faulty
	clock  *nodeClock
	ahead  atomic.Int64 // the store's clock, at its last answer
	cut    atomic.Bool  // from the store

	mu  sync.Mutex
	now *process // guarded by mu; the present run, else the last one; nil before the first
}

func (n *Node) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *Node) group() *availability.Group { return n.process().group }

// runs tells whether the node's program runs, as far as others can tell.
func (n *Node) runs() bool {
	p := n.process()
	return !p.dead() && !p.ended()
}

// start begins a run, and the programs of the test in it.
func (n *Node) start() {
	n.c.t.Helper()
	p := newProcess(n)
	g, err := availability.New(n.hooked(p))
	if err != nil {
		n.c.t.Fatalf("agtest: node %s: %v", n, err)
	}
	p.group = g
	n.c.log.follow(p)
	n.mu.Lock()
	n.now = p
	n.mu.Unlock()
	n.c.begin(p) // before a Run that may fail at once
	_ = p.launch(p.run)
}

// Kill ends the node as kill -9 does. From now on it sends nothing to the store
// or to another node, and whoever calls it is refused at once. It hands nothing
// over and releases nothing, so another node takes over only after the failover
// period. What it has sent is on its way and arrives: a write that the node
// does not live to see the end of may change the record a moment later.
//
// Kill returns at once and does nothing to a node that does not run. No hook of
// the configuration is called any more. What a test cannot kill is the
// program's own goroutines: they see that their contexts end and that the role
// is over, as in an ordered end.
func (n *Node) Kill() {
	if p := n.process(); !p.ended() {
		p.kill()
	}
}

// Stop ends the node in order: a Primary hands its role over, or releases it
// if there is nobody to take it, and its hooks are called. It returns when Run
// has, thaws a frozen node before, and does nothing to one that does not run.
// An error of Run fails the test.
func (n *Node) Stop() {
	n.c.t.Helper()
	p := n.process()
	p.thaw()
	p.stop()
	<-p.done
	if p.err != nil {
		n.c.t.Errorf("agtest: Run of node %s: %v", n, p.err)
	}
}

// Restart starts the node's program again, as a new process on the same machine
// with the same configuration: a new [availability.Group] and what [Cluster.Go]
// has begun. If it runs it is killed before. With a StateDir the new run can
// prove that the one before is dead, and is Primary again at once; without one
// it waits like any other node.
//
// It returns when Run of the run before has returned, which takes a moment, and
// the new one has begun; what that becomes is to be awaited. The faults of the
// links, the store and the clocks stay.
func (n *Node) Restart() {
	n.c.t.Helper()
	n.Kill()
	<-n.process().done
	n.start()
}

// Freeze stops the node, as SIGSTOP does: its requests, its answers, its hooks
// and its timers wait until [Node.Thaw], and what is sent to it stays
// unanswered. Its clocks go on. The program's own goroutines run on; if they
// ask the group, they are told the truth about the role.
func (n *Node) Freeze() { n.process().freeze() }

// Thaw ends Freeze.
func (n *Node) Thaw() { n.process().thaw() }

// Skew makes the clocks of the node, the wall clock and the monotonic one, run
// at that rate from now on: 1 is as fast as time, 1.1 is 10 % fast. The group
// promises one Primary for rates from 0.9 to 1.1. A rate of 0 or less fails
// the test. Timers that are under way keep the rate that they were started
// with, and contexts with a deadline always go by real time.
func (n *Node) Skew(rate float64) {
	n.c.t.Helper()
	if !(rate > 0) {
		n.c.t.Fatalf("agtest: a clock cannot run at a rate of %v", rate)
	}
	n.clock.setRate(rate)
}

// StepClock sets the wall clock of the node forward by d, or back if d is
// negative, while the monotonic one goes on, as when an administrator or NTP
// sets a machine's clock. Steps add up.
//
// A clock that is set back changes no role. A Primary whose clock is set
// forward by more than what is left of its authority stops, since that is also
// what a suspension looks like, and takes the role back with one write, in a
// new term. A Secondary does not take over any sooner. More than a minute
// beside the store's clock makes event.ClockSkewDetected at the next read.
//
// A step out of the years 1885 to 2157 fails the test.
func (n *Node) StepClock(d time.Duration) {
	n.c.t.Helper()
	if !n.clock.setWall(d) {
		n.c.t.Fatalf("agtest: the wall clock of node %s, %v, cannot be stepped by %v", n, n.clock.Now().Round(0), d)
	}
}

// CutStore cuts the node off from the store: its calls get no answer, and one
// that is under way may or may not have been carried out.
func (n *Node) CutStore() {
	n.cut.Store(true)
	n.faulty.Cut()
}

// HealStore ends all faults of the node's way to the store.
func (n *Node) HealStore() {
	n.cut.Store(false)
	n.faulty.Heal()
}

// Store returns the node's way to the store, which can lose answers, delay,
// refuse and more.
func (n *Node) Store() *dnsstoretest.Faulty { return n.faulty }

// Isolate cuts the node off from the store and, both ways, from all others.
func (n *Node) Isolate() {
	n.CutStore()
	n.links((*Link).Cut)
}

// Reconnect heals the node's way to the store and its links, whatever their
// faults.
func (n *Node) Reconnect() {
	n.HealStore()
	n.links(func(l *Link) {
		l.Heal()
		l.Delay(0)
	})
}

func (n *Node) links(do func(*Link)) {
	for _, other := range n.c.nodes {
		if other != n {
			do(&Link{n, other})
			do(&Link{other, n})
		}
	}
}
