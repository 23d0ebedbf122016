package availability

import (
	"encoding/json"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// NodeState is what a node knows about itself at one instant.
type NodeState struct {
	// NodeRole is the role now. It is primary only while the record names
	// this node and its authority is running, compared with the clock when
	// the state was asked for.
	NodeRole event.Role
	// NodeDNSConnectionState tells whether the store answers.
	NodeDNSConnectionState event.DNSConnectionState
	// HeartbeatMethod is the way the last heartbeat went or came, empty if
	// there was none.
	HeartbeatMethod event.HeartbeatMethod
	// LastHeartbeatTime is the time of the last heartbeat of the Primary, by
	// this node's clock; zero if there was none.
	LastHeartbeatTime time.Time
	// LastUpdated is when this node last checked for a heartbeat; zero if it
	// never did.
	LastUpdated time.Time
	// NodeID and PrimaryID are the IDs of this node and of the Primary, empty
	// if there is none.
	NodeID, PrimaryID string
	// Term is the highest term the node knows of, 0 if none.
	Term uint64
	// AuthorityUntil is when the node stops being Primary if nothing extends
	// its authority; zero unless it is Primary.
	AuthorityUntil time.Time
	// Paused: the group has no automatic takeover at present. Healthy: what
	// the host's health check says.
	Paused, Healthy bool
}

// isoLayout writes whole seconds, and the offset of UTC as +00:00, not Z.
const isoLayout = "2006-01-02T15:04:05-07:00"

// MarshalJSON writes the five keys of BlueCat Gateway's API first, then ours.
// Times are whole seconds of UTC; what there is none of is null.
func (s NodeState) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		HeartbeatMethod        *event.HeartbeatMethod    `json:"heartbeat_method"`
		LastHeartbeatTime      *string                   `json:"last_heartbeat_time"`
		LastUpdated            *string                   `json:"last_updated"`
		NodeDNSConnectionState *event.DNSConnectionState `json:"node_dns_connection_state"`
		NodeRole               *event.Role               `json:"node_role"`
		NodeID                 *string                   `json:"node_id"`
		PrimaryID              *string                   `json:"primary_id"`
		Term                   *uint64                   `json:"term"`
		AuthorityUntil         *string                   `json:"authority_until"`
		Paused                 bool                      `json:"paused"`
		Healthy                bool                      `json:"healthy"`
	}{
		orNull(s.HeartbeatMethod), isoTime(s.LastHeartbeatTime), isoTime(s.LastUpdated),
		orNull(s.NodeDNSConnectionState), orNull(s.NodeRole), orNull(s.NodeID), orNull(s.PrimaryID),
		orNull(s.Term), isoTime(s.AuthorityUntil), s.Paused, s.Healthy,
	})
}

func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func isoTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(isoLayout))
}
