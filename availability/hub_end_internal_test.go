package availability

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// returned returns whether f, which runs in a goroutine of its own, is over.
func returned(f func()) (over func() bool) {
	var done atomic.Bool
	go func() {
		f()
		done.Store(true)
	}()
	return done.Load
}

func TestHub_UnsubscribeWaitsForTheRunningCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		goOn := make(chan struct{})
		var calls atomic.Int32
		unsubscribe := mustSubscribe(t, h, event.PauseChanged, func(context.Context, event.Event) {
			calls.Add(1)
			<-goOn
		})
		h.run(t.Context())
		h.publish([]event.Event{pauseChange(1), pauseChange(2)})
		synctest.Wait()
		first, second := returned(unsubscribe), returned(unsubscribe)
		synctest.Wait()
		if first() || second() {
			t.Error("unsubscribe returned during a call of the handler")
		}
		close(goOn)
		synctest.Wait()
		if !first() || !second() {
			t.Error("unsubscribe has not returned after the call")
		}
		h.publish([]event.Event{pauseChange(3)})
		synctest.Wait()
		if got := calls.Load(); got != 1 {
			t.Errorf("%d calls, want 1: none after unsubscribe", got)
		}
		mustClose(t, h)
	})
}

func TestHub_UnsubscribeFromTheHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var unsubscribe func()
		var l listener
		unsubscribe = mustSubscribe(t, h, event.Any, func(ctx context.Context, e event.Event) {
			unsubscribe()
			unsubscribe()
			if ctx.Err() == nil {
				t.Error("the handler's context goes on after unsubscribe")
			}
			l.handle(ctx, e)
		})
		h.run(t.Context())
		h.publish([]event.Event{pauseChange(1)})
		synctest.Wait() // a deadlock here fails the bubble
		checkHeard(t, &l, greeting(0))
		if got := h.stats(time.Time{}).subscribers; got != 0 {
			t.Errorf("%d subscribers, want none", got)
		}
		unsubscribe()
		mustClose(t, h)
	})
}

// Only the subscription's own handler is spared the wait.
func TestHub_UnsubscribeFromAnotherHandlerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		goOn := make(chan struct{})
		unsubscribe := mustSubscribe(t, h, event.PauseChanged, func(context.Context, event.Event) { <-goOn })
		var ended atomic.Bool
		mustSubscribe(t, h, event.HealthChanged, func(context.Context, event.Event) {
			unsubscribe()
			ended.Store(true)
		})
		h.run(t.Context())
		h.publish([]event.Event{pauseChange(1)})
		synctest.Wait() // the call that is to be waited for runs
		h.publish([]event.Event{event.HealthChange{Header: event.Header{ID: event.HealthChanged, Seq: 2}}})
		synctest.Wait()
		if ended.Load() {
			t.Error("unsubscribe returned to another handler during the call")
		}
		close(goOn)
		synctest.Wait()
		if !ended.Load() {
			t.Error("unsubscribe has not returned to another handler after the call")
		}
		mustClose(t, h)
	})
}

// A panic between does not make unsubscribe wait for ever.
func TestHub_UnsubscribeFromAHandlerThatPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var unsubscribe func()
		unsubscribe = mustSubscribe(t, h, event.Any, func(context.Context, event.Event) {
			defer unsubscribe()
			panic("out of paper")
		})
		h.run(t.Context())
		synctest.Wait()
		unsubscribe()
		mustClose(t, h)
	})
}

func TestHub_UnsubscribeBeforeRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var l listener
		mustSubscribe(t, h, event.Any, l.handle)()
		h.run(t.Context())
		h.publish([]event.Event{pauseChange(1)})
		mustClose(t, h)
		checkHeard(t, &l)
	})
}

func TestHub_ContextOfTheHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "mine"))
		h := testHub()
		contexts := make(chan context.Context, 2) // one for each subscription
		keep := func(ctx context.Context, _ event.Event) { contexts <- ctx }
		unsubscribe := mustSubscribe(t, h, event.NodeRoleChanged, keep)
		mustSubscribe(t, h, event.NodeRoleChanged, keep)
		h.run(ctx)
		a, b := <-contexts, <-contexts
		if a.Value(key{}) != "mine" {
			t.Error("the handler's context has not the values of run's")
		}
		cancel()
		synctest.Wait()
		if a.Err() != nil || b.Err() != nil {
			t.Error("the end of run's context ended the handlers'")
		}
		unsubscribe()
		if (a.Err() == nil) == (b.Err() == nil) {
			t.Error("unsubscribe did not end just the one context")
		}
		mustClose(t, h)
		if a.Err() == nil || b.Err() == nil {
			t.Error("a handler's context goes on after close")
		}
	})
}

// The last role change reaches a handler that is slow, with a context that
// lives.
func TestHub_CloseDeliversWhatIsQueued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var l listener
		mustSubscribe(t, h, event.NodeRoleChanged, func(ctx context.Context, e event.Event) {
			time.Sleep(time.Second)
			if ctx.Err() != nil {
				t.Errorf("the context of event %d has ended", e.Meta().Seq)
			}
			l.handle(ctx, e)
		})
		h.run(t.Context())
		h.publish([]event.Event{roleChange(1), roleChange(2), roleChange(3)})
		soft, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if hanging := h.close(soft, t.Context()); hanging != 0 {
			t.Errorf("%d handlers hang", hanging)
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("close took %v, want the handler's 4 s", took)
		}
		checkHeard(t, &l, greeting(0), roleChange(1), roleChange(2), roleChange(3))
	})
}

func TestHub_CloseEndsContextsAfterSoft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var l listener
		mustSubscribe(t, h, event.NodeRoleChanged, func(ctx context.Context, e event.Event) {
			<-ctx.Done()
			l.handle(ctx, e)
		})
		h.run(t.Context())
		h.publish([]event.Event{roleChange(1)})
		soft, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if hanging := h.close(soft, t.Context()); hanging != 0 {
			t.Errorf("%d handlers hang", hanging)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("close took %v, want until soft ended", took)
		}
		checkHeard(t, &l, greeting(0)) // the rest is dropped: nobody listens any more
	})
}

func TestHub_CloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		goOn := make(chan struct{})
		var l listener
		for range 2 {
			mustSubscribe(t, h, event.NodeRoleChanged, func(context.Context, event.Event) { <-goOn })
		}
		mustSubscribe(t, h, event.NodeRoleChanged, l.handle)
		h.run(t.Context())
		h.publish([]event.Event{roleChange(1)})
		soft, cancelSoft := context.WithTimeout(t.Context(), time.Second)
		defer cancelSoft()
		hard, cancelHard := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancelHard()
		start := time.Now()
		if hanging := h.close(soft, hard); hanging != 2 {
			t.Errorf("%d handlers hang, want 2", hanging)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("close took %v, want until hard ended", took)
		}
		checkHeard(t, &l, greeting(0), roleChange(1))
		if stats := h.stats(time.Time{}); stats.subscribers != 0 || stats.queued != 0 {
			t.Errorf("after close there are %d subscribers and %d events", stats.subscribers, stats.queued)
		}
		close(goOn) // their goroutines end now, or the bubble fails
	})
}

func TestHub_CloseWithoutRun(t *testing.T) {
	t.Parallel()
	h := testHub()
	var l listener
	unsubscribe := mustSubscribe(t, h, event.Any, l.handle)
	mustClose(t, h)
	unsubscribe()
	checkHeard(t, &l)
}

// Handlers may subscribe and end any subscription, and look at the hub.
func TestHub_HandlersUseTheHub(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var inner listener
		mustSubscribe(t, h, event.NodeRoleChanged, func(context.Context, event.Event) {
			mustSubscribe(t, h, event.NodeRoleChanged, inner.handle)
			h.history()
			h.stats(time.Time{})
		})
		h.run(t.Context())
		synctest.Wait()
		checkHeard(t, &inner, greeting(0))
		mustClose(t, h)
	})
}

func TestGoroutineID(t *testing.T) {
	t.Parallel()
	mine := goroutineID()
	other := make(chan uint64)
	go func() { other <- goroutineID() }()
	if mine == 0 || mine != goroutineID() || mine == <-other {
		t.Errorf("goroutine %d, then %d; or another one has the same", mine, goroutineID())
	}
}
