package failover

import (
	"testing"
	"time"
)

// The reading of a clock, at a wall time and a monotonic time of their own.
func at(wall, mono time.Duration) time.Time {
	return reading(time.Unix(1_800_000_000, 0).Add(wall), mono)
}

func TestClock(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wall, mono []time.Duration
		hold, wait time.Duration
	}{
		"both run":                {[]time.Duration{0, 5, 9}, []time.Duration{0, 5, 9}, 9, 9},
		"set forward":             {[]time.Duration{0, 3605}, []time.Duration{0, 5}, 3605, 5},
		"set back":                {[]time.Duration{0, -3595, -3591}, []time.Duration{0, 5, 9}, 9, 9},
		"forward and back":        {[]time.Duration{0, 3605, 9}, []time.Duration{0, 5, 9}, 3609, 9},
		"suspended":               {[]time.Duration{0, 105, 110}, []time.Duration{0, 5, 10}, 110, 10},
		"monotonic goes back":     {[]time.Duration{0, 5, 5}, []time.Duration{0, 5, 3}, 5, 5},
		"both go back":            {[]time.Duration{0, 5, 2, 6}, []time.Duration{0, 5, 3, 7}, 9, 9},
		"the larger at each step": {[]time.Duration{0, 9, 10}, []time.Duration{0, 5, 15}, 19, 15},
		"one reading":             {[]time.Duration{77}, []time.Duration{55}, 0, 0},
	} {
		var c Clock
		var got Now
		for i := range tt.wall {
			ahead := c.Ahead(at(tt.wall[i], tt.mono[i]))
			got = c.Read(at(tt.wall[i], tt.mono[i]))
			wants(t, name+": Ahead", ahead, got)
		}
		wants(t, name+": hold", got.Hold, tt.hold)
		wants(t, name+": wait", got.Wait, tt.wait)
		last := len(tt.wall) - 1
		wants(t, name+": wall", got.Wall, at(tt.wall[last], 0).Round(0))
	}
}

// A reading without a monotonic part, as a virtual clock gives, is the wall
// time for both.
func TestClock_WithoutMonotonicReading(t *testing.T) {
	t.Parallel()
	var c Clock
	c.Read(time.Unix(100, 0))
	n := c.Read(time.Unix(107, 0))
	wants(t, "hold", n.Hold, 7*time.Second)
	wants(t, "wait", n.Wait, 7*time.Second)
}

// What a reader has seen is not taken back.
func TestClock_Push(t *testing.T) {
	t.Parallel()
	var c Clock
	c.Read(at(0, 0))
	c.Push(50)
	wants(t, "hold", c.Ahead(at(5, 5)).Hold, 55)
	c.Push(3)
	wants(t, "hold", c.Read(at(5, 5)).Hold, 55)
	wants(t, "wait", c.Read(at(5, 5)).Wait, 5)
}

func TestTiming(t *testing.T) {
	t.Parallel()
	m := testTiming(time.Minute)
	for name, tt := range map[string]struct{ got, want time.Duration }{
		"L":           {m.Lease(), 45 * time.Second},
		"δ":           {m.StopBudget(), 4500 * time.Millisecond},
		"U":           {m.Attempt(), 4 * time.Second},
		"b":           {m.BackOff(), time.Second},
		"stagger":     {m.Stagger(), 4 * time.Second},
		"alarm after": {m.alarmAfter(), 30 * time.Second},
		"alarm every": {m.alarmEvery(), 2 * time.Second},
		"lost after":  {m.lostAfter(), 34 * time.Second},
		"operation":   {m.opBudget(), m.Attempt() / 3 * 2},
		"patience":    {m.patience(), 28500 * time.Millisecond},
	} {
		wants(t, name, tt.got, tt.want)
	}
	m.C = time.Second
	wants(t, "alarm every, with a short C", m.alarmEvery(), time.Second)
}

// With clocks that are off by a tenth, the Primary has stopped, and its stop
// budget is over twice, before anyone takes over.
func TestTiming_Safety(t *testing.T) {
	t.Parallel()
	const rho = 0.1
	for _, w := range []time.Duration{
		time.Millisecond, 500 * time.Millisecond, 501 * time.Millisecond, time.Second, 5 * time.Second, time.Minute, time.Hour, 24 * time.Hour,
	} {
		m := testTiming(w)
		l, d := float64(m.Lease()), float64(m.StopBudget())
		if stopped, starts := l/(1-rho)+d, float64(w)/(1+rho); stopped > starts {
			t.Errorf("W = %v: stopped after %v, the other starts after %v", w, time.Duration(stopped), time.Duration(starts))
		}
		// A renewal and three attempts to confirm it fit before the stop.
		m.R = w * 44 / 100
		if need := m.R + 3*m.Attempt() + 2*m.BackOff(); need > m.Lease()-m.StopBudget() {
			t.Errorf("W = %v: an R of 0.44·W needs %v of %v", w, need, m.Lease()-m.StopBudget())
		}
	}
}

// The tests run without slack, too, where a small fault has no margin to hide
// in.
func TestTiming_Tight(t *testing.T) {
	t.Parallel()
	m := testTiming(time.Minute)
	m.tight = true
	wants(t, "L", m.Lease(), time.Minute)
	wants(t, "δ", m.StopBudget(), 0)
	wants(t, "a promise", m.counted(time.Hour), time.Hour)
}
