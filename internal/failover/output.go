package failover

import (
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// Output is what a step asks the outside to do, in this order: publish the
// view, tell the events, start the effects, set the timer.
type Output struct {
	Events  []event.Event
	Effects []Effect
	// Wake is when to Tick at the latest, from now; 0: no need.
	Wake time.Duration
	// Done: the machine has stopped and wants nothing more.
	Done bool
}

// Effect is something to do that takes time. Each is done on its own and
// answered exactly once, at the latest when Within has passed.
//
//sumtype:decl
type Effect interface{ isEffect() }

// Read reads the record at the primary master, and the host record if Host.
type Read struct {
	Op     uint64
	Host   bool
	Within time.Duration
}

// Write replaces the record on the condition that the RRset is still Token,
// and sets the host record to the addresses of the record's Primary,
// atomically.
type Write struct {
	Op     uint64
	Token  string
	Record record.Record
	// HostAbsent: also on the condition that there is no host record.
	HostAbsent bool
	Within     time.Duration
}

// Send sends one message and waits for its answer.
type Send struct {
	Op      uint64
	To      record.Member
	Message Message
	Within  time.Duration
}

// Reply answers the message that came as Conn. It needs no answer itself.
type Reply struct {
	Conn    uint64
	Message Message
}

// Demote tells the host to stop what only a Primary may do.
type Demote struct {
	Op    uint64
	Term  uint64
	Cause event.Cause
	Next  string
	// Until, on the hold clock, is when it must have stopped.
	Until time.Duration
}

// Promote asks the host whether it agrees to be Primary.
type Promote struct {
	Op       uint64
	Term     uint64
	Cause    event.Cause
	Previous string
	Within   time.Duration
}

// Finish answers a request. It needs no answer itself.
type Finish struct {
	ID   uint64
	Code Code // "": it is true
	Text string
}

func (Read) isEffect()    {}
func (Write) isEffect()   {}
func (Send) isEffect()    {}
func (Reply) isEffect()   {}
func (Demote) isEffect()  {}
func (Promote) isEffect() {}
func (Finish) isEffect()  {}

// Message is what machines say to each other.
//
//sumtype:decl
type Message interface{ isMessage() }

// Heartbeat is the Primary's report. It names the sequence number that is
// being written, or the last one that was (rule 5).
type Heartbeat struct {
	Group     string
	Run       string
	Term, Seq uint64
}

// Query asks for a report; Fresh: after a new read of the record.
type Query struct {
	Group string
	Fresh bool
}

// Told says that the record has changed in a way the receiver wants to know
// at once: it was named, a member is joining.
type Told struct{ Group string }

// Ask asks the Primary to carry out a verb.
type Ask struct {
	Group   string
	Request Request
}

// Report answers all of these but Ask.
type Report struct {
	Group, Run string
	Term, Seq  uint64
	Primary    string
	// Promise is how long the sender will start no takeover, from when it
	// answered; 0: it promises nothing.
	Promise time.Duration
	Role    event.Role
	Healthy bool
	// Read: the store answered the sender's last read.
	Read bool
	// PromisedTo and PromisedRun are whom the sender last promised to,
	// PromisedAgo how long ago.
	PromisedTo, PromisedRun string
	PromisedAgo             time.Duration
}

// Verdict answers Ask.
type Verdict struct {
	Code Code
	Text string
}

func (Heartbeat) isMessage() {}
func (Query) isMessage()     {}
func (Told) isMessage()      {}
func (Ask) isMessage()       {}
func (Report) isMessage()    {}
func (Verdict) isMessage()   {}
