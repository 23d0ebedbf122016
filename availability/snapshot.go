package availability

import (
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// snapshot is what the driver knew after its last step. It is immutable but
// for lapsed, which only ever becomes true.
type snapshot struct {
	view   failover.View
	clock  failover.Clock
	node   string
	lapsed atomic.Bool
}

// left is the authority that is left at t, and whether there is any.
func (s *snapshot) left(t time.Time) (time.Duration, bool) {
	if s.view.Role != event.RolePrimary || s.lapsed.Load() {
		return 0, false
	}
	left := s.view.Stop - s.clock.Ahead(t).Hold
	return left, left > 0
}

// GetNodeState returns the state of this node. It never blocks and never
// allocates. The role is compared with the clock at each call: a process that
// was stopped beyond its authority says secondary from its first answer on.
func (g *Group) GetNodeState() NodeState {
	s := g.snap.Load()
	v := &s.view
	n := NodeState{
		NodeRole: v.Role, NodeDNSConnectionState: v.DNS, HeartbeatMethod: v.Method,
		LastHeartbeatTime: v.LastHeartbeat, LastUpdated: v.LastUpdated,
		NodeID: s.node, Term: v.Term, Healthy: v.Healthy,
	}
	if v.InGroup {
		n.PrimaryID, n.Paused = v.Record.Primary, v.Record.Paused
	}
	if v.Role != event.RolePrimary {
		return n
	}
	t := g.cfg.Clock.Now()
	left, primary := s.left(t)
	if !primary {
		n.NodeRole = event.RoleSecondary
		g.expire(s)
		return n
	}
	n.AuthorityUntil = t.Round(0).Add(left)
	return n
}

// IsPrimary tells whether this node is Primary now. It is as good as
// [Group.GetNodeState]: compared with the clock at each call.
func (g *Group) IsPrimary() bool { return g.isPrimary(g.snap.Load()) }

func (g *Group) isPrimary(s *snapshot) bool {
	if s.view.Role != event.RolePrimary {
		return false
	}
	_, primary := s.left(g.cfg.Clock.Now())
	if !primary {
		g.expire(s)
	}
	return primary
}

// show makes s the present snapshot, and returns the term of the one before, 0 if
// that was not Primary. A term that a reader has seen the end of during the step
// has ended, whatever came of the step.
func (g *Group) show(s *snapshot) (was uint64) {
	before := g.snap.Swap(s)
	was = before.primaryTerm()
	if was != 0 && was == s.primaryTerm() && before.lapsed.Load() {
		g.expire(s)
	}
	return was
}

// holds tells whether this node is Primary in that term. False is final.
func (g *Group) holds(term uint64) bool {
	for {
		s := g.snap.Load()
		if s.primaryTerm() == term && g.isPrimary(s) {
			return true
		}
		if g.snap.Load() == s {
			return false
		}
	}
}

// lookout is how often a node looks whether its authority is over, as a part
// of W. What ends it early is seen by no timer: that the machine was suspended,
// and that the wall clock was set forward. The clocks are read as often, so that
// a wall clock that is set back hides a suspension for no longer.
const lookout = 40

// nap is how long a node that holds authority may wait before it looks again; 0:
// it holds none, and need not look.
func (s *snapshot) nap(t time.Time) time.Duration {
	every := max(s.view.Record.AllowedAbsence/lookout, time.Millisecond)
	switch {
	case s.view.Role == event.RolePrimary:
		left, _ := s.left(t)
		return min(max(left, 1), every)
	case s.view.Holding: // the host is asked
		return every
	}
	return 0
}

// expire makes what a reader has seen true for all: the authority is over, and
// a wall clock that is set back does not revive it.
func (g *Group) expire(s *snapshot) {
	s.lapsed.Store(true)
	select {
	case g.nudge <- struct{}{}:
	default:
	}
}
