//go:build linux

package hosts_test

import (
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/internal/twoclocks"
)

// stepClock is the system's clock with a wall that can be set: the monotonic
// reading goes on as before, as it does when somebody sets a machine's clock.
type stepClock struct {
	clock.Clock
	by atomic.Int64
}

func newStepClock() *stepClock { return &stepClock{Clock: clock.New()} }

func (c *stepClock) step(by time.Duration) { c.by.Add(int64(by)) }

// Now is the time by that wall.
func (c *stepClock) Now() time.Time {
	t, _ := twoclocks.Stepped(time.Now(), time.Duration(c.by.Load()))
	return t
}
