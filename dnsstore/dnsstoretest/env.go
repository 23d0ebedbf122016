package dnsstoretest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// env is what one case works with. Its methods are safe for concurrent use,
// except those that end the test, which are for the goroutine of the test.
type env struct {
	t     *testing.T
	store dnsstore.Store
	rule  string
	set   settings
	base  string

	mu   sync.Mutex
	keys []dnsstore.Key // guarded by mu; what may have been written
}

// name returns a name of this case: the name of the group without a label,
// else one below it.
func (e *env) name(label string) string {
	if label == "" {
		return e.base
	}
	return label + "." + e.base
}

// rrset makes an RRset; without data it stands for an absent one.
func rrset(name, kind string, data ...string) dnsstore.RRSet {
	s := dnsstore.RRSet{Key: dnsstore.Key{Name: name, Type: kind}, Data: data}
	if len(data) > 0 {
		s.TTL = time.Minute
	}
	return s
}

// text makes a TXT record of some strings.
func text(strs ...string) string { return dnsstore.FormatTXT(strs) }

// sets is short for a list.
func sets(s ...dnsstore.RRSet) []dnsstore.RRSet { return s }

// errorf reports a violation of the rule.
func (e *env) errorf(format string, args ...any) {
	e.t.Helper()
	e.t.Errorf(format+"\nThe rule: %s", append(args, e.rule)...)
}

// fatalf reports a violation of the rule and ends the case.
func (e *env) fatalf(format string, args ...any) {
	e.t.Helper()
	e.t.Fatalf(format+"\nThe rule: %s", append(args, e.rule)...)
}

func (e *env) call() (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.t.Context(), e.set.callTimeout)
}

// apply calls Apply with a deadline.
func (e *env) apply(c dnsstore.Change) error {
	ctx, cancel := e.call()
	defer cancel()
	return e.applyIn(ctx, c)
}

func (e *env) applyIn(ctx context.Context, c dnsstore.Change) error {
	e.mu.Lock()
	for _, s := range c.Set {
		if !slices.Contains(e.keys, s.Key) {
			e.keys = append(e.keys, s.Key)
		}
	}
	e.mu.Unlock()
	return e.store.Apply(ctx, c)
}

// lookup calls Lookup with a deadline.
func (e *env) lookup(k dnsstore.Key) (dnsstore.RRSet, error) {
	ctx, cancel := e.call()
	defer cancel()
	return e.store.Lookup(ctx, k)
}

// must makes a change that has to succeed.
func (e *env) must(what string, c dnsstore.Change) {
	e.t.Helper()
	if err := e.apply(c); err != nil {
		e.fatalf("%s: Apply(%s) returned %q, want nil", what, describe(c), err)
	}
}

// conflict makes a change whose condition does not hold.
func (e *env) conflict(what string, c dnsstore.Change) {
	e.t.Helper()
	if err := e.apply(c); !errors.Is(err, dnsstore.ErrConflict) || errors.Is(err, dnsstore.ErrRefused) {
		e.errorf("%s: Apply(%s) returned %s, want an error that wraps ErrConflict alone", what, describe(c), quoted(err))
	}
}

// conflictAgain makes a change whose condition does not hold and whose contents
// are there already. A store whose request may arrive twice cannot tell whether
// the first copy made it, so an unknown end is right too.
func (e *env) conflictAgain(what string, c dnsstore.Change) {
	e.t.Helper()
	if err := e.apply(c); err == nil || errors.Is(err, dnsstore.ErrRefused) {
		e.errorf("%s: Apply(%s) returned %s, want ErrConflict or an unknown end", what, describe(c), quoted(err))
	}
}

// want looks up RRsets that must be there exactly so, or be absent.
func (e *env) want(what string, sets ...dnsstore.RRSet) {
	e.t.Helper()
	for _, want := range sets {
		got, err := e.lookup(want.Key)
		if err != nil {
			e.fatalf("%s: Lookup(%s %s) returned %q, want no error", what, want.Name, want.Type, err)
		}
		if got.Key != want.Key {
			e.errorf("%s: Lookup(%s %s) returned the key %+v", what, want.Name, want.Type, got.Key)
		}
		if g, w := sorted(got.Data), e.normal(want); !slices.Equal(g, w) {
			e.errorf("%s: Lookup(%s %s) returned %d records\n%q\nwant %d\n%q", what, want.Name, want.Type, len(g), g, len(w), w)
		}
	}
}

// normal returns the data as a store must give it back.
func (e *env) normal(s dnsstore.RRSet) []string {
	e.t.Helper()
	n, err := s.Normal()
	if err != nil {
		e.t.Fatalf("the suite itself is wrong: %v", err)
	}
	return n.Data
}

func sorted(data []string) []string { return slices.Sorted(slices.Values(data)) }

// remove deletes what the case has written, as well as it can.
func (e *env) remove() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.t.Context()), e.set.callTimeout)
	defer cancel()
	e.mu.Lock()
	keys := slices.Clone(e.keys)
	e.mu.Unlock()
	for _, k := range keys {
		got, err := e.store.Lookup(ctx, k)
		if err == nil && len(got.Data) > 0 {
			err = e.store.Apply(ctx, dnsstore.Change{If: sets(got), Set: sets(rrset(k.Name, k.Type))})
		}
		if err != nil {
			e.t.Logf("clean up %s %s: %v", k.Name, k.Type, err)
		}
	}
}
