package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/availabilitygroup/ag/dnsstore"
)

// doubts are RRsets whose data was in a condition that did not hold. The zero
// value has none.
type doubts struct {
	mu   sync.Mutex
	keys map[dnsstore.Key]bool // guarded by mu
}

func (d *doubts) about(k dnsstore.Key) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys[k]
}

// after notes how a change ended. One that was made has proved its conditions.
func (d *doubts) after(c dnsstore.Change, failed *ServerError) {
	if failed != nil && !errors.Is(failed, dnsstore.ErrConflict) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil {
		d.keys = make(map[dnsstore.Key]bool)
	}
	for _, set := range c.If {
		if failed == nil {
			delete(d.keys, set.Key)
		} else if len(set.Data) > 0 {
			d.keys[set.Key] = true
		}
	}
}

func (d *doubts) settle(k dnsstore.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.keys, k)
}

// check asks whether conditions hold, by an UPDATE without content: it is
// answered from the zone itself, goes past every cache, and changes nothing.
func (s *Store) check(ctx context.Context, conditions ...dnsstore.RRSet) *ServerError {
	u, err := newUpdate(dnsstore.Change{If: conditions})
	if err != nil {
		return invalid("", "", err)
	}
	return s.update(ctx, u)
}

// isConflict tells whether a check or an update ended with a false condition.
func isConflict(failed *ServerError) bool {
	return failed != nil && errors.Is(failed, dnsstore.ErrConflict)
}

// confirm compares data that was read with the zone. What the zone does not
// have was made from a wildcard, or came from a cache, or has just changed.
func (s *Store) confirm(ctx context.Context, set dnsstore.RRSet) (dnsstore.RRSet, *ServerError) {
	const rounds = 3
	same := 0
	for range rounds {
		failed := s.check(ctx, set)
		if failed == nil {
			s.doubts.settle(set.Key)
			return set, nil
		}
		if !isConflict(failed) {
			return dnsstore.RRSet{}, failed
		}
		absent := dnsstore.RRSet{Key: set.Key}
		if failed = s.check(ctx, absent); failed == nil {
			return absent, nil // and stay in doubt: the wildcard is still there
		}
		if !isConflict(failed) {
			return dnsstore.RRSet{}, failed
		}
		now, failed := s.lookup(ctx, set.Key)
		if failed != nil || len(now.Data) == 0 {
			return now, failed
		}
		if slices.Equal(now.Data, set.Data) {
			same++
		}
		set = now
	}
	if same == rounds {
		return dnsstore.RRSet{}, s.unfit("its answers are older than its zone",
			fmt.Sprintf("switch off its caches for %s, or ask the server that has no copy", set.Name))
	}
	return set, nil // somebody changes it faster than we read: it is real
}

// unfit is the error for a server that does not behave.
func (s *Store) unfit(problem, advice string) *ServerError {
	e := &ServerError{Rcode: NoAnswer, Advice: advice, Err: fmt.Errorf("%w: %s", ErrUnfit, problem)}
	t := target{hosts: s.finder.hosts, zone: s.finder.zone}
	if found := s.finder.kept(); found != nil {
		t = *found
	}
	e.Server, e.Zone = t.hosts.String(), trimDot(t.zone)
	return e
}
