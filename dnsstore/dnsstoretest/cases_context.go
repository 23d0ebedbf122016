package dnsstoretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// prompt is how soon after the end of its context a call must be back. It is
// long for a busy machine, and short against the time-outs of DNS clients.
const prompt = 4 * time.Second

func contextCases() []testCase {
	return []testCase{
		{"ended-context", "a call whose context has ended before returns promptly with an error that wraps neither " +
			"ErrConflict nor ErrRefused", endedContext},
		{"cancelled", "a call whose context is cancelled returns promptly; an error that wraps ErrConflict or ErrRefused " +
			"still means that nothing was changed", func(e *env) { e.endInFlight(cancelAfter) }},
		{"deadline", "a call whose context reaches its deadline returns promptly; an error that wraps ErrConflict or " +
			"ErrRefused still means that nothing was changed", func(e *env) { e.endInFlight(deadlineAfter) }},
	}
}

func endedContext(e *env) {
	name := e.name("")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("old")))})
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	for range 3 {
		begin := time.Now()
		if got, err := e.store.Lookup(ctx, dnsstore.Key{Name: name, Type: "TXT"}); err == nil {
			e.errorf("Lookup returned %q and no error", got.Data)
		}
		err := e.applyIn(ctx, dnsstore.Change{
			If: sets(rrset(name, "TXT", text("old"))), Set: sets(rrset(name, "TXT", text("new"))),
		})
		if err == nil || errors.Is(err, dnsstore.ErrConflict) || errors.Is(err, dnsstore.ErrRefused) {
			e.errorf("Apply returned %s", quoted(err))
		}
		if took := time.Since(begin); took > prompt {
			e.errorf("the calls took %v, want at most %v", took, prompt)
		}
	}
	e.swapOn(name, text("old"), text("new"))
}

// swapOn shows that the store still works: the value is one of some, and can be
// changed. One of the changes with an unknown end may come in between, so a
// conflict is a reason to look again, as often as there are such changes.
func (e *env) swapOn(name string, possible ...string) {
	e.t.Helper()
	afterwards := rrset(name, "TXT", text("afterwards"))
	for range possible {
		present, err := e.lookup(afterwards.Key)
		if err != nil {
			e.fatalf("the store does not answer afterwards: Lookup returned %q", err)
		}
		if !slices.ContainsFunc(possible, func(p string) bool { return same(present, rrset(name, "TXT", p)) }) {
			e.fatalf("%q is there, want one of %q", present.Data, possible)
		}
		err = e.apply(dnsstore.Change{If: sets(present), Set: sets(afterwards)})
		if err == nil {
			e.want("at the end", afterwards)
			return
		}
		if !errors.Is(err, dnsstore.ErrConflict) {
			e.fatalf("the store does not answer afterwards: Apply returned %q", err)
		}
	}
	e.errorf("after %d changes with an unknown end the value cannot be changed any more", len(possible))
}

// cancelAfter returns a context that is cancelled after d.
func cancelAfter(parent context.Context, d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	timer := time.AfterFunc(d, cancel)
	return ctx, func() {
		timer.Stop()
		cancel()
	}
}

// deadlineAfter returns a context whose deadline is d from now.
func deadlineAfter(parent context.Context, d time.Duration) (context.Context, func()) {
	return context.WithTimeout(parent, d)
}

// endInFlight ends the contexts of many calls at all moments from before the
// request to after the answer.
func (e *env) endInFlight(after func(context.Context, time.Duration) (context.Context, func())) {
	name := e.name("")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("try=none")))})
	var not []dnsstore.RRSet // what was certainly not written
	possible := []string{text("try=none")}
	for i := range 30 {
		d := time.Duration(i*i) * 20 * time.Microsecond // 0 to 17 ms
		value := rrset(name, "TXT", text(fmt.Sprintf("try=%d", i)))
		present, err := e.endOneInFlight(after, d, value)
		switch {
		case errors.Is(err, dnsstore.ErrConflict), errors.Is(err, dnsstore.ErrRefused):
			not = append(not, value)
		case err == nil:
			possible = []string{value.Data[0]}
		default:
			possible = append(possible, value.Data[0])
		}
		for _, n := range not {
			if same(present, n) {
				e.errorf("%q is there, but its Apply had returned ErrConflict or ErrRefused", present.Data)
			}
		}
	}
	for _, n := range not {
		e.absent(name, n)
	}
	e.swapOn(name, possible...)
}

// endOneInFlight makes a Lookup and an Apply whose contexts end after d. It
// returns what was there before them and the end of Apply.
func (e *env) endOneInFlight(after func(context.Context, time.Duration) (context.Context, func()), d time.Duration, value dnsstore.RRSet) (dnsstore.RRSet, error) {
	present, err := e.lookup(value.Key)
	if err != nil {
		e.fatalf("Lookup returned %q", err)
	}
	var again dnsstore.RRSet
	err = e.promptly("Lookup", after, d, func(ctx context.Context) (err error) {
		again, err = e.store.Lookup(ctx, value.Key)
		return err
	})
	if err == nil {
		present = again // not the same if an earlier change has come late
	}
	return present, e.promptly("Apply", after, d, func(ctx context.Context) error {
		return e.applyIn(ctx, dnsstore.Change{If: sets(present), Set: sets(value)})
	})
}

// promptly makes a call whose context ends after d, and returns its end.
func (e *env) promptly(what string, after func(context.Context, time.Duration) (context.Context, func()), d time.Duration, call func(context.Context) error) error {
	ctx, release := after(e.t.Context(), d)
	defer release()
	begin := time.Now()
	err := call(ctx)
	if took := time.Since(begin); took > d+prompt {
		e.errorf("%s came back %v after the end of its context, want at most %v", what, took-d, prompt)
	}
	return err
}

// absent wants a value that was certainly not written not to be there.
func (e *env) absent(name string, value dnsstore.RRSet) {
	e.t.Helper()
	present, err := e.lookup(dnsstore.Key{Name: name, Type: "TXT"})
	if err != nil {
		e.fatalf("Lookup returned %q", err)
	}
	if same(present, value) {
		e.errorf("%q is there, but its Apply had returned ErrConflict or ErrRefused", present.Data)
	}
}
