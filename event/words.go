package event

// Role is the part a node plays in its group. The text forms are those of
// BlueCat's API.
type Role string

// The roles.
const (
	// RolePrimary: the record names this node in this term, and its authority is running.
	RolePrimary Role = "primary"
	// RoleSecondary: a member of the group that is not Primary.
	RoleSecondary Role = "secondary"
	// RoleNotInGroup: no member of a group, as far as this node knows.
	RoleNotInGroup Role = "not_in_group"
)

// DNSConnectionState tells whether the group's store answers.
type DNSConnectionState string

// The states of the connection to the store.
const (
	// DNSConnected: the last operation was answered.
	DNSConnected DNSConnectionState = "connected"
	// DNSDisconnected: the last operation was not answered, or refused for a reason that retrying does not mend.
	DNSDisconnected DNSConnectionState = "disconnected"
	// DNSNotApplicable: the node is in no group.
	DNSNotApplicable DNSConnectionState = "not_applicable"
)

// HeartbeatMethod tells which way heartbeats go.
type HeartbeatMethod string

// The channels of heartbeats.
const (
	// HeartbeatDirect: from node to node, over the transport.
	HeartbeatDirect HeartbeatMethod = "direct"
	// HeartbeatDNS: through the record in the store only.
	HeartbeatDNS HeartbeatMethod = "dns"
)

// Cause tells why something changed.
type Cause string

// The causes of changes.
const (
	// CauseStarted: the node started and learned its role from the record.
	CauseStarted Cause = "started"
	// CauseCreated: the node created the group.
	CauseCreated Cause = "created"
	// CauseJoined: the node joined the group.
	CauseJoined Cause = "joined"
	// CauseLeft: the node left the group.
	CauseLeft Cause = "left"
	// CauseRemoved: the node was removed from the group.
	CauseRemoved Cause = "removed"
	// CauseDissolved: the group was dissolved.
	CauseDissolved Cause = "dissolved"
	// CauseRemovedFromDNS: somebody deleted the record of the group.
	CauseRemovedFromDNS Cause = "removed_from_dns"
	// CauseLeaseLost: the Primary could not extend its authority in time.
	CauseLeaseLost Cause = "lease_lost"
	// CauseSuperseded: the record names another Primary, or another term.
	CauseSuperseded Cause = "superseded"
	// CausePrimaryLost: the Primary was not heard for the failover period.
	CausePrimaryLost Cause = "primary_lost"
	// CauseHandover: a planned failover.
	CauseHandover Cause = "handover"
	// CauseReleased: the Primary gave the role up without naming a successor.
	CauseReleased Cause = "released"
	// CauseReclaimed: a node that the record still named took the role again.
	CauseReclaimed Cause = "reclaimed"
	// CauseForced: an operator forced the failover.
	CauseForced Cause = "forced"
	// CauseUnhealthy: the host's health check failed on the Primary.
	CauseUnhealthy Cause = "unhealthy"
	// CauseVetoed: the host's BeforePromote hook refused the role.
	CauseVetoed Cause = "vetoed"
	// CauseFailback: the Primary handed the role back to a preferred node.
	CauseFailback Cause = "failback"
	// CauseShutdown: the node is stopping.
	CauseShutdown Cause = "shutdown"
)
