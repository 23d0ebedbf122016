package failover

import (
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// View is what a host may know of a node at an instant. Its slices must not be
// changed.
type View struct {
	// Role as of the last step. A reader that finds Primary compares Stop with
	// the hold clock itself.
	Role event.Role
	// Stop is the instant on the hold clock at which a Primary stops.
	Stop time.Duration
	// Term is the highest term known.
	Term uint64
	// Holding: the authority is held, whether or not the role shows yet.
	Holding bool

	DNS                        event.DNSConnectionState
	Method                     event.HeartbeatMethod
	LastHeartbeat, LastUpdated time.Time
	Healthy                    bool
	// Cooling: the host has refused a promotion, and the node waits before it
	// tries again. It is that of the last step.
	Cooling bool

	// Joining: the record lists this node, and the Primary has yet to confirm it.
	Joining bool

	// Record is what is known of the record; InGroup tells whether this node
	// is in it.
	Record  record.Record
	Known   bool
	InGroup bool
	Problem string
}

// View returns what a host may know now.
func (m *Machine) View() View {
	v := View{
		Role: m.role, Term: m.term(), Holding: m.auth.held,
		DNS: m.dns, Method: m.method, LastHeartbeat: m.lastHeartbeat, LastUpdated: m.lastUpdated,
		Healthy: m.healthy, Cooling: m.cooling(), Known: m.known.seen.Found == Present, Problem: m.known.problem,
		InGroup: m.role != event.RoleNotInGroup, Joining: m.joining(),
	}
	if v.Known {
		v.Record = m.known.seen.Record
	}
	if m.auth.held {
		v.Stop, v.Record, v.Known = m.auth.stop, m.auth.base, true
	}
	return v
}
