package failover

import (
	"fmt"
	"time"
)

// Now is one reading of a node's clocks, taken after the input it comes with
// was taken (protocol, times).
type Now struct {
	// Hold measures our own authority: it never falls behind real time by
	// more than the clock's rate, also across a suspension.
	Hold time.Duration
	// Wait is monotonic and measures what others may do to us: a suspension
	// only makes it late.
	Wait time.Duration
	// Wall is for people and for the floor of new terms; nothing else.
	Wall time.Time
}

// Clock turns readings of a system's clocks into Hold and Wait. The zero value
// is ready; it is not safe for concurrent use.
type Clock struct {
	started bool
	last    time.Time
	now     Now
}

// Read takes t, a reading of the system's clock, and returns the pair for it.
// Wait advances by the monotonic difference, Hold by the larger of the
// monotonic and the wall difference, neither ever backwards.
func (c *Clock) Read(t time.Time) Now {
	c.now = c.Ahead(t)
	c.started, c.last = true, t
	return c.now
}

// Ahead returns what Read would, and changes nothing.
func (c *Clock) Ahead(t time.Time) Now {
	n := c.now
	n.Wall = t.Round(0)
	if !c.started {
		return n
	}
	mono := max(0, t.Sub(c.last))
	wall := max(0, t.Round(0).Sub(c.last.Round(0)))
	n.Wait += mono
	n.Hold += max(mono, wall)
	return n
}

// Push moves Hold forward to at least hold: a reader of the clock has already
// seen that instant.
func (c *Clock) Push(hold time.Duration) { c.now.Hold = max(c.now.Hold, hold) }

// Timing is what the record says about time, and all that follows from it.
type Timing struct {
	W   time.Duration // allowed absence
	R   time.Duration // report interval
	C   time.Duration // check interval
	TTL time.Duration // of the records

	tight bool // tests only: no slack between L and W, which hides small faults
}

// The derived times of the protocol's section 2.

// Lease is how long a confirmed renewal or a full set of promises lasts: 0.75·W.
func (t Timing) Lease() time.Duration { return t.counted(t.W) }

// counted is what a promise of that length is worth: 0.75 of it.
func (t Timing) counted(length time.Duration) time.Duration {
	if t.tight {
		return length
	}
	return length / 4 * 3
}

// StopBudget is how long before its authority ends a Primary stops: 0.075·W.
func (t Timing) StopBudget() time.Duration { return t.spare(t.Lease()) }

// spare is the stop budget of an authority of that length: a tenth of it.
func (t Timing) spare(length time.Duration) time.Duration {
	if t.tight {
		return 0
	}
	return length / 10
}

// Attempt is the budget of one whole attempt, its read-back included: W/15.
func (t Timing) Attempt() time.Duration { return t.W / 15 }

// BackOff is the pause after a failed attempt: W/60.
func (t Timing) BackOff() time.Duration { return t.W / 60 }

// Stagger is what one rank waits longer than the next better one: max(W/20, U).
func (t Timing) Stagger() time.Duration { return max(t.W/20, t.Attempt()) }

// patience is how long a verb may take that another node carries out: to ask
// two targets, to stop, to write, and for the target to take the role.
func (t Timing) patience() time.Duration { return t.StopBudget() + 6*t.Attempt() }

// alarmAfter is the silence of the direct channel that makes a member read the
// record often, alarmEvery how often.
func (t Timing) alarmAfter() time.Duration { return t.R + t.R/2 }
func (t Timing) alarmEvery() time.Duration { return min(t.C, t.W/30) }

// lostAfter is the silence of both channels that counts as a lost heartbeat:
// the alarm, and two of the reads that it brings.
func (t Timing) lostAfter() time.Duration { return t.alarmAfter() + t.W/15 }

// The limits of the intervals.
const (
	MinAllowedAbsence = 500 * time.Millisecond
	MaxAllowedAbsence = 24 * time.Hour
	MinInterval       = 10 * time.Millisecond
)

// LongestReport is the longest R that W allows, from R + 3·U + 2·b ≤ L − δ: a
// report, and three attempts with two pauses to confirm it, before the Primary
// has to stop.
func (t Timing) LongestReport() time.Duration {
	return t.Lease() - t.StopBudget() - 3*t.Attempt() - 2*t.BackOff()
}

// mistake is what is wrong with the timings of a group, nothing if they are
// right. A node that asks for new ones has checked them against those it knew.
func (t Timing) mistake() string {
	switch {
	case t.tight:
	case t.W < MinAllowedAbsence || t.W > MaxAllowedAbsence:
		return fmt.Sprintf("an allowed_absence_interval of %v is not from %v to %v", t.W, MinAllowedAbsence, MaxAllowedAbsence)
	case t.R < MinInterval || t.R > t.LongestReport():
		return fmt.Sprintf("a health_report_interval of %v is not from %v to %v, which an allowed_absence_interval of %v asks for",
			t.R, MinInterval, t.LongestReport().Truncate(time.Millisecond), t.W)
	case t.C < MinInterval || t.C > t.W:
		return fmt.Sprintf("a health_check_interval of %v is not from %v to the allowed_absence_interval of %v", t.C, MinInterval, t.W)
	case t.TTL < 0 || t.TTL > t.W:
		return fmt.Sprintf("a group_fqdn_ttl of %v is not at most the allowed_absence_interval of %v", t.TTL, t.W)
	}
	return ""
}

// opBudget is the time one store operation gets, so that an update and its
// read-back fit into one attempt.
func (t Timing) opBudget() time.Duration { return t.Attempt() / 3 * 2 }
