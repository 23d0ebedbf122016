package agtest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/event"
)

// near compares two durations of clocks whose rates are rounded.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if (got - want).Abs() > time.Microsecond {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// A step moves the wall clock and nothing else, in a bubble and outside.
func TestNode_StepClock(t *testing.T) {
	steps := func(t *testing.T) {
		var clocks [2]clock.Clock
		c := agtest.New(t, 2, func(i int, c *availability.Config) { clocks[i] = c.Clock })
		sum := time.Duration(0)
		for _, by := range []time.Duration{
			time.Hour, -90*time.Minute - time.Nanosecond, 1500 * time.Millisecond, -999999999, 100 * 365 * 24 * time.Hour,
			-200 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour,
		} {
			began, before := time.Now(), clocks[1].Now()
			c.Node(1).StepClock(by)
			after, other := clocks[1].Now(), clocks[0].Now()
			took := time.Since(began)
			sum += by
			for what, moved := range map[string]time.Duration{
				"monotonic clock":     after.Sub(before),
				"wall clock":          after.Round(0).Sub(before.Round(0)) - by,
				"wall clock, summed,": after.Round(0).Sub(began.Round(0)) - sum,
				"other node's clock":  other.Sub(began),
				"other node's wall":   other.Round(0).Sub(began.Round(0)),
			} {
				if moved < 0 || moved > took {
					t.Errorf("in a step by %v that took %v the %s has moved by %v", by, took, what, moved)
				}
			}
		}
	}
	t.Run("bubble", func(t *testing.T) { bubble(t, steps) })
	t.Run("real time", func(t *testing.T) {
		t.Parallel()
		steps(t)
	})
}

// A clock that was stepped runs on at its rate, and its timers do not notice.
func TestNode_StepClockRunsOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var own clock.Clock
		c := agtest.New(t, 1, func(_ int, c *availability.Config) { own = c.Clock })
		c.Node(0).StepClock(-time.Hour)
		c.Node(0).Skew(1.1)
		before, began := own.Now(), time.Now()
		timer := own.Timer(11 * time.Second)
		c.Node(0).StepClock(time.Hour)
		<-timer.C
		near(t, "real time", time.Since(began), 10*time.Second)
		near(t, "its monotonic time", own.Now().Sub(before), 11*time.Second)
		near(t, "its wall time", own.Now().Round(0).Sub(before.Round(0)), time.Hour+11*time.Second)
	})
}

// A Primary whose wall clock is set forward stops: it might have been
// suspended. It takes the role back with one write, in a new term; the
// Secondary has no part in it.
func TestNode_StepClockForward(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2, slow)
		pass(10 * time.Minute)
		roles, others := hear[event.RoleChange](c, 0), hear[event.RoleChange](c, 1)
		skews := hear[event.ClockSkew](c, 0)
		roles() // the present one is heard
		term, made := c.Group(0).GetNodeState().Term, c.Node(0).Store().Calls().Made
		c.Node(0).StepClock(2 * time.Minute)
		if c.Group(0).IsPrimary() {
			t.Error("a is Primary after its clock was set forward beyond its authority")
		}
		began := time.Now()
		c.AwaitRole(t.Context(), 0, event.RolePrimary)
		if took := time.Since(began); took > time.Minute/40 {
			t.Errorf("it took %v", took)
		}
		if writes := c.Node(0).Store().Calls().Made - made; writes != 1 {
			t.Errorf("it took %d writes, want 1", writes)
		}
		got := changes(roles)
		if len(got) != 2 || got[0].Cause != event.CauseLeaseLost || got[1].New != event.RolePrimary || got[1].Term <= term {
			t.Errorf("a has become %+v, want a loss of the lease, and primary in a term after %d", got, term)
		}
		pass(10 * time.Minute)
		if got := changes(others); len(got) > 0 {
			t.Errorf("b has become %+v", got)
		}
		wantSkew(t, skews(), -2*time.Minute)
	})
}

// wantSkew wants one event that tells of the server's clock.
func wantSkew(t *testing.T, skews []event.ClockSkew, ahead time.Duration) {
	t.Helper()
	if len(skews) != 1 {
		t.Errorf("skews: %+v, want one", skews)
		return
	}
	near(t, "how far the server is ahead", skews[0].Ahead, ahead)
}

// Whatever else is done to a wall clock changes no role.
func TestNode_StepClockChangesNoRole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		node int
		by   time.Duration
	}{
		"Primary back":           {0, -time.Hour},
		"Primary back a little":  {0, -time.Second},
		"Primary forward within": {0, time.Second},
		"Secondary forward":      {1, time.Hour},
		"Secondary back":         {1, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := agtest.New(t, 2)
				pass(w)
				a, b, skews := hear[event.RoleChange](c, 0), hear[event.RoleChange](c, 1), hear[event.ClockSkew](c, tt.node)
				c.Node(tt.node).StepClock(tt.by)
				pass(10 * w)
				if a, b := changes(a), changes(b); len(a) > 0 || len(b) > 0 {
					t.Errorf("a has become %+v, b %+v", a, b)
				}
				if tt.by.Abs() > time.Minute {
					wantSkew(t, skews(), -tt.by)
				} else if got := skews(); len(got) > 0 {
					t.Errorf("skews: %+v, want none", got)
				}
			})
		})
	}
}

// A wall clock that is set forward makes no takeover earlier.
func TestNode_StepClockHurriesNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		pass(w)
		c.Node(0).Kill()
		synctest.Wait()
		quiet := c.Group(1).GetNodeState().LastHeartbeatTime
		c.Node(1).StepClock(time.Hour)
		e := becomes(t, c, 1)
		if took := time.Since(quiet); took != w {
			t.Errorf("b has taken over after %v, want %v", took, w)
		}
		if took := e.At.Sub(quiet); took != w+time.Hour {
			t.Errorf("by its own wall clock it was after %v, want %v", took, w+time.Hour)
		}
	})
}

// Within the promised rates the group goes on; times that a node reads and
// waits for are by its own clock.
func TestNode_Skew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var clocks [2]clock.Clock
		c := agtest.New(t, 2, func(i int, c *availability.Config) { clocks[i] = c.Clock })
		for _, tt := range []struct {
			rate float64
			want time.Duration
		}{{0.9, 54 * time.Second}, {1.1, 66 * time.Second}, {1, time.Minute}, {2, 2 * time.Minute}} {
			c.Node(1).Skew(tt.rate)
			start, began, other := time.Now(), clocks[1].Now(), clocks[0].Now()
			<-clocks[1].Timer(tt.want).C
			near(t, "its timer", time.Since(start), time.Minute)
			near(t, "its clock", clocks[1].Now().Sub(began), tt.want)
			near(t, "its wall clock", clocks[1].Now().Round(0).Sub(began.Round(0)), tt.want)
			near(t, "the other's clock", clocks[0].Now().Sub(other), time.Minute)
			wantPrimary(t, c, 0)
		}
	})
}

// The group's own times follow the clock: the failover period is that of the
// Secondary.
func TestNode_SkewMovesTheFailover(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.5, 0.9, 1.1, 2} {
		synctest.Test(t, func(t *testing.T) {
			var own clock.Clock
			c := agtest.New(t, 2, func(_ int, c *availability.Config) { own = c.Clock })
			c.Node(1).Skew(rate)
			pass(w)
			c.Node(0).Kill()
			synctest.Wait()
			killed, quiet := time.Now(), own.Now().Round(0).Sub(c.Group(1).GetNodeState().LastHeartbeatTime)
			becomes(t, c, 1)
			want := time.Duration(float64(w-quiet) / rate)
			near(t, fmt.Sprintf("the rest of the failover period at a rate of %v", rate), time.Since(killed), want)
		})
	}
}

// A clock that runs wrong is noticed when it is a minute off.
func TestNode_SkewIsDetected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		skews := hear[event.ClockSkew](c, 1)
		c.Node(1).Skew(0.9)
		pass(599 * time.Second)
		if got := skews(); len(got) > 0 {
			t.Errorf("skews: %+v, want none yet", got)
		}
		pass(5 * time.Second)
		if got := skews(); len(got) != 1 || got[0].Ahead < time.Minute || got[0].Ahead > time.Minute+time.Second {
			t.Errorf("skews: %+v, want one of a minute", got)
		}
	})
}
