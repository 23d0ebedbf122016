package availability_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
)

// tenure is the context of the present tenure.
func (n *node) tenure(t *testing.T, parent context.Context) (context.Context, context.CancelFunc) { //nolint:revive // t is the first of all helpers
	t.Helper()
	ctx, stopped, err := n.PrimaryContext(parent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopped)
	return ctx, stopped
}

// Guard agrees for as long as the tenure lasts, and never for a later one.
func TestGuard_OnlyInItsTenure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		first, stopped := a.tenure(t, t.Context())
		inner, cancel := context.WithTimeout(first, time.Hour)
		defer cancel()
		want, _ := availability.TermFromContext(first)
		if term, err := a.Guard(inner); term != want || err != nil {
			t.Errorf("Guard = %d, %v, want %d", term, err, want)
		}
		for _, to := range []*node{b, a} {
			stopped()
			if err := to.Failover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if term, err := a.Guard(context.WithoutCancel(first)); term != 0 || !errors.Is(err, availability.ErrNotPrimary) {
				t.Errorf("after the tenure Guard = %d, %v", term, err)
			}
		}
		l.stop()
	})
}

// A context of another group, or of none, is no authority.
func TestGuard_OfItsGroupOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		ctx, _ := a.tenure(t, t.Context())
		for name, call := range map[string]func() (uint64, error){
			"no tenure":     func() (uint64, error) { return a.Guard(t.Context()) },
			"another group": func() (uint64, error) { return b.Guard(ctx) },
		} {
			if term, err := call(); term != 0 || !errors.Is(err, availability.ErrNotPrimary) {
				t.Errorf("%s: Guard = %d, %v", name, term, err)
			}
		}
		l.stop()
	})
}

// Two groups in one process: the inner context is of both.
func TestGuard_OfTwoGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		other := l.start(func(c *availability.Config) { c.Settings.GroupFQDN = "other.lab.test" })
		l.wait("the other group is there", other.IsPrimary)
		ctx, stopped := a.tenure(t, t.Context())
		ctx, stoppedToo := other.tenure(t, ctx)
		for _, n := range []*node{a, other} {
			if term, err := n.Guard(ctx); term != n.GetNodeState().Term || err != nil {
				t.Errorf("Guard = %d, %v", term, err)
			}
		}
		stoppedToo()
		stopped()
		l.stop()
	})
}

// Work whose own time is over does not begin a side effect.
func TestGuard_OfAContextThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		ctx, _ := a.tenure(t, t.Context())
		gone := errors.New("the client has gone")
		inner, cancel := context.WithCancelCause(ctx)
		cancel(gone)
		if term, err := a.Guard(inner); term != 0 || !errors.Is(err, gone) {
			t.Errorf("Guard = %d, %v, want %v", term, err, gone)
		}
		l.stop()
	})
}

// A node that is cut off from all others knows it at the question, before its
// timers do.
func TestGuard_AfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		ctx, _ := a.tenure(t, t.Context())
		l.kill(a)
		for range 100_000 {
			_, err := a.Guard(context.WithoutCancel(ctx))
			if primary := a.IsPrimary(); (err == nil) != primary {
				t.Fatalf("Guard: %v, Primary: %t", err, primary)
			}
			if err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if a.IsPrimary() {
			t.Error("still Primary after 100 s without anybody")
		}
		l.heal(a)
		l.stop()
	})
}

func TestDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		a := l.start()
		synctest.Wait()
		select {
		case <-a.Done():
			t.Error("Done while Run runs")
		default:
		}
		l.stop()
		<-a.Done()
		if err := a.Pause(t.Context(), ""); !errors.Is(err, availability.ErrNotRunning) {
			t.Errorf("a verb after Done returned %v", err)
		}
	})
}

// What makes no sense is told from what cannot be done now.
func TestBadRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		for name, err := range map[string]error{
			"force without a reason":    b.Failover(t.Context(), availability.Force("")),
			"force of another node":     b.Failover(t.Context(), availability.Force("dead"), availability.To("a")),
			"remove the Primary":        a.Remove(t.Context(), "a"),
			"remove it, from elsewhere": b.Remove(t.Context(), "a"),
		} {
			if !errors.Is(err, availability.ErrBadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		l.stop()
	})
}

// jumping is a clock that can be set forward, as that of a machine which was
// suspended.
type jumping struct {
	clock.Clock
	ahead atomic.Int64
}

func (j *jumping) Now() time.Time { return j.Clock.Now().Add(time.Duration(j.ahead.Load())) }

// Work that returns Guard's error has ended with its tenure, also where the
// context does not know it yet: it is called again in the next one.
func TestGuard_ItsErrorDoesNotEndTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jumping{Clock: clock.New()}
		l, a, _ := pair(t, func(c *availability.Config) {
			if c.NodeID == "a" {
				c.Clock = j
			}
		})
		var runs atomic.Int64
		work := func(ctx context.Context, _ uint64) error {
			if runs.Add(1) > 1 {
				<-ctx.Done()
				return nil
			}
			time.Sleep(time.Millisecond)
			j.ahead.Add(int64(time.Hour)) // it was suspended right here
			_, err := a.Guard(ctx)
			if err == nil || ctx.Err() != nil {
				t.Errorf("Guard: %v, the context: %v; want that Guard knows first", err, ctx.Err())
			}
			return err
		}
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- a.RunWhilePrimary(ctx, work) }()
		l.wait("a works again", func() bool { return runs.Load() == 2 })
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("RunWhilePrimary: %v", err)
		}
		l.stop()
	})
}
