package sqlfence_test

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

func TestTx_Order(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		terms     []uint64
		committed []uint64
	}{
		"one":                           {[]uint64{7}, []uint64{7}},
		"the same again":                {[]uint64{7, 7, 7}, []uint64{7, 7, 7}},
		"a newer one":                   {[]uint64{7, 8}, []uint64{7, 8}},
		"an older one":                  {[]uint64{8, 7}, []uint64{8}},
		"the newer one goes on":         {[]uint64{7, 8, 7, 8, 7}, []uint64{7, 8, 8}},
		"the stopped one is gone":       {[]uint64{7, 8, 9, 8, 7, 9}, []uint64{7, 8, 9, 9}},
		"zero":                          {[]uint64{0, 1, 0}, []uint64{0, 1}},
		"the largest that there can be": {[]uint64{math.MaxInt64, 1, math.MaxInt64}, []uint64{math.MaxInt64, math.MaxInt64}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, newFile(t), waits)
			var newest uint64
			for _, term := range tt.terms {
				err := fence().Tx(t.Context(), db, term, writes(t.Context(), term))
				if want := term < newest; errors.Is(err, sqlfence.ErrFenced) != want || !want && err != nil {
					t.Errorf("term %d after %d: %v", term, newest, err)
				}
				newest = max(newest, term)
			}
			if got := written(t, db); !slices.Equal(got, tt.committed) {
				t.Errorf("committed %d, want %d", got, tt.committed)
			}
			if got, err := fence().Term(t.Context(), db); got != newest || err != nil {
				t.Errorf("the fence has term %d (%v), want %d", got, err, newest)
			}
		})
	}
}

// TestClaim: from the claim on an older Primary is refused, though nothing was
// written.
func TestClaim(t *testing.T) {
	t.Parallel()
	db := open(t, newFile(t), waits)
	if err := fence().Claim(t.Context(), db, 2); err != nil {
		t.Fatal(err)
	}
	called := false
	err := fence().Tx(t.Context(), db, 1, func(*sqlfence.Tx) error { called = true; return nil })
	if !errors.Is(err, sqlfence.ErrFenced) || called {
		t.Errorf("an older term: %v, its work called: %t", err, called)
	}
}

func TestTx_Undone(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(*sqlfence.Tx) error{
		"error": func(tx *sqlfence.Tx) error { return errors.Join(writes(t.Context(), 5)(tx), io.EOF) },
		"panic": func(tx *sqlfence.Tx) error { _ = writes(t.Context(), 5)(tx); panic("work") },
		"no SQL": func(tx *sqlfence.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO nowhere VALUES (1)")
			return errors.Join(err, io.EOF)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, newFile(t), waits)
			err := func() (err error) {
				defer func() {
					if recover() != nil {
						err = io.EOF
					}
				}()
				return fence().Tx(t.Context(), db, 5, work)
			}()
			if !errors.Is(err, io.EOF) {
				t.Errorf("error %v, want that of the work", err)
			}
			if err := fence().Tx(t.Context(), db, 4, writes(t.Context(), 4)); err != nil {
				t.Errorf("term 5 was undone, and still: %v", err)
			}
			if got := written(t, db); !slices.Equal(got, []uint64{4}) {
				t.Errorf("committed %d", got)
			}
		})
	}
}

func TestTx_Refused(t *testing.T) {
	t.Parallel()
	db := open(t, newFile(t), waits)
	ended, end := context.WithCancel(t.Context())
	end()
	for name, tt := range map[string]struct {
		ctx   context.Context
		fence sqlfence.Fence
		term  uint64
		want  error // nil: any but ErrFenced
	}{
		"no such fence":          {t.Context(), sqlfence.Fence{Name: "other"}, 1, sqlfence.ErrNoFence},
		"the context has ended":  {ended, fence(), 1, context.Canceled},
		"a term beyond a BIGINT": {t.Context(), fence(), math.MaxInt64 + 1, nil},
	} {
		err := tt.fence.Tx(tt.ctx, db, tt.term, writes(t.Context(), 1))
		if err == nil || errors.Is(err, sqlfence.ErrFenced) || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
	if got := written(t, db); len(got) > 0 {
		t.Errorf("committed %d", got)
	}
}

// TestFences: each group has its own row.
func TestFences(t *testing.T) {
	t.Parallel()
	db := open(t, newFile(t), waits)
	other := sqlfence.Fence{Name: "other.example.net", Numbered: true} // SQLite knows both
	if err := other.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fence().Claim(t.Context(), db, 9), other.Claim(t.Context(), db, 3)); err != nil {
		t.Error(err)
	}
	if err := other.Claim(t.Context(), db, 2); !errors.Is(err, sqlfence.ErrFenced) {
		t.Errorf("an older term: %v", err)
	}
}

// TestCreate: all nodes may do it, at any time, and it resets nothing.
func TestCreate(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := open(t, path, waits)
	if err := fence().Claim(t.Context(), db, 4); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		db := open(t, path, waits)
		all.Go(func() {
			if err := fence().Create(t.Context(), db); err != nil {
				t.Error(err)
			}
			if err := (sqlfence.Fence{Name: "new"}).Create(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := fence().Claim(t.Context(), db, 3); !errors.Is(err, sqlfence.ErrFenced) {
		t.Errorf("an older term: %v", err)
	}
}

// TestStoppedInside: a Primary that is stopped within its transaction keeps the
// lock. It is refused after the newer one has passed, whether the transaction
// was committed or undone by then.
func TestStoppedInside(t *testing.T) {
	t.Parallel()
	for name, undone := range map[string]bool{"goes on": false, "its context ends": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			a, b := open(t, path, atOnce), open(t, path, atOnce)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			err := fence().Tx(ctx, a, 1, func(tx *sqlfence.Tx) error {
				if err := fence().Claim(t.Context(), b, 2); !busy(err) {
					t.Errorf("the newer term while the older is within: %v", err)
				}
				if undone {
					end()
				}
				return writes(t.Context(), 1)(tx)
			})
			if (err != nil) != undone || errors.Is(err, sqlfence.ErrFenced) {
				t.Errorf("the older term's transaction: %v", err)
			}
			if err := fence().Tx(t.Context(), open(t, path, waits), 2, writes(t.Context(), 2)); err != nil {
				t.Errorf("the newer term: %v", err)
			}
			if err := fence().Tx(t.Context(), a, 1, writes(t.Context(), 1)); !errors.Is(err, sqlfence.ErrFenced) {
				t.Errorf("the older term again: %v", err)
			}
			want := []uint64{1, 2}
			if undone {
				want = want[1:]
			}
			if got := written(t, b); !slices.Equal(got, want) {
				t.Errorf("committed %d, want %d", got, want)
			}
		})
	}
}

// TestTogether: nodes of many terms write at one time. In the end those of the
// newest have written all, and the terms never went down.
func TestTogether(t *testing.T) {
	t.Parallel()
	const terms, nodes, each = 4, 2, 10
	path := newFile(t)
	var all sync.WaitGroup
	for term := uint64(1); term <= terms; term++ {
		for range nodes {
			db := open(t, path, waits)
			all.Go(func() {
				for range each {
					err := fence().Tx(t.Context(), db, term, writes(t.Context(), term))
					if err != nil && (term == terms || !errors.Is(err, sqlfence.ErrFenced)) {
						t.Errorf("term %d: %v", term, err)
					}
				}
			})
		}
	}
	all.Wait()
	got := written(t, open(t, path, waits))
	newest := len(got) - max(slices.Index(got, terms), 0)
	if !slices.IsSorted(got) || newest != nodes*each {
		t.Errorf("committed %d", got)
	}
}
