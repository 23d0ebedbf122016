package availability

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// Group is this node's part of an availability group. Create it with [New],
// then call [Group.Run]. All methods are safe for concurrent use.
type Group struct {
	cfg   Config
	hub   *hub
	log   *slog.Logger
	state *stateDir

	member bool // of a group, when it was last saved

	snap   atomic.Pointer[snapshot]
	nudge  chan struct{}       // a reader has seen the end of the authority
	inputs chan failover.Input // to the driver; unbuffered
	began  chan struct{}       // closed when Run can take inputs
	ended  chan struct{}       // closed when it takes no more
	ran    atomic.Bool
	counts counters
	links  atomic.Pointer[links] // nil before Run

	watches sync.WaitGroup // over tenures; Run waits for them

	mu       sync.Mutex
	given    Settings                          // guarded by mu; what was set, without defaults
	tenure   *tenure                           // guarded by mu; nil unless Primary
	changed  chan struct{}                     // guarded by mu; closed when tenure changes
	finishes map[uint64]chan<- failover.Finish // guarded by mu
	requests uint64                            // guarded by mu
}

var _ event.Subscriber = (*Group)(nil)

// ErrRunTwice: Run was called a second time. A group runs once.
var ErrRunTwice = errors.New("availability: Run was called before")

// New checks the whole configuration and returns a group that does nothing
// yet. All mistakes are in one [*ConfigError]; it may also return
// [ErrStateLocked] or an error of the file system for a StateDir that cannot
// be read.
func New(c Config) (*Group, error) {
	state := newStateDir(c.StateDir)
	saved, _, err := state.load()
	if err != nil {
		return nil, err
	}
	given := saved.Settings.overlaid(c.Settings).canonical()
	c, err = c.checked(saved.Settings)
	if err != nil {
		return nil, err
	}
	g := &Group{
		cfg: c, log: c.Logger, state: state, given: given, member: saved.Membership.InGroup,
		nudge:  make(chan struct{}, 1), // one is enough: it only says "look"
		inputs: make(chan failover.Input),
		began:  make(chan struct{}), ended: make(chan struct{}), changed: make(chan struct{}),
		finishes: map[uint64]chan<- failover.Finish{},
	}
	g.snap.Store(&snapshot{view: failover.View{
		Role: event.RoleNotInGroup, DNS: event.DNSNotApplicable, Healthy: true,
	}})
	g.hub = newHub(c.Logger, event.RoleChange{
		Header: event.Header{
			ID: event.NodeRoleChanged, At: c.Clock.Now().Round(0), Group: c.Settings.GroupFQDN, Node: c.NodeID,
		},
		New: event.RoleNotInGroup, Cause: event.CauseStarted,
	})
	return g, nil
}

// Run takes part in the group until ctx ends, and then hands the role over, or
// releases it, and stops: it returns at most 0.21·W after ctx has ended, which
// is δ + 2·U and a moment for the last events, by the W of the record. It owns
// every goroutine of the group; when it returns none is left but those of the
// host's own hooks and handlers that ignore their contexts.
// After it the node is never Primary. It returns nil when it was ended by ctx,
// [ErrRunTwice] when it was called before, [ErrStateLocked] when another
// process uses the StateDir, and else what made it impossible to start. Settings
// that open no store are none of that for a node of BootstrapManual that was in no
// group: the verbs that enter one say what is wrong.
func (g *Group) Run(ctx context.Context) error {
	if g.ran.Swap(true) {
		return ErrRunTwice
	}
	defer close(g.ended)
	d, err := newDriver(g)
	if err != nil {
		g.hub.close(ctx, ctx) // nothing runs, and nothing ever will
		return err
	}
	return d.run(ctx)
}

// Done is closed when Run has returned. After it nothing changes any more: no
// event comes, every verb returns [ErrNotRunning] and the node is not Primary.
func (g *Group) Done() <-chan struct{} { return g.ended }

func (g *Group) hasEnded() bool {
	select {
	case <-g.ended:
		return true
	default:
		return false
	}
}

// Subscribe calls h for each event of the kind id, or of every kind for
// [event.Any]; see package event for what is promised. It fails for an unknown
// id and a nil handler, nothing else, and may be called at any time. The returned
// function waits for a call of h that is under way, unless h calls it: two
// handlers that end each other's subscriptions would wait for each other.
func (g *Group) Subscribe(id event.ID, h event.Handler) (unsubscribe func(), err error) {
	return g.hub.subscribe(id, h)
}

// History returns the last 256 events, the newest last.
func (g *Group) History() []event.Event { return g.hub.history() }

// current returns the settings as they are now, with defaults for what was
// not set.
func (g *Group) current() Settings {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.given.withDefaults()
}

// nodeID is the configured ID, or the one that follows from the address.
func (g *Group) nodeID() string {
	if g.cfg.NodeID != "" {
		return g.cfg.NodeID
	}
	return g.current().nodeID()
}
