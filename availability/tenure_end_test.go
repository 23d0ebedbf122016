package availability_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
)

// stuckLog is a log whose reader has stopped to read, as that of a full pipe.
type stuckLog struct {
	slog.Handler
	stuck atomic.Bool
	free  chan struct{}
}

func (l *stuckLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l *stuckLog) Handle(context.Context, slog.Record) error {
	if l.stuck.Load() {
		<-l.free
	}
	return nil
}

// edited changes the configuration of the node of that ID.
func edited(id string, edit func(c *availability.Config)) func(*availability.Config) {
	return func(c *availability.Config) {
		if c.NodeID == id {
			edit(c)
		}
	}
}

// A log that blocks holds the driver up. The work of the tenure ends all the
// same, when the authority does.
func TestPrimaryContext_EndsThoughTheLogBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &stuckLog{free: make(chan struct{})}
		l, a, b := pair(t, edited("a", func(c *availability.Config) { c.Logger = slog.New(log) }))
		ctx, _ := a.tenure(t, t.Context())
		log.stuck.Store(true)
		go func() { _ = b.Configure(t.Context(), availability.Settings{GroupFQDNTTL: time.Second}) }() // a logs it
		time.Sleep(time.Second)
		time.Sleep(time.Until(a.GetNodeState().AuthorityUntil))
		synctest.Wait()
		if err := context.Cause(ctx); !errors.Is(err, availability.ErrNotPrimary) {
			t.Errorf("at the end of the authority the context's cause is %v, want ErrNotPrimary", err)
		}
		if a.IsPrimary() {
			t.Error("a is Primary after its authority has ended")
		}
		l.wait("b has taken over", b.IsPrimary)
		log.stuck.Store(false)
		close(log.free)
		l.wait("a is Secondary to b", func() bool { return a.GetNodeState().PrimaryID == "b" })
		l.stop()
	})
}

// A machine was suspended, and its driver does not know it yet: nobody is given
// the tenure that is over.
func TestTenure_ThatIsOverIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jumping{Clock: clock.New()}
		l, a, _ := pair(t, edited("a", func(c *availability.Config) { c.Clock = j }))
		time.Sleep(failoverPeriod)
		j.ahead.Add(int64(time.Hour))
		ctx, _ := a.tenure(t, t.Context())
		if _, err := a.Guard(ctx); err != nil {
			t.Errorf("PrimaryContext after a suspension: Guard says %v", err)
		}
		time.Sleep(failoverPeriod)
		j.ahead.Add(int64(time.Hour))
		broken := errors.New("broken")
		err := a.RunWhilePrimary(t.Context(), func(ctx context.Context, _ uint64) error {
			if _, err := a.Guard(ctx); err != nil {
				t.Errorf("RunWhilePrimary after a suspension: Guard says %v", err)
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("RunWhilePrimary: %v", err)
		}
		l.stop()
	})
}

// Who has gone is given no tenure, also while there is one.
func TestTenure_NotForAContextThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		if _, _, err := a.PrimaryContext(ctx); !errors.Is(err, gone) {
			t.Errorf("PrimaryContext: %v, want %v", err, gone)
		}
		err := a.RunWhilePrimary(ctx, func(context.Context, uint64) error {
			t.Error("the function was called")
			return nil
		})
		if !errors.Is(err, gone) {
			t.Errorf("RunWhilePrimary: %v, want %v", err, gone)
		}
		if err := a.RunWhilePrimary(t.Context(), nil); !errors.Is(err, availability.ErrBadRequest) {
			t.Errorf("RunWhilePrimary without a function: %v, want ErrBadRequest", err)
		}
		l.stop()
	})
}
