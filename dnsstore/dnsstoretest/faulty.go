package dnsstoretest

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Faulty is a store that fails as a network and a server do. Without a fault
// it hands every call to the store below and does nothing else.
//
// All methods are safe for concurrent use, also while calls are under way.
// Waiting is done by timers and contexts only, so in a bubble of
// testing/synctest a Faulty made in the bubble takes virtual time.
//
// Each node of a test gets a Faulty of its own over one shared store; then
// each can be cut off alone.
type Faulty struct {
	below dnsstore.Store

	mu     sync.Mutex
	faults faults               // guarded by mu
	calls  Calls                // guarded by mu
	late   map[*lateChange]bool // guarded by mu; under way or still to come
}

// faults are the switches.
type faults struct {
	cut             bool
	fail            error
	refuse          error
	request, answer time.Duration
	lose, broken    int
	late            int
	lateBy          time.Duration
}

// Calls counts the calls of a Faulty since it was made.
type Calls struct {
	// Lookups and Applies are the calls that came in, failed ones included.
	Lookups, Applies int
	// Made counts the changes that the store below has made, late ones included.
	Made int
}

var _ dnsstore.Store = (*Faulty)(nil)

// NewFaulty returns a store over s, without a fault.
func NewFaulty(s dnsstore.Store) *Faulty {
	return &Faulty{below: s, late: make(map[*lateChange]bool)}
}

// Cut cuts the store off, as if every packet were lost. A call made from now
// on changes nothing and returns when its context ends, with the error of the
// context, even if the store is healed before. A call under way is carried
// out, but its answer is lost if it has not been given yet.
func (f *Faulty) Cut() { f.change(func(s *faults) { s.cut = true }) }

// Fail makes every call from now on change nothing and return at once with an
// error that wraps err, as if nobody listened at the server's port. A nil err
// ends it.
func (f *Faulty) Fail(err error) { f.change(func(s *faults) { s.fail = err }) }

// Refuse makes every Apply from now on change nothing and return an error that
// wraps err, after the delays: [dnsstore.ErrRefused] for a key without the
// right, ErrConflict for a server that always says no. Lookups are answered. A
// nil err ends it.
func (f *Faulty) Refuse(err error) { f.change(func(s *faults) { s.refuse = err }) }

// Delay makes every call from now on take longer: request before it reaches
// the store below, answer after it. If its context ends during the former,
// nothing is changed; during the latter, the answer is lost. Zero is no delay.
func (f *Faulty) Delay(request, answer time.Duration) {
	f.change(func(s *faults) { s.request, s.answer = request, answer })
}

// LoseAnswers loses the answers of the next n calls of Apply, in silence: the
// change is made, if its condition holds, and the call returns when its
// context ends.
func (f *Faulty) LoseAnswers(n int) { f.change(func(s *faults) { s.lose = n }) }

// BreakAnswers breaks the connection after the next n requests of Apply: the
// change is made, if its condition holds, and the call returns an error that
// wraps [dnsstore.ErrUnknown] without waiting for its context.
func (f *Faulty) BreakAnswers(n int) { f.change(func(s *faults) { s.broken = n }) }

// ApplyLate delays the next n requests of Apply by d, however long the callers
// wait: each call returns when its context ends, and the change is made, if
// its condition then holds, d after the call. That is what a server does which
// was stopped, or a queue on the way. Healing and cutting off do not hold up
// what is on its way; Close does.
func (f *Faulty) ApplyLate(n int, d time.Duration) {
	f.change(func(s *faults) { s.late, s.lateBy = n, d })
}

// Heal ends all faults. Late changes still come.
func (f *Faulty) Heal() { f.change(func(s *faults) { *s = faults{} }) }

// Calls returns the counts.
func (f *Faulty) Calls() Calls {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Pending returns how many late changes have not been made yet.
func (f *Faulty) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.late)
}

// Close drops the late changes that have not been made and waits until none is
// being made. It does not close the store below. It always returns nil; the
// Faulty can still be used.
//
// A group closes what it has opened. Where late changes shall outlive a node,
// its OpenStore returns the Faulty as struct{ dnsstore.Store }.
func (f *Faulty) Close() error {
	f.mu.Lock()
	late := slices.Collect(maps.Keys(f.late))
	f.mu.Unlock()
	for _, l := range late {
		l.drop()
	}
	for _, l := range late {
		<-l.done
	}
	return nil
}

func (f *Faulty) change(set func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.faults)
}
