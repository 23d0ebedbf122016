package agtest

import (
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/internal/twoclocks"
)

// nodeClock is the clock of a node: it runs at a rate of its own, its wall
// clock can be set, and its timers wait while the node is frozen. The engine
// uses Now and Timer; the rest is real time.
type nodeClock struct {
	clock.Clock
	node *Node

	mu    sync.Mutex
	rate  float64       // guarded by mu
	since time.Time     // guarded by mu; real time when the rate was set
	base  time.Time     // guarded by mu; the reading at that time, without steps
	step  time.Duration // guarded by mu; the sum of all steps of the wall clock
}

var _ clock.Clock = (*nodeClock)(nil)

func newNodeClock(n *Node) *nodeClock {
	now := n.c.time.Now()
	base, _ := twoclocks.Monotonic(now) // without, the clock cannot be stepped
	return &nodeClock{Clock: n.c.time, node: n, rate: 1, since: now, base: base}
}

// Now returns the reading, with a monotonic one that the steps have not moved.
func (c *nodeClock) Now() time.Time {
	p := c.node.process()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	now = c.readLocked(now.Add(p.hurried(now)))
	if c.step == 0 {
		return now
	}
	now, _ = twoclocks.Stepped(now, c.step) // setWall has tried it
	return now
}

// readLocked is the reading without steps.
func (c *nodeClock) readLocked(now time.Time) time.Time {
	passed := now.Sub(c.since)
	if c.rate != 1 { // else exactly, also after days
		passed = time.Duration(float64(passed) * c.rate)
	}
	return c.base.Add(passed)
}

func (c *nodeClock) setRate(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	c.base, c.since, c.rate = c.readLocked(now), now, rate
}

// setWall moves the wall clock, and tells whether it can be.
func (c *nodeClock) setWall(by time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := twoclocks.Stepped(c.readLocked(c.Clock.Now()), c.step+by)
	if ok {
		c.step += by
	}
	return ok
}

// faults are the rate and the sum of the steps.
func (c *nodeClock) faults() (rate float64, step time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rate, c.step
}

// Timer returns one that fires when d has passed by this clock.
func (c *nodeClock) Timer(d time.Duration) *clock.Timer {
	p := c.node.process()
	fired := make(chan time.Time, 1)
	if p.hurries() {
		d /= haste
	}
	t := c.AfterFunc(c.realTime(d), func() {
		_ = p.pass() // a dead process needs its timers to end
		fired <- c.Now()
	})
	t.C = fired
	return t
}

// realTime is how long d of this clock takes, never less.
func (c *nodeClock) realTime(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rate == 1 {
		return d
	}
	return time.Duration(float64(d)/c.rate) + time.Nanosecond
}
