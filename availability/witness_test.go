package availability_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/availabilitygroup/ag/availability"
)

// witness notes what it is told, and fails if it is to.
type witness struct {
	mu   sync.Mutex
	told []availability.Incarnation
	fail error
}

func (w *witness) Watch(_ context.Context, i availability.Incarnation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, i)
	return w.fail
}

func TestWitness_IsToldBeforeATermIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := &witness{fail: errors.New("blind")}
		a := l.start(func(c *availability.Config) {
			c.Bootstrap, c.Witness = availability.BootstrapManual, w
			c.BeforePromote = func(_ context.Context, p availability.Promotion) error {
				w.mu.Lock()
				defer w.mu.Unlock()
				if len(w.told) == 0 || w.told[len(w.told)-1].Term != p.Term {
					t.Errorf("term %d is used before the witness was told: %+v", p.Term, w.told)
				}
				return nil
			}
		})
		b := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		if err := errors.Join(a.Create(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.mu.Lock()
		last := w.told[len(w.told)-1]
		w.mu.Unlock()
		if last.NodeID != "a" || last.Run == "" || len(last.Peers) != 1 || last.Peers[0].ID != "b" {
			t.Errorf("after the join the witness knows %+v", last)
		}
		if !a.IsPrimary() {
			t.Error("a witness that fails ended the role")
		}
		l.stop()
	})
}
