package dnsstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Memory is a store in the memory of the process. It serves every name, keeps
// its data as long as it lives, and gives it back as [RRSet.Normal] does. The
// zero value is ready for use and empty; it must not be copied after that. All
// methods are safe for concurrent use and return at once.
type Memory struct {
	mu   sync.Mutex
	sets map[Key]RRSet // guarded by mu; normal, none without data
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{} }

// Lookup returns a copy of the RRset. It returns an error if ctx has ended or
// if the key is not one.
func (m *Memory) Lookup(ctx context.Context, k Key) (RRSet, error) {
	if err := ctx.Err(); err != nil {
		return RRSet{}, err
	}
	if err := CheckKey(k); err != nil {
		return RRSet{}, fmt.Errorf("lookup: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	set, ok := m.sets[k]
	if !ok {
		return RRSet{Key: k}, nil
	}
	set.Data = slices.Clone(set.Data)
	return set, nil
}

// Apply makes the change and returns nil, or makes none and returns an error
// that wraps [ErrConflict], or [ErrRefused] for a change that no server could
// make (a malformed key or record, an alias beside other data), or the
// context's own error if it had ended before. The end is never unknown.
func (m *Memory) Apply(ctx context.Context, c Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := c.Normal()
	if err != nil {
		return fmt.Errorf("apply: %w: %w", ErrRefused, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, want := range c.If {
		if !slices.Equal(m.sets[want.Key].Data, want.Data) {
			return fmt.Errorf("apply: %w: %s %s", ErrConflict, want.Name, want.Type)
		}
	}
	if name, ok := m.aliasBesideDataLocked(c.Set); ok {
		return fmt.Errorf("apply: %w: %s would have a CNAME and other data", ErrRefused, name)
	}
	m.setLocked(c.Set)
	return nil
}

func (m *Memory) setLocked(sets []RRSet) {
	if m.sets == nil {
		m.sets = make(map[Key]RRSet)
	}
	for _, set := range sets {
		if len(set.Data) == 0 {
			delete(m.sets, set.Key)
		} else {
			m.sets[set.Key] = set
		}
	}
}

// aliasBesideDataLocked finds a name that would have a CNAME and another type
// after the change (RFC 1034 section 3.6.2).
func (m *Memory) aliasBesideDataLocked(sets []RRSet) (name string, found bool) {
	present := func(name, kind string) bool {
		k := Key{Name: name, Type: kind}
		if i := slices.IndexFunc(sets, func(s RRSet) bool { return s.Key == k }); i >= 0 {
			return len(sets[i].Data) > 0
		}
		_, ok := m.sets[k]
		return ok
	}
	for _, set := range sets {
		other := func(kind string) bool { return present(set.Name, kind) }
		if present(set.Name, "CNAME") && slices.ContainsFunc([]string{"TXT", "A", "AAAA", "SOA"}, other) {
			return set.Name, true
		}
	}
	return "", false
}
