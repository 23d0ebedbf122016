package failover

import (
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// Input is what a machine is told. Every effect is answered exactly once, by
// the input that carries its Op.
//
//sumtype:decl
type Input interface{ isInput() }

// Tick is the passing of time.
type Tick struct{}

// ReadDone answers [Read]. Problem is empty if the store answered.
type ReadDone struct {
	Op      uint64
	Seen    Observation
	Problem string
}

// WriteDone answers [Write]. Token is the RRset as it is after an applied write.
type WriteDone struct {
	Op      uint64
	End     End
	Token   string
	Problem string
}

// Received is a message of a peer; [Reply] with the same Conn answers it.
type Received struct {
	Conn    uint64
	From    string
	Message Message
}

// Answered answers [Send]. Problem is empty if the peer answered.
type Answered struct {
	Op      uint64
	From    string
	Message Message
	Problem string
}

// DemoteDone answers [Demote]: the host's work has stopped.
type DemoteDone struct{ Op uint64 }

// PromoteDone answers [Promote]. Veto is empty if the host agrees.
type PromoteDone struct {
	Op   uint64
	Veto string
}

// Do is a request of the host; [Finish] with the same ID answers it.
type Do struct {
	ID      uint64
	Request Request
}

// Forget withdraws a request: nobody waits for its end any more. What it asked
// may still come true.
type Forget struct{ ID uint64 }

// Look says that the record has changed, as somebody has seen: it is read.
type Look struct{}

// Health is the host's own health.
type Health struct {
	Healthy bool
	Problem string
}

// Skew is a measured difference of clocks.
type Skew struct {
	Peer  string
	Ahead time.Duration
}

// Stop asks for a clean end: hand over or release, then Done.
type Stop struct{}

func (Tick) isInput()        {}
func (ReadDone) isInput()    {}
func (WriteDone) isInput()   {}
func (Received) isInput()    {}
func (Answered) isInput()    {}
func (DemoteDone) isInput()  {}
func (PromoteDone) isInput() {}
func (Do) isInput()          {}
func (Forget) isInput()      {}
func (Look) isInput()        {}
func (Health) isInput()      {}
func (Skew) isInput()        {}
func (Stop) isInput()        {}

// Found tells what a read found at the group's name.
type Found uint8

// What a read can find.
const (
	// Unread: nothing was read yet.
	Unread Found = iota
	// Absent: no record of ours.
	Absent
	// Present: one record of ours.
	Present
	// Unusable: two records of ours, or one that this version cannot read.
	Unusable
)

// Observation is what a read found.
type Observation struct {
	Found  Found
	Record record.Record
	// Token stands for the whole RRset as it was received. The machine only
	// hands it back, as the condition of a write.
	Token string
	// Host are the addresses of the host record, sorted, if HostRead.
	Host     []string
	HostRead bool
	// Problem says what is wrong with an unusable record.
	Problem string
}

// End is how a write ended.
type End uint8

// The ends of a write.
const (
	// Unknown: it may have been applied, or may yet be.
	Unknown End = iota
	// Applied: it is in the record, durably.
	Applied
	// Conflicted: a condition did not hold.
	Conflicted
	// Refused: the server refused for good; nothing was applied.
	Refused
)

// Verb is what a host can ask for.
type Verb string

// The verbs.
const (
	VerbCreate    Verb = "create"
	VerbJoin      Verb = "join"
	VerbLeave     Verb = "leave"
	VerbRemove    Verb = "remove"
	VerbDissolve  Verb = "dissolve"
	VerbFailover  Verb = "failover"
	VerbForce     Verb = "force"
	VerbPause     Verb = "pause"
	VerbResume    Verb = "resume"
	VerbConfigure Verb = "configure"
)

// Request is one verb with what it needs.
type Request struct {
	Verb   Verb
	Target string // remove, failover: a node ID, "" for the best
	Reason string // force, pause
	Group  string // create, join: the FQDN
	Adopt  bool   // create: take the addresses at the name over
	Self   record.Member
	Timing Timing // create; configure: zero fields stay
}

// Code names why a request was not done. It travels between nodes.
type Code string

// The codes of refusals.
const (
	CodeInGroup            Code = "in_group"
	CodeNotInGroup         Code = "not_in_group"
	CodeGroupExists        Code = "group_exists"
	CodeHostRecordExists   Code = "host_record_exists"
	CodeNoGroup            Code = "no_group"
	CodeMemberExists       Code = "member_exists"
	CodeTooManyMembers     Code = "too_many_members"
	CodeUnknownMember      Code = "unknown_member"
	CodeNoTarget           Code = "no_target"
	CodePrimaryAlive       Code = "primary_alive"
	CodePrimaryUnreachable Code = "primary_unreachable"
	CodeStoreUnreachable   Code = "store_unreachable"
	CodeRefused            Code = "refused"
	CodeNotRunning         Code = "not_running"
	CodeNotPrimary         Code = "not_primary"
	CodeBadRequest         Code = "bad_request"
	CodeBusy               Code = "busy"
)
