package availability

import (
	"context"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// Promotion is what BeforePromote is told.
type Promotion struct {
	// Term is the term in which the node becomes Primary.
	Term uint64
	// Cause tells why.
	Cause event.Cause
	// Previous is the ID of the Primary before, empty if there was none.
	Previous string
}

// Demotion is what OnDemote is told.
type Demotion struct {
	// Term is the term in which the node was Primary.
	Term uint64
	// Cause tells why it no longer is.
	Cause event.Cause
	// Next is the ID of the Primary to follow, empty if it is not known.
	Next string
	// Until is when the work must have stopped: another node may be Primary
	// from then on.
	Until time.Time
}

// Witness is told what it needs to release the record when this process dies.
type Witness interface {
	// Watch is called before each new term is used, and at each change of the
	// members; i replaces what was told before. It returns promptly when ctx
	// ends. An error means that the node goes on without a witness, by leases
	// alone; it is never a reason to stop being Primary.
	Watch(ctx context.Context, i Incarnation) error
}

// Incarnation is one run of one node, as a witness needs to know it.
type Incarnation struct {
	// Access is what the store is opened with, the TSIG secret included.
	Access dnsstore.Access
	// NodeID and Run name the node and its run, as they stand in the record.
	NodeID, Run string
	// Term is the term that the node is about to use.
	Term uint64
	// Peers are the other members.
	Peers []transport.Peer
}
