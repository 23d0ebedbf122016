package event

import "time"

// ID names a kind of event. The text form is stable.
type ID string

// The events of a group.
const (
	// NodeRoleChanged tells that the role of this node changed; see [RoleChange].
	NodeRoleChanged ID = "NODE_ROLE_CHANGED"
	// PrimaryChanged tells that the record names another Primary; see [PrimaryChange].
	PrimaryChanged ID = "PRIMARY_CHANGED"
	// DNSConnectionChanged tells that the store became reachable or unreachable; see [DNSConnectionChange].
	DNSConnectionChanged ID = "DNS_CONNECTION_CHANGED"
	// HeartbeatMethodChanged tells that heartbeats go another way; see [HeartbeatMethodChange].
	HeartbeatMethodChanged ID = "HEARTBEAT_METHOD_CHANGED"
	// HeartbeatLost tells that the Primary was not heard over either channel for 1.5 report intervals and W/15; see [HeartbeatLoss].
	HeartbeatLost ID = "HEARTBEAT_LOST"
	// HeartbeatRestored tells that the Primary is heard again; see [HeartbeatReturn].
	HeartbeatRestored ID = "HEARTBEAT_RESTORED"
	// AuthorityAtRisk tells that a Primary has failed to extend its authority for a while; see [AuthorityRisk].
	AuthorityAtRisk ID = "AUTHORITY_AT_RISK"
	// MembersChanged tells that the list of members changed; see [MembersChange].
	MembersChanged ID = "MEMBERS_CHANGED"
	// ConfigurationChanged tells that group-wide settings changed; see [ConfigurationChange].
	ConfigurationChanged ID = "CONFIGURATION_CHANGED"
	// PauseChanged tells that automatic takeover was paused or resumed; see [PauseChange].
	PauseChanged ID = "PAUSE_CHANGED"
	// HealthChanged tells that this node's own health changed; see [HealthChange].
	HealthChanged ID = "HEALTH_CHANGED"
	// FailoverFinished tells how a failover of this node ended; see [FailoverResult].
	FailoverFinished ID = "FAILOVER_FINISHED"
	// ConflictDetected tells of something that must not be: a second run of an ID, an ID at two addresses, two records
	// or one that cannot be used, addresses of others at the name of a new group; see [Conflict]. A record of another group in
	// place of this one is told by NodeRoleChanged: the Primary is superseded, and each node is in no group, since it was removed.
	ConflictDetected ID = "CONFLICT_DETECTED"
	// HostRecordRepaired tells that the Primary has read a host record that somebody else had changed, and sets it again; see
	// [HostRecordRepair]. Each renewal sets it without reading it first, so a change that it undoes is told by nobody.
	HostRecordRepaired ID = "HOST_RECORD_REPAIRED"
	// ClockSkewDetected tells that a clock differs so much that signatures may soon be refused; see [ClockSkew].
	ClockSkewDetected ID = "CLOCK_SKEW_DETECTED"
	// Any stands for every event in Subscribe. No event has this ID.
	Any ID = "ANY"
)

// IDs returns every ID an event can have, in the order of the constants; Any
// is not among them.
func IDs() []ID {
	return []ID{
		NodeRoleChanged, PrimaryChanged, DNSConnectionChanged, HeartbeatMethodChanged,
		HeartbeatLost, HeartbeatRestored, AuthorityAtRisk, MembersChanged, ConfigurationChanged,
		PauseChanged, HealthChanged, FailoverFinished, ConflictDetected, HostRecordRepaired, ClockSkewDetected,
	}
}

// Event is one of the event structs of this package. It is sealed: no type
// outside the package is an Event.
//
//sumtype:decl
type Event interface {
	// Meta returns what all events have in common.
	Meta() Header
	eventID() ID
}

// Header is what all events have in common.
type Header struct {
	// ID is the kind of event.
	ID ID `json:"id"`
	// Seq numbers the events of one run of a node, from 1.
	Seq uint64 `json:"seq"`
	// At is the wall time of the node at the event. It is for people.
	At time.Time `json:"at"`
	// Group is the FQDN of the group, in lower case and without a final dot.
	Group string `json:"group"`
	// Node is the ID of the node that tells the event.
	Node string `json:"node"`
	// Term is the highest term the node knew of.
	Term uint64 `json:"term"`
}

// Meta returns the header itself.
func (h Header) Meta() Header { return h }

// RoleChange is the event of [NodeRoleChanged].
type RoleChange struct {
	Header
	// Previous is the role before; empty in the first event a subscriber hears.
	Previous Role `json:"previous"`
	// New is the role from now on.
	New Role `json:"new"`
	// Cause tells why.
	Cause Cause `json:"cause"`
}

// PrimaryChange is the event of [PrimaryChanged].
type PrimaryChange struct {
	Header
	// Previous is the ID of the Primary before, empty if there was none.
	Previous string `json:"previous"`
	// New is the ID of the Primary from now on, empty if there is none.
	New string `json:"new"`
}

// DNSConnectionChange is the event of [DNSConnectionChanged].
type DNSConnectionChange struct {
	Header
	// Previous and New are the states before and from now on.
	Previous DNSConnectionState `json:"previous"`
	New      DNSConnectionState `json:"new"`
	// Problem is the error of the store in words, empty if it works.
	Problem string `json:"problem,omitempty"`
}

// HeartbeatMethodChange is the event of [HeartbeatMethodChanged].
type HeartbeatMethodChange struct {
	Header
	// Previous and New are the channels before and from now on.
	Previous HeartbeatMethod `json:"previous"`
	New      HeartbeatMethod `json:"new"`
}

// HeartbeatLoss is the event of [HeartbeatLost].
type HeartbeatLoss struct {
	Header
	// Peer is the ID of the Primary that is not heard.
	Peer string `json:"peer"`
	// Last is when it was heard last, over either channel.
	Last time.Time `json:"last"`
}

// HeartbeatReturn is the event of [HeartbeatRestored].
type HeartbeatReturn struct {
	Header
	// Peer is the ID of the Primary that is heard again.
	Peer string `json:"peer"`
	// Last is when it was heard last before.
	Last time.Time `json:"last"`
}

// AuthorityRisk is the event of [AuthorityAtRisk].
type AuthorityRisk struct {
	Header
	// Until is when the node will stop being Primary if nothing extends its authority.
	Until time.Time `json:"until"`
}

// MembersChange is the event of [MembersChanged].
type MembersChange struct {
	Header
	// Members are the IDs of the confirmed members, sorted.
	Members []string `json:"members"`
	// Joining are the IDs of members that the Primary has yet to confirm, sorted.
	Joining []string `json:"joining,omitempty"`
}

// ConfigurationChange is the event of [ConfigurationChanged].
type ConfigurationChange struct {
	Header
	// Fields are the JSON keys of the settings that changed, sorted.
	Fields []string `json:"fields"`
}

// PauseChange is the event of [PauseChanged].
type PauseChange struct {
	Header
	// Paused tells whether automatic takeover is off from now on.
	Paused bool `json:"paused"`
}

// HealthChange is the event of [HealthChanged].
type HealthChange struct {
	Header
	// Healthy tells what the host's health check says from now on.
	Healthy bool `json:"healthy"`
	// Problem is the error of the check in words, empty if healthy.
	Problem string `json:"problem,omitempty"`
}

// FailoverResult is the event of [FailoverFinished].
type FailoverResult struct {
	Header
	// From is the ID of the Primary before, To the ID of the one that was to follow.
	From string `json:"from"`
	To   string `json:"to"`
	// Cause is CauseHandover, CauseForced, CausePrimaryLost, ….
	Cause Cause `json:"cause"`
	// Reason is what the operator gave for a forced failover.
	Reason string `json:"reason,omitempty"`
	// Problem tells why it failed, empty if it succeeded.
	Problem string `json:"problem,omitempty"`
}

// Conflict is the event of [ConflictDetected].
type Conflict struct {
	Header
	// Problem says what was found and what to do about it.
	Problem string `json:"problem"`
}

// HostRecordRepair is the event of [HostRecordRepaired].
type HostRecordRepair struct {
	Header
	// Found are the addresses that were found, sorted.
	Found []string `json:"found"`
	// Set are the addresses that were written, sorted.
	Set []string `json:"set"`
}

// ClockSkew is the event of [ClockSkewDetected].
type ClockSkew struct {
	Header
	// Peer is the server or node whose clock differs.
	Peer string `json:"peer"`
	// Ahead is how far that clock is ahead of ours; negative if it is behind. JSON: nanoseconds.
	Ahead time.Duration `json:"ahead"`
}

func (RoleChange) eventID() ID            { return NodeRoleChanged }
func (PrimaryChange) eventID() ID         { return PrimaryChanged }
func (DNSConnectionChange) eventID() ID   { return DNSConnectionChanged }
func (HeartbeatMethodChange) eventID() ID { return HeartbeatMethodChanged }
func (HeartbeatLoss) eventID() ID         { return HeartbeatLost }
func (HeartbeatReturn) eventID() ID       { return HeartbeatRestored }
func (AuthorityRisk) eventID() ID         { return AuthorityAtRisk }
func (MembersChange) eventID() ID         { return MembersChanged }
func (ConfigurationChange) eventID() ID   { return ConfigurationChanged }
func (PauseChange) eventID() ID           { return PauseChanged }
func (HealthChange) eventID() ID          { return HealthChanged }
func (FailoverResult) eventID() ID        { return FailoverFinished }
func (Conflict) eventID() ID              { return ConflictDetected }
func (HostRecordRepair) eventID() ID      { return HostRecordRepaired }
func (ClockSkew) eventID() ID             { return ClockSkewDetected }
