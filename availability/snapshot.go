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

// expire makes what a reader has seen true for all: the authority is over, and
// a wall clock that is set back does not revive it.
func (g *Group) expire(s *snapshot) {
	s.lapsed.Store(true)
	select {
	case g.nudge <- struct{}{}:
	default:
	}
}
