package availability

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/internal/twoclocks"
)

// twoClocks is a clock whose wall time and monotonic time are set apart.
type twoClocks struct {
	clock.Clock
	wall, mono time.Duration
}

// Now is a reading of both; TestTwoClocks sees to it that it works.
func (c *twoClocks) Now() time.Time {
	t, _ := twoclocks.Reading(time.Unix(1_800_000_000, 0).Add(c.wall), c.mono)
	return t
}

func TestTwoClocks(t *testing.T) {
	t.Parallel()
	a, b := (&twoClocks{}).Now(), (&twoClocks{wall: time.Hour, mono: time.Second}).Now()
	if mono, wall := b.Sub(a), b.Round(0).Sub(a.Round(0)); mono != time.Second || wall != time.Hour {
		t.Errorf("differences are %v and %v, want 1s and 1h", mono, wall)
	}
}

// asked is a group without a driver that was Primary, with a minute left, when
// both clocks were at zero.
func asked() (*Group, *twoClocks) {
	c := &twoClocks{}
	g := &Group{cfg: Config{Clock: c}, nudge: make(chan struct{}, 1)}
	s := &snapshot{view: failover.View{Role: event.RolePrimary, Stop: time.Minute}}
	s.clock.Read(c.Now())
	g.snap.Store(s)
	return g, c
}

// Readers compare at each question, with the clock that runs on while the
// machine is suspended, and are Secondary from the stop on.
func TestReaders_CompareByTheHoldClock(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wall, mono time.Duration
		want       bool
	}{
		"at once":          {0, 0, true},
		"just before":      {time.Minute - 1, time.Minute - 1, true},
		"at the stop":      {time.Minute, time.Minute, false},
		"after a stop":     {time.Hour, time.Hour, false},
		"suspended":        {time.Hour, time.Second, false},
		"wall set forward": {time.Minute, 0, false},
		"wall set back":    {-time.Hour, time.Minute, false},
	} {
		g, c := asked()
		c.wall, c.mono = tt.wall, tt.mono
		if got := g.IsPrimary(); got != tt.want {
			t.Errorf("%s: IsPrimary = %t, want %t", name, got, tt.want)
		}
		g, c = asked()
		c.wall, c.mono = tt.wall, tt.mono
		if got := g.GetNodeState().NodeRole == event.RolePrimary; got != tt.want {
			t.Errorf("%s: GetNodeState says primary = %t, want %t", name, got, tt.want)
		}
		if told := len(g.nudge) == 1; told == tt.want {
			t.Errorf("%s: the driver was told = %t, want %t", name, told, !tt.want)
		}
	}
}

// What one reader has seen is so for all, and for the driver: a wall clock that
// is set back does not revive the role.
func TestReaders_TheEndIsFinal(t *testing.T) {
	t.Parallel()
	g, c := asked()
	d := &driver{g: g, clock: g.snap.Load().clock}
	c.wall = time.Minute
	if g.IsPrimary() {
		t.Fatal("Primary at its stop")
	}
	c.wall = 0
	if g.IsPrimary() || g.GetNodeState().NodeRole == event.RolePrimary {
		t.Error("the role was revived")
	}
	if now := d.now(); now.Hold < time.Minute {
		t.Errorf("the driver's clock is at %v, its readers have seen %v", now.Hold, time.Minute)
	}
}

// A term that a reader has seen the end of has ended, also if a step that was
// under way extends it.
func TestReaders_TheEndOutlivesAStep(t *testing.T) {
	t.Parallel()
	g, c := asked()
	at := func(term uint64, stop time.Duration) *snapshot {
		s := &snapshot{view: failover.View{Role: event.RolePrimary, Stop: stop, Record: record.Record{Term: term}}}
		s.clock = g.snap.Load().clock
		return s
	}
	g.show(at(7, time.Minute))
	if !g.holds(7) || g.holds(8) {
		t.Error("term 7 is not held before its end, or term 8 is")
	}
	c.wall, c.mono = time.Minute, time.Minute
	if g.holds(7) {
		t.Error("term 7 is held at its end")
	}
	g.show(at(7, time.Hour))
	if g.holds(7) || g.IsPrimary() {
		t.Error("term 7 was revived by a step")
	}
	g.show(at(8, time.Hour))
	if !g.holds(8) {
		t.Error("term 8 is not held")
	}
}

// Who holds authority reads the clocks often, and when it ends.
func TestSnapshot_Nap(t *testing.T) {
	t.Parallel()
	const w = 40 * time.Second
	for name, tt := range map[string]struct {
		view   failover.View
		lapsed bool
		want   time.Duration
	}{
		"Primary":          {view: failover.View{Role: event.RolePrimary, Stop: w}, want: time.Second},
		"soon at its stop": {view: failover.View{Role: event.RolePrimary, Stop: time.Millisecond}, want: time.Millisecond},
		"at its stop":      {view: failover.View{Role: event.RolePrimary}, want: 1},
		"seen at its stop": {view: failover.View{Role: event.RolePrimary, Stop: w}, lapsed: true, want: 1},
		"the host is asked": {
			view: failover.View{Role: event.RoleSecondary, Holding: true, Stop: w}, want: time.Second,
		},
		"Secondary": {view: failover.View{Role: event.RoleSecondary}},
	} {
		_, c := asked()
		tt.view.Record.AllowedAbsence = w
		s := &snapshot{view: tt.view}
		s.clock.Read(c.Now())
		s.lapsed.Store(tt.lapsed)
		if got := s.nap(c.Now()); got != tt.want {
			t.Errorf("%s: nap = %v, want %v", name, got, tt.want)
		}
	}
}
