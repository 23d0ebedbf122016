package sqlfence_test

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// transact is what a node does its work by.
type transact func(ctx context.Context, db *sql.DB, term uint64, work func(sqlfence.Execer) error) error

// stage is where a node stands that the schedule does not let go on.
type stage struct {
	inside bool
	err    error // of the last transaction, if not inside
}

// errKilled is how a transaction ends whose node is killed.
var errKilled = errors.New("killed")

// node makes one transaction after the other, and stops before, within and
// after its work, and after the end: it goes on when the schedule takes the
// next stage. Its connection does not wait for a lock, so the schedule alone
// says what happens when.
func node(t *testing.T, db *sql.DB, do transact, term *uint64) iter.Seq[stage] {
	return func(yield func(stage) bool) {
		for gone := false; !gone; {
			now := *term
			err := do(t.Context(), db, now, func(tx sqlfence.Execer) error {
				if gone = !yield(stage{inside: true}); gone {
					return errKilled
				}
				if err := write(t.Context(), tx, now); err != nil {
					return err
				}
				if gone = !yield(stage{inside: true}); gone {
					return errKilled
				}
				return nil
			})
			gone = gone || !yield(stage{err: err})
		}
	}
}

// reached counts what a schedule came by.
type reached struct{ committed, fenced, busy, killed int }

// play plays one schedule and returns the terms that were committed. Each node
// may get the next term while it is outside of a transaction, may be left
// standing for any time, and may be killed anywhere.
func play(t *testing.T, seed uint64, do transact) ([]uint64, reached) {
	t.Helper()
	const nodes, steps = 4, 120
	random := rand.New(rand.NewPCG(seed, 0))
	path := newFile(t)
	type place struct {
		db     *sql.DB
		next   func() (stage, bool)
		stop   func()
		term   uint64
		inside bool
	}
	var all [nodes]place
	for i := range all {
		p := &all[i]
		p.db = open(t, path, atOnce)
		p.next, p.stop = iter.Pull(node(t, p.db, do, &p.term))
		defer func() { p.stop() }()
	}
	var newest uint64
	var r reached
	for range steps {
		p := &all[random.IntN(nodes)]
		switch dice := random.IntN(20); {
		case dice == 0:
			p.stop()
			p.next, p.stop = iter.Pull(node(t, p.db, do, &p.term))
			p.inside = false
			r.killed++
			continue
		case dice < 5 && !p.inside:
			newest++
			p.term = newest
		}
		s, _ := p.next()
		p.inside = s.inside
		switch {
		case s.inside:
		case s.err == nil:
			r.committed++
		case errors.Is(s.err, sqlfence.ErrFenced):
			r.fenced++
		case busy(s.err):
			r.busy++
		default:
			t.Fatalf("seed %d: term %d: %v", seed, p.term, s.err)
		}
	}
	for i := range all {
		all[i].stop()
	}
	return written(t, open(t, path, waits)), r
}

func fenced(ctx context.Context, db *sql.DB, term uint64, work func(sqlfence.Execer) error) error {
	return fence().Tx(ctx, db, term, func(tx *sqlfence.Tx) error { return work(tx) })
}

// TestSchedules: whatever the order in which nodes of older and newer terms do
// their steps, the sequence of committed terms never goes down, and what Tx has
// said is so.
func TestSchedules(t *testing.T) {
	t.Parallel()
	var sum reached
	for seed := range uint64(25) {
		got, r := play(t, seed, fenced)
		if !slices.IsSorted(got) || len(got) != r.committed {
			t.Errorf("seed %d: %d were committed, of terms %d", seed, r.committed, got)
		}
		sum = reached{sum.committed + r.committed, sum.fenced + r.fenced, sum.busy + r.busy, sum.killed + r.killed}
	}
	if sum.committed == 0 || sum.fenced == 0 || sum.busy == 0 || sum.killed == 0 {
		t.Errorf("not all was reached: %+v", sum)
	}
	t.Logf("%+v", sum)
}

// TestSchedules_Bite: the schedules find what is wrong with a check in a
// transaction of its own, and with none.
func TestSchedules_Bite(t *testing.T) {
	t.Parallel()
	unguarded := func(ctx context.Context, db *sql.DB, _ uint64, work func(sqlfence.Execer) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		return errors.Join(work(tx), tx.Commit())
	}
	for name, do := range map[string]transact{
		"unguarded": unguarded,
		"checked apart": func(ctx context.Context, db *sql.DB, term uint64, work func(sqlfence.Execer) error) error {
			if err := fence().Claim(ctx, db, term); err != nil {
				return err
			}
			return unguarded(ctx, db, term, work)
		},
	} {
		found := false
		for seed := uint64(0); seed < 100 && !found; seed++ {
			got, _ := play(t, seed, do)
			found = !slices.IsSorted(got)
		}
		if !found {
			t.Errorf("%s: no schedule shows that it is wrong", name)
		}
	}
}
