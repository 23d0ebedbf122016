package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// toldWithin is what a node that stops gives its successor to read the record
// in; it will not hear of it any more.
const toldWithin = 250 * time.Millisecond

// watch wakes those who wait for news of the group, and remembers a handover
// of this node until the other one has taken the role: a client that is sent
// there before the other node has even read the record would be sent back. And
// it ends the attempts that wait for an answer of a node which is no longer
// Primary: one that was stopped, or whose machine is dead, never answers.
type watch struct {
	clock   clock.Clock
	primary func() string // the ID, empty: not known

	mu      sync.Mutex
	waiting map[*crossing]bool // guarded by mu; true: overtaken
	changed chan struct{}      // guarded by mu; closed at the next event
	gave    bool               // guarded by mu; this node lost the role last by giving it away
	to      string             // guarded by mu; whom the record names since, empty: nobody, or it was not given
	term    uint64             // guarded by mu; the term in which the record names it
	at      time.Time          // guarded by mu; when that was heard
	over    bool               // guarded by mu; the handover is over for this node
}

func newWatch(c clock.Clock, primary func() string) *watch {
	return &watch{clock: c, primary: primary, waiting: map[*crossing]bool{}, changed: make(chan struct{})}
}

// next is closed when there is news from now on.
func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// follow ends the attempt when another node becomes Primary, until forget.
func (w *watch) follow(c *crossing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[c] = false
}

// forget tells whether the attempt was ended.
func (w *watch) forget(c *crossing) (overtaken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	overtaken = w.waiting[c]
	delete(w.waiting, c)
	return overtaken
}

// hear takes an event of the group.
func (w *watch) hear(_ context.Context, e event.Event) {
	w.note(e)
	if _, ok := e.(event.PrimaryChange); !ok {
		return
	}
	if now := w.primary(); now != "" { // the event may be older than an attempt
		for _, c := range w.overtake(now) {
			c.cancel()
		}
	}
}

// overtake finds the attempts that wait for another node than the Primary.
func (w *watch) overtake(primary string) (overtaken []*crossing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting {
		if c.primary != primary {
			w.waiting[c] = true
			overtaken = append(overtaken, c)
		}
	}
	return overtaken
}

func (w *watch) note(e event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := e.(event.RoleChange); ok && c.Previous == event.RolePrimary {
		w.gave = c.Cause != event.CauseLeaseLost && c.Cause != event.CauseSuperseded
	}
	if c, ok := e.(event.PrimaryChange); ok {
		w.to = ""
		if w.gave && c.Previous == c.Node {
			w.to, w.term, w.at, w.over = c.New, c.Term, w.clock.Now(), false
		}
	}
	if _, ok := e.(event.FailoverResult); ok {
		w.over = true
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// settled tells whether the Primary of s knows that it is the one. It does if
// this node has not handed it the role, or if it has heard of a term since,
// which only the other one can have begun. It is not waited for longer than
// within, what the other one may take to write.
func (w *watch) settled(s availability.NodeState, within time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		within = min(within, toldWithin)
	}
	return w.to != s.PrimaryID || s.Term > w.term || w.clock.Now().Sub(w.at) >= within
}
