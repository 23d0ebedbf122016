package availability_test

import (
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/internal/twoclocks"
)

// simMachine is the clocks of one machine. Both run at its own rate; the wall
// clock can be set, and the monotonic one stands still while the machine is
// suspended, as CLOCK_MONOTONIC does.
type simMachine struct {
	began time.Time // of the bubble
	rate  float64

	mu     sync.Mutex
	shift  time.Duration // guarded by mu; of the wall clock
	asleep time.Duration // guarded by mu; real time that the monotonic clock has missed
	slept  time.Time     // guarded by mu; since when it stands still, zero if it runs
	hidden bool          // guarded by mu; the wall clock stands still with it, which A2 excludes
}

func (c *simMachine) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.rate)
}

// realTime is how long real time takes for d of this machine's clocks, never
// less.
func (c *simMachine) realTime(d time.Duration) time.Duration {
	return time.Duration(float64(d)/c.rate) + time.Nanosecond
}

// read returns both clocks.
func (c *simMachine) read() (wall time.Time, mono time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := time.Since(c.began)
	missed := c.asleep
	if !c.slept.IsZero() {
		missed += time.Since(c.slept)
	}
	wall = c.began.Add(c.scale(passed) + c.shift)
	if c.hidden {
		wall = wall.Add(-c.scale(missed))
	}
	return wall, c.scale(passed - missed)
}

func (c *simMachine) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += d
}

func (c *simMachine) suspend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = time.Now()
}

func (c *simMachine) suspended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.slept.IsZero()
}

// resume tells whether it was suspended.
func (c *simMachine) resume() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slept.IsZero() {
		return false
	}
	c.asleep += time.Since(c.slept)
	c.slept = time.Time{}
	return true
}

// simClock is the clock of one process: its machine's, and its timers wait
// with it while it is stopped.
type simClock struct {
	clock.Clock
	machine *simMachine
	process *simProcess
}

var _ clock.Clock = (*simClock)(nil)

func (c *simClock) Now() time.Time {
	t, _ := twoclocks.Reading(c.machine.read())
	return t
}

// Timer counts time on the monotonic clock of the machine.
func (c *simClock) Timer(d time.Duration) *clock.Timer {
	_, now := c.machine.read()
	due := now + d
	fired := make(chan time.Time, 1)
	t := c.AfterFunc(c.machine.realTime(d), func() { c.fire(due, fired) })
	t.C = fired
	return t
}

func (c *simClock) fire(due time.Duration, fired chan<- time.Time) {
	c.process.w.lingering.Add(1)
	defer c.process.w.lingering.Add(-1)
	for {
		c.process.awake()
		_, now := c.machine.read()
		if now >= due {
			break
		}
		c.process.w.pass(c.machine.realTime(due - now))
	}
	fired <- c.Now()
}
