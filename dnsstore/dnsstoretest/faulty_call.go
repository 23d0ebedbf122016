package dnsstoretest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// applyFault is what happens to one Apply in particular.
type applyFault int

const (
	noFault applyFault = iota
	loseAnswer
	breakAnswer
	applyLate
)

// Lookup calls the store below, with the faults.
func (f *Faulty) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	now := f.beginLookup()
	if err := now.send(ctx); err != nil {
		return dnsstore.RRSet{}, fmt.Errorf("lookup %s %s: %w", k.Name, k.Type, err)
	}
	set, err := f.below.Lookup(ctx, k)
	if lost := f.receive(ctx, now.answer); lost != nil {
		return dnsstore.RRSet{}, fmt.Errorf("lookup %s %s: %w", k.Name, k.Type, lost)
	}
	return set, err
}

// Apply calls the store below, with the faults. If the answer was lost, the
// error wraps [dnsstore.ErrUnknown].
func (f *Faulty) Apply(ctx context.Context, c dnsstore.Change) error {
	now, fault := f.beginApply(ctx)
	if fault == applyLate {
		f.startLate(ctx, c, now.lateBy)
		return silence(ctx)
	}
	if err := now.send(ctx); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	end := f.make(ctx, c, now.refuse)
	switch fault {
	case breakAnswer:
		return fmt.Errorf("apply: %w: connection broken", dnsstore.ErrUnknown)
	case loseAnswer:
		return silence(ctx)
	default:
		if lost := f.receive(ctx, now.answer); lost != nil {
			return fmt.Errorf("apply: %w: %w", dnsstore.ErrUnknown, lost)
		}
		return end
	}
}

// silence waits for an answer that does not come.
func silence(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("apply: %w: %w", dnsstore.ErrUnknown, ctx.Err())
}

// beginLookup counts a call and returns the faults as they are now.
func (f *Faulty) beginLookup() faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls.Lookups++
	return f.faults
}

// beginApply counts a call and returns the faults as they are now. A call that
// will not get as far as the server uses up no numbered fault.
func (f *Faulty) beginApply(ctx context.Context) (faults, applyFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls.Applies++
	if ctx.Err() != nil || f.faults.cut || f.faults.fail != nil {
		return f.faults, noFault
	}
	fault := f.faults.next()
	return f.faults, fault
}

// next uses up one of the numbered faults.
func (s *faults) next() applyFault {
	use := func(n *int) bool {
		if *n <= 0 {
			return false
		}
		*n--
		return true
	}
	switch {
	case use(&s.late):
		return applyLate
	case use(&s.lose):
		return loseAnswer
	case use(&s.broken):
		return breakAnswer
	default:
		return noFault
	}
}

// send is the way of a request.
func (s *faults) send(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.cut:
		<-ctx.Done()
		return ctx.Err()
	case s.fail != nil:
		return s.fail
	}
	return wait(ctx, s.request)
}

// receive is the way of an answer.
func (f *Faulty) receive(ctx context.Context, delay time.Duration) error {
	if err := wait(ctx, delay); err != nil {
		return err
	}
	f.mu.Lock()
	cut := f.faults.cut
	f.mu.Unlock()
	if cut {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// make makes a change at the store below, unless it is refused.
func (f *Faulty) make(ctx context.Context, c dnsstore.Change, refuse error) error {
	if refuse != nil {
		return fmt.Errorf("apply: %w", refuse)
	}
	err := f.below.Apply(ctx, c)
	if err == nil {
		f.mu.Lock()
		f.calls.Made++
		f.mu.Unlock()
	}
	return err
}

// lateChange is a change that comes after its caller has given up on it.
type lateChange struct {
	drop context.CancelFunc // it shall not come any more
	done chan struct{}      // closed when its goroutine has ended
}

// startLate lets a change come after d.
func (f *Faulty) startLate(ctx context.Context, c dnsstore.Change, d time.Duration) {
	ctx, drop := context.WithCancel(context.WithoutCancel(ctx))
	l := &lateChange{drop: drop, done: make(chan struct{})}
	f.mu.Lock()
	f.late[l] = true
	f.mu.Unlock()
	c = dnsstore.Change{If: clone(c.If), Set: clone(c.Set)}
	go func() { // Close waits for it
		defer close(l.done)
		defer drop()
		if wait(ctx, d) == nil {
			_ = f.make(ctx, c, nil) // nobody is there to be told
		}
		f.mu.Lock()
		delete(f.late, l)
		f.mu.Unlock()
	}()
}

func clone(sets []dnsstore.RRSet) []dnsstore.RRSet {
	sets = slices.Clone(sets)
	for i := range sets {
		sets[i].Data = slices.Clone(sets[i].Data)
	}
	return sets
}
