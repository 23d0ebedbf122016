package dnsstoretest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

const owner = "svc.lab.test"

func txt(value string) dnsstore.RRSet {
	s := dnsstore.RRSet{Key: dnsstore.Key{Name: owner, Type: "TXT"}, TTL: time.Minute}
	if value != "" {
		s.Data = []string{dnsstore.FormatTXT([]string{value})}
	}
	return s
}

// swap is a change from one value to another; an empty one is an absent set.
func swap(from, to string) dnsstore.Change {
	return dnsstore.Change{If: []dnsstore.RRSet{txt(from)}, Set: []dnsstore.RRSet{txt(to)}}
}

// bubble runs a test in virtual time, with a Faulty over a Memory.
func bubble(t *testing.T, test func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		below := dnsstore.NewMemory()
		f := dnsstoretest.NewFaulty(below)
		test(t, f, below)
		if err := f.Close(); err != nil {
			t.Errorf("Close returned %v", err)
		}
		if n := f.Pending(); n != 0 {
			t.Errorf("%d changes are pending after Close", n)
		}
	})
}

// within calls Apply with a deadline and returns how long it took.
func within(t *testing.T, s dnsstore.Store, limit time.Duration, c dnsstore.Change) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	err := s.Apply(ctx, c)
	return time.Since(begin), err
}

func wantValue(t *testing.T, s dnsstore.Store, want string) {
	t.Helper()
	got, err := s.Lookup(t.Context(), txt("").Key)
	if err != nil || !slices.Equal(got.Data, txt(want).Data) {
		t.Errorf("the value is %q, %v; want %q", got.Data, err, want)
	}
}

// wantEnd checks how long an Apply took and how it ended; a nil in ends wants nil.
func wantEnd(t *testing.T, took time.Duration, err error, want time.Duration, ends ...error) {
	t.Helper()
	if took != want {
		t.Errorf("took %v, want %v", took, want)
	}
	for _, end := range ends {
		if !errors.Is(err, end) {
			t.Errorf("ended with %v, want an error that wraps %v", err, end)
		}
	}
	if len(ends) == 0 && err != nil {
		t.Errorf("ended with %v, want nil", err)
	}
	if len(ends) > 0 && !slices.Contains(ends, dnsstore.ErrConflict) && errors.Is(err, dnsstore.ErrConflict) {
		t.Errorf("ended with %v, which speaks of a conflict", err)
	}
}

func TestFaulty_CutWaitsForTheContext(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.Cut()
		took, err := within(t, f, 3*time.Second, swap("", "a"))
		wantEnd(t, took, err, 3*time.Second, context.DeadlineExceeded)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Lookup(ctx, txt("").Key); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lookup returned %v", err)
		}
		wantValue(t, below, "")
		f.Heal()
		took, err = within(t, f, time.Second, swap("", "a"))
		wantEnd(t, took, err, 0)
		wantValue(t, f, "a")
	})
}

func TestFaulty_CutDuringACallLosesItsAnswer(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.Delay(time.Second, time.Second)
		time.AfterFunc(1500*time.Millisecond, f.Cut)
		took, err := within(t, f, 5*time.Second, swap("", "a"))
		wantEnd(t, took, err, 5*time.Second, dnsstore.ErrUnknown, context.DeadlineExceeded)
		wantValue(t, below, "a")
	})
}

func TestFaulty_FailReturnsAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		down := errors.New("connection refused")
		f.Fail(down)
		took, err := within(t, f, time.Second, swap("", "a"))
		wantEnd(t, took, err, 0, down)
		if _, err := f.Lookup(t.Context(), txt("").Key); !errors.Is(err, down) {
			t.Errorf("Lookup returned %v", err)
		}
		wantValue(t, below, "")
		f.Fail(nil)
		wantValue(t, f, "")
	})
}

func TestFaulty_RefuseAnswersLookups(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.Refuse(fmt.Errorf("policy: %w", dnsstore.ErrRefused))
		f.Delay(time.Second, 2*time.Second)
		took, err := within(t, f, time.Minute, swap("", "a"))
		wantEnd(t, took, err, 3*time.Second, dnsstore.ErrRefused)
		wantValue(t, f, "")
		f.Refuse(nil)
		took, err = within(t, f, time.Minute, swap("", "a"))
		wantEnd(t, took, err, 3*time.Second)
		wantValue(t, below, "a")
	})
}

func TestFaulty_Delay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		request, answer time.Duration
		limit, took     time.Duration
		ends            []error
		value           string
	}{
		{"in time", time.Second, 2 * time.Second, 4 * time.Second, 3 * time.Second, nil, "a"},
		{"none", 0, 0, time.Second, 0, nil, "a"},
		{"request too late", 3 * time.Second, 0, time.Second, time.Second, []error{context.DeadlineExceeded}, ""},
		{"answer too late", 0, 3 * time.Second, time.Second, time.Second, []error{dnsstore.ErrUnknown, context.DeadlineExceeded}, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
				f.Delay(c.request, c.answer)
				took, err := within(t, f, c.limit, swap("", "a"))
				wantEnd(t, took, err, c.took, c.ends...)
				wantValue(t, below, c.value)
			})
		})
	}
}

func TestFaulty_LoseAnswers(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, _ *dnsstore.Memory) {
		f.LoseAnswers(2)
		took, err := within(t, f, time.Second, swap("", "a"))
		wantEnd(t, took, err, time.Second, dnsstore.ErrUnknown, context.DeadlineExceeded)
		wantValue(t, f, "a") // Lookups use up none of them
		took, err = within(t, f, time.Second, swap("x", "b"))
		wantEnd(t, took, err, time.Second, dnsstore.ErrUnknown)
		wantValue(t, f, "a")
		took, err = within(t, f, time.Second, swap("a", "b"))
		wantEnd(t, took, err, 0)
		wantValue(t, f, "b")
	})
}

func TestFaulty_BreakAnswers(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, _ *dnsstore.Memory) {
		f.BreakAnswers(1)
		took, err := within(t, f, time.Second, swap("", "a"))
		wantEnd(t, took, err, 0, dnsstore.ErrUnknown)
		wantValue(t, f, "a")
		took, err = within(t, f, time.Second, swap("", "b"))
		wantEnd(t, took, err, 0, dnsstore.ErrConflict)
	})
}

func TestFaulty_ApplyLate(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.ApplyLate(1, 5*time.Second)
		c := swap("", "late")
		took, err := within(t, f, time.Second, c)
		wantEnd(t, took, err, time.Second, dnsstore.ErrUnknown, context.DeadlineExceeded)
		c.Set[0].Data[0] = `"changed by the caller"`
		f.Cut() // too late for what is on its way
		time.Sleep(3999 * time.Millisecond)
		synctest.Wait()
		wantValue(t, below, "")
		if n := f.Pending(); n != 1 {
			t.Errorf("%d changes are pending, want 1", n)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		wantValue(t, below, "late")
		f.Heal()
		wantEnd(t, 0, f.Apply(t.Context(), swap("late", "next")), 0)
	})
}

func TestFaulty_ApplyLateIsStillConditional(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.ApplyLate(1, 5*time.Second)
		took, err := within(t, f, time.Second, swap("", "late"))
		wantEnd(t, took, err, time.Second, dnsstore.ErrUnknown)
		wantEnd(t, 0, f.Apply(t.Context(), swap("", "fence")), 0)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantValue(t, below, "fence")
		if got := (dnsstoretest.Calls{Applies: 2, Made: 1}); f.Calls() != got {
			t.Errorf("calls are %+v, want %+v", f.Calls(), got)
		}
	})
}

func TestFaulty_CloseDropsLateChanges(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.ApplyLate(2, time.Hour)
		for range 2 {
			if _, err := within(t, f, time.Second, swap("", "late")); !errors.Is(err, dnsstore.ErrUnknown) {
				t.Errorf("Apply returned %v", err)
			}
		}
		begin := time.Now()
		for range 2 {
			if err := f.Close(); err != nil {
				t.Errorf("Close returned %v", err)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("Close took %v", took)
		}
		time.Sleep(2 * time.Hour)
		wantValue(t, below, "")
		wantValue(t, f, "") // and it still works
	})
}

func TestFaulty_AFaultThatIsNotReachedIsNotUsedUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, below *dnsstore.Memory) {
		f.ApplyLate(1, time.Second)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Apply(ended, swap("", "a")); !errors.Is(err, context.Canceled) {
			t.Errorf("Apply returned %v", err)
		}
		f.Cut()
		if _, err := within(t, f, time.Second, swap("", "b")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Apply returned %v", err)
		}
		time.Sleep(time.Minute)
		wantValue(t, below, "")
		f.Heal()
		if want := (dnsstoretest.Calls{Applies: 2}); f.Calls() != want {
			t.Errorf("calls are %+v, want %+v", f.Calls(), want)
		}
	})
}

// TestFaulty_Concurrent is for the race detector.
func TestFaulty_Concurrent(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *dnsstoretest.Faulty, _ *dnsstore.Memory) {
		switches := []func(){
			f.Cut, f.Heal, func() { f.Delay(time.Millisecond, time.Millisecond) }, func() { f.LoseAnswers(1) },
			func() { f.ApplyLate(1, 3*time.Millisecond) }, func() { f.BreakAnswers(1) }, f.Heal, func() { _ = f.Close() },
			func() { f.Fail(dnsstore.ErrUnknown) }, func() { f.Refuse(dnsstore.ErrRefused) },
		}
		done := make(chan struct{})
		for caller := range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				for i := range 50 {
					ctx, cancel := context.WithTimeout(t.Context(), 4*time.Millisecond)
					_ = f.Apply(ctx, swap("", fmt.Sprintf("%d-%d", caller, i)))
					_, _ = f.Lookup(ctx, txt("").Key)
					cancel()
				}
			}()
		}
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 100 {
				time.Sleep(time.Millisecond)
				switches[i%len(switches)]()
			}
		}()
		for range 5 {
			<-done
		}
		if c := f.Calls(); c.Applies != 200 || c.Lookups != 200 || c.Made > 1 {
			t.Errorf("calls are %+v", c)
		}
	})
}
