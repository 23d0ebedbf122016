package dnsstoretest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/availabilitygroup/ag/dnsstore"
)

func raceCases() []testCase {
	return []testCase{
		{"race", "of several changes that are conditional on the same value at most one is made; who is told ErrConflict did " +
			"not make it; who is told nil did", race},
		{"counter", "a counter that several callers raise, each by reading it and a change that is conditional on what was " +
			"read, ends at the number of changes that were made", counter},
		{"readers", "Lookup never goes back to an older value, however many read at the same time, and sees a change as " +
			"soon as Apply has returned nil", readers},
		{"many-names", "a store serves any number of callers at a time; changes of different names do not disturb each other", manyNames},
	}
}

const racers = 8

// race lets all callers change the same value at once, many times.
func race(e *env) {
	r := &rounds{env: e, last: rrset(e.name(""), "TXT")}
	for round := range 12 {
		r.run(round)
	}
}

// rounds is a race that goes on from where the last round ended.
type rounds struct {
	*env
	// last is the value that was there after the round before.
	last dnsstore.RRSet
	// doubtful are values of rounds before whose end is unknown. One that is
	// conditional on last may still be made, and then it is there instead.
	doubtful []dnsstore.RRSet
}

// run lets all callers change the value once.
func (r *rounds) run(round int) {
	e, last := r.env, r.last
	values := make([]dnsstore.RRSet, racers)
	ends := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range racers {
		values[i] = rrset(last.Name, "TXT", text(fmt.Sprintf("round=%d racer=%d", round, i)))
		wg.Go(func() {
			<-start
			ends[i] = e.apply(dnsstore.Change{If: sets(last), Set: sets(
				values[i], rrset(last.Name, "A", "192.0.2."+number(i+1)),
			)})
		})
	}
	close(start)
	wg.Wait()
	r.last = r.judge(values, ends)
	for i, end := range ends {
		if end != nil && !errors.Is(end, dnsstore.ErrConflict) {
			r.doubtful = append(r.doubtful, values[i])
		}
	}
}

// judge compares what the callers were told with what is there, and returns
// the latter.
func (r *rounds) judge(values []dnsstore.RRSet, ends []error) dnsstore.RRSet {
	present, err := r.lookup(r.last.Key)
	if err != nil {
		r.fatalf("Lookup returned %q", err)
	}
	won, unknown := 0, 0
	for i, end := range ends {
		made := same(present, values[i])
		switch {
		case end == nil:
			won++
			if !made {
				r.errorf("racer %d was told nil, but %q is there", i, present.Data)
			}
		case errors.Is(end, dnsstore.ErrRefused):
			r.errorf("racer %d was refused: %q", i, end)
		case !errors.Is(end, dnsstore.ErrConflict):
			unknown++
		case made:
			r.errorf("racer %d was told %q, but its value is there", i, end)
		}
	}
	winner := slices.IndexFunc(values, func(v dnsstore.RRSet) bool { return same(present, v) })
	late := slices.ContainsFunc(r.doubtful, func(v dnsstore.RRSet) bool { return same(present, v) })
	switch {
	case won > 1:
		r.fatalf("%d of %d changes from the same value were made", won, len(ends))
	case winner >= 0:
		r.want("the address that the winner has set", rrset(r.last.Name, "A", "192.0.2."+number(winner+1)))
	case !late && !same(present, r.last):
		r.fatalf("%q is there, which nobody wrote", present.Data)
	case !late && unknown == 0:
		r.fatalf("all %d changes were told ErrConflict, though their condition held", len(ends))
	}
	return present
}

// same tells whether two sets have the same data. It is for data that stands
// in the one form.
func same(a, b dnsstore.RRSet) bool {
	return strings.Join(sorted(a.Data), "\n") == strings.Join(sorted(b.Data), "\n")
}

// counter lets several callers raise one number.
func counter(e *env) {
	const callers, attempts = 4, 12
	name := e.name("")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("n=0", "by=nobody")))})
	var mu sync.Mutex
	made, unknown := 0, 0
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for attempt := range attempts {
				err := e.raise(name, fmt.Sprintf("by=%d-%d", caller, attempt))
				mu.Lock()
				switch {
				case err == nil:
					made++
				case !errors.Is(err, dnsstore.ErrConflict):
					unknown++
					e.t.Logf("caller %d: unknown end: %v", caller, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	n, _, err := e.count(name)
	if err != nil {
		e.fatalf("the counter cannot be read: %v", err)
	}
	if n < made || n > made+unknown {
		e.errorf("the counter is at %d after %d changes that were made and %d with an unknown end", n, made, unknown)
	}
	if made == 0 {
		e.errorf("none of %d attempts succeeded", callers*attempts)
	}
}

// raise reads the counter and tries to write the next number once.
func (e *env) raise(name, by string) error {
	n, present, err := e.count(name)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return e.apply(dnsstore.Change{If: sets(present), Set: sets(rrset(name, "TXT", text("n="+number(n+1), by)))})
}

// count returns the counter, which must be one record.
func (e *env) count(name string) (int, dnsstore.RRSet, error) {
	present, err := e.lookup(dnsstore.Key{Name: name, Type: "TXT"})
	if err != nil {
		return 0, present, err
	}
	if len(present.Data) != 1 {
		return 0, present, fmt.Errorf("%d records: %q", len(present.Data), present.Data)
	}
	strs, err := dnsstore.ParseTXT(present.Data[0])
	if err != nil {
		return 0, present, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(strs[0], "n="))
	return n, present, err
}

// readers read as fast as they can while one caller writes.
func readers(e *env) {
	const callers, writes = 4, 25
	name := e.name("")
	value := func(n int) dnsstore.RRSet { return rrset(name, "TXT", text("n="+number(n), "by=writer")) }
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(value(0))})
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() { e.readOnly(name, done) })
	}
	func() {
		defer wg.Wait()
		defer close(done) // also when a write ends the case
		for n := range writes {
			e.must("write "+number(n+1), dnsstore.Change{If: sets(value(n)), Set: sets(value(n + 1))})
			e.want("right after write "+number(n+1), value(n+1))
		}
	}()
	e.want("at the end", value(writes))
}

// readOnly reads the counter until done, and at least once.
func (e *env) readOnly(name string, done <-chan struct{}) {
	last, reads, failures := 0, 0, 0
	for {
		n, _, err := e.count(name)
		switch {
		case err != nil:
			failures++
			if failures == 1 {
				e.t.Logf("a reader got no answer: %v", err)
			}
		case n < last:
			e.errorf("a reader saw %d after it had seen %d", n, last)
			return
		default:
			last, reads = n, reads+1
		}
		select {
		case <-done:
			if reads == 0 {
				e.errorf("a reader got no answer at all in %d attempts", failures)
			}
			return
		default:
		}
	}
}

// manyNames runs callers side by side, each on a name of its own.
func manyNames(e *env) {
	const callers, writes = 12, 4
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			name := e.name("caller" + number(i))
			cond := rrset(name, "TXT")
			for n := range writes {
				value := rrset(name, "TXT", text("n="+number(n), "by="+number(i)))
				if errs[i] = e.apply(dnsstore.Change{If: sets(cond), Set: sets(value)}); errs[i] != nil {
					return
				}
				cond = value
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			e.errorf("caller %d: Apply returned %q", i, err)
			continue
		}
		e.want("at the end", rrset(e.name("caller"+number(i)), "TXT", text("n="+number(writes-1), "by="+number(i))))
	}
}
