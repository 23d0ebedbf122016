//go:build linux

package hosts_test

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/benbjohnson/clock"
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
func (c *stepClock) Now() time.Time { return setWall(time.Now(), time.Duration(c.by.Load())) }

// setWall moves the wall reading of t and not the monotonic one, for which
// package time has no function: with a monotonic reading, wall holds a flag,
// 33 bits of seconds since 1885 and 30 of nanoseconds.
func setWall(t time.Time, by time.Duration) time.Time {
	const nanoseconds, flag = 30, 1 << 63
	parts := (*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&t))
	seconds := int64(parts.wall&^flag>>nanoseconds) + int64(by/time.Second)
	parts.wall = flag | uint64(seconds)<<nanoseconds | parts.wall&(1<<nanoseconds-1)
	return t
}

func TestStepClock(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Hour, -time.Hour, 0} {
		before := time.Now()
		after := setWall(before, by)
		if got := after.Sub(before); got != 0 {
			t.Errorf("a step by %v moves the monotonic reading by %v", by, got)
		}
		if got := after.Round(0).Sub(before.Round(0)); got != by {
			t.Errorf("a step by %v moves the wall by %v", by, got)
		}
	}
}
