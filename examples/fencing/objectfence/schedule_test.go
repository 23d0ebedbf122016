package objectfence_test

import (
	"encoding/json"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
)

// errKilled is how a write ends whose node is killed.
var errKilled = errors.New("killed")

// node writes once after the other, and stops between each read and write, and
// after the end: it goes on when the schedule takes the next error, which is
// errKilled while it is within.
func node(t *testing.T, s store, term *uint64) iter.Seq[error] {
	return func(yield func(error) bool) {
		for gone := false; !gone; {
			err := s.object.Write(t.Context(), *term, func(data json.RawMessage) (json.RawMessage, error) {
				if gone = !yield(errKilled); gone {
					return nil, errKilled
				}
				return increment(data)
			})
			gone = gone || !yield(err)
		}
	}
}

// TestSchedules: whatever the order in which nodes of older and newer terms
// read and write, the terms of the versions never go down, and each version is
// made from the one before it.
func TestSchedules(t *testing.T) {
	t.Parallel()
	const nodes, steps, seeds = 4, 60, 20
	var done, fenced, refused int
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := newStore(t, seed%2 == 0)
		var terms [nodes]uint64
		var within [nodes]bool
		var next [nodes]func() (error, bool)
		for i := range nodes {
			var stop func()
			next[i], stop = iter.Pull(node(t, s, &terms[i]))
			defer stop()
		}
		var newest uint64
		for range steps {
			i := random.IntN(nodes)
			if !within[i] && random.IntN(4) == 0 {
				newest++
				terms[i] = newest
			}
			err, _ := next[i]()
			within[i] = errors.Is(err, errKilled)
			switch {
			case within[i]:
			case err == nil:
				done++
			case errors.Is(err, objectfence.ErrFenced):
				fenced++
			default:
				t.Fatalf("seed %d: term %d: %v", seed, terms[i], err)
			}
		}
		refused += s.Refused()
		if got := s.terms(t); !slices.IsSorted(got) {
			t.Errorf("seed %d: written %d", seed, got)
		}
		for i, version := range s.Versions(path) {
			var c struct {
				Data int `json:"data"`
			}
			if err := json.Unmarshal(version, &c); err != nil || c.Data != i+1 {
				t.Errorf("seed %d: version %d is %s", seed, i, version)
			}
		}
	}
	if done == 0 || fenced == 0 || refused == 0 {
		t.Errorf("not all was reached: %d done, %d fenced, %d answers 412", done, fenced, refused)
	}
	t.Logf("%d done, %d fenced, %d answers 412", done, fenced, refused)
}
