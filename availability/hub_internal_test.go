package availability

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
)

func roleOf(seq uint64) event.Role {
	return []event.Role{event.RoleNotInGroup, event.RoleSecondary, event.RolePrimary}[seq%3]
}

// roleChange is the seq-th event of a node whose every event is a role change.
func roleChange(seq uint64) event.RoleChange {
	e := event.RoleChange{Header: event.Header{ID: event.NodeRoleChanged, Seq: seq}, New: roleOf(seq), Cause: event.CauseJoined}
	if seq > 0 {
		e.Previous = roleOf(seq - 1)
	}
	return e
}

func pauseChange(seq uint64) event.PauseChange {
	return event.PauseChange{Header: event.Header{ID: event.PauseChanged, Seq: seq}, Paused: true}
}

// listener keeps what it hears.
type listener struct {
	mu    sync.Mutex
	heard []event.Event
}

func (l *listener) handle(_ context.Context, e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, e)
}

func (l *listener) events() []event.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

// testHub is a hub whose present role is the 0th.
func testHub() *hub { return newHub(slog.New(slog.DiscardHandler), roleChange(0)) }

func mustSubscribe(t *testing.T, h *hub, id event.ID, handler event.Handler) (unsubscribe func()) {
	t.Helper()
	unsubscribe, err := h.subscribe(id, handler)
	if err != nil {
		t.Fatal(err)
	}
	return unsubscribe
}

// mustClose closes a hub none of whose handlers hangs.
func mustClose(t *testing.T, h *hub) {
	t.Helper()
	// The context of a test in a bubble never ends before the test does.
	if hanging := h.close(t.Context(), t.Context()); hanging != 0 {
		t.Errorf("%d handlers hang", hanging)
	}
}

func checkHeard(t *testing.T, l *listener, want ...event.Event) {
	t.Helper()
	if diff := cmp.Diff(want, l.events()); diff != "" {
		t.Errorf("heard mismatch (-want +got):\n%s", diff)
	}
}

// greeting is what a new subscriber hears of the seq-th role change.
func greeting(seq uint64) event.RoleChange {
	e := roleChange(seq)
	e.Previous = ""
	return e
}

func TestHub_DeliversByKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var roles, pauses, all listener
		mustSubscribe(t, h, event.NodeRoleChanged, roles.handle)
		mustSubscribe(t, h, event.PauseChanged, pauses.handle)
		mustSubscribe(t, h, event.Any, all.handle)
		h.run(t.Context())
		h.publish([]event.Event{roleChange(1), pauseChange(2)})
		h.publish([]event.Event{roleChange(3)})
		synctest.Wait()
		checkHeard(t, &roles, greeting(0), roleChange(1), roleChange(3))
		checkHeard(t, &pauses, pauseChange(2))
		checkHeard(t, &all, greeting(0), roleChange(1), pauseChange(2), roleChange(3))
		mustClose(t, h)
	})
}

func TestHub_SubscribeAtAnyTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		var before, during, after listener
		mustSubscribe(t, h, event.Any, before.handle)
		h.publish([]event.Event{pauseChange(1)})
		synctest.Wait()
		checkHeard(t, &before) // nothing runs before run

		h.run(t.Context())
		h.publish([]event.Event{roleChange(2), pauseChange(3)})
		mustSubscribe(t, h, event.Any, during.handle)
		h.publish([]event.Event{pauseChange(4)})
		mustClose(t, h)
		checkHeard(t, &before, greeting(0), pauseChange(1), roleChange(2), pauseChange(3), pauseChange(4))
		checkHeard(t, &during, greeting(2), pauseChange(4))

		unsubscribe := mustSubscribe(t, h, event.Any, after.handle)
		h.publish([]event.Event{pauseChange(5)})
		synctest.Wait()
		checkHeard(t, &after)
		if got := h.stats(time.Time{}).subscribers; got != 0 {
			t.Errorf("%d subscribers after close, want none", got)
		}
		unsubscribe()
	})
}

// Whenever somebody subscribes: first the present role, then every later
// change, none lost and none twice.
func TestHub_NoRoleChangeLostOrDoubled(t *testing.T) {
	t.Parallel()
	const changes, subscribers = 2000, 20
	h := testHub()
	h.run(t.Context())
	listeners := make([]listener, subscribers)
	var wg sync.WaitGroup
	wg.Go(func() {
		for seq := range uint64(changes) {
			h.publish([]event.Event{roleChange(seq + 1)})
		}
	})
	for i := range listeners {
		wg.Go(func() {
			for range i * 20 {
				runtime.Gosched() // so that they come at different times
			}
			mustSubscribe(t, h, event.NodeRoleChanged, listeners[i].handle)
		})
	}
	wg.Wait()
	mustClose(t, h)
	for i := range listeners {
		checkChain(t, listeners[i].events(), changes)
	}
}

func checkChain(t *testing.T, heard []event.Event, last uint64) {
	t.Helper()
	first := heard[0].Meta().Seq
	for i, e := range heard {
		want := roleChange(first + uint64(i))
		if i == 0 {
			want = greeting(first)
		}
		if diff := cmp.Diff(event.Event(want), e); diff != "" {
			t.Fatalf("event %d mismatch (-want +got):\n%s", i, diff)
		}
	}
	if got := heard[len(heard)-1].Meta().Seq; got != last {
		t.Errorf("the last event is %d, want %d", got, last)
	}
}

// A handler that hangs loses the oldest events, but no role change, and
// delays nobody else.
func TestHub_SlowSubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const others = 300
		h := testHub()
		var slow, quick listener
		goOn := make(chan struct{})
		mustSubscribe(t, h, event.Any, func(ctx context.Context, e event.Event) {
			<-goOn
			slow.handle(ctx, e)
		})
		mustSubscribe(t, h, event.Any, quick.handle)
		h.run(t.Context())
		synctest.Wait()

		want, all := []event.Event{greeting(0)}, []event.Event{greeting(0)}
		for i := range uint64(others) {
			role, other := roleChange(2*i+1), pauseChange(2*i+2)
			h.publish([]event.Event{role, other})
			synctest.Wait() // the quick one keeps up
			all = append(all, role, other)
			want = append(want, role)
			if i >= others-maxQueued {
				want = append(want, other)
			}
		}
		checkHeard(t, &quick, all...)
		checkHeard(t, &slow)
		stats := h.stats(time.Time{})
		if stats.dropped != others-maxQueued || stats.queued != others+maxQueued || stats.longest != stats.queued || stats.subscribers != 2 {
			t.Errorf("stats = %+v", stats)
		}
		close(goOn)
		mustClose(t, h)
		checkHeard(t, &slow, want...)
	})
}

func TestHub_PanicIsRecovered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := newHub(slog.New(slog.NewTextHandler(&log, nil)), roleChange(0))
		var l listener
		mustSubscribe(t, h, event.Any, func(ctx context.Context, e event.Event) {
			l.handle(ctx, e)
			switch e.Meta().Seq {
			case 1:
				panic("out of paper")
			case 2:
				runtime.Goexit() // what t.FailNow does
			}
		})
		h.run(t.Context())
		h.publish([]event.Event{pauseChange(1), pauseChange(2), pauseChange(3)})
		mustClose(t, h)
		checkHeard(t, &l, greeting(0), pauseChange(1), pauseChange(2), pauseChange(3))
		if got := h.stats(time.Time{}).panics; got != 2 {
			t.Errorf("%d panics counted, want 2", got)
		}
		for _, want := range []string{"level=WARN", "PAUSE_CHANGED", "out of paper", "hub_internal_test.go", "ended its goroutine"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
	})
}

func TestHub_SubscribeFails(t *testing.T) {
	t.Parallel()
	h := testHub()
	for _, id := range []event.ID{"", "any", "NODE_ROLE"} {
		if _, err := h.subscribe(id, func(context.Context, event.Event) {}); err == nil {
			t.Errorf("subscribing to %q succeeded", id)
		}
	}
	for _, id := range append(event.IDs(), event.Any) {
		if _, err := h.subscribe(id, nil); err == nil {
			t.Errorf("subscribing to %s without a handler succeeded", id)
		}
		if _, err := h.subscribe(id, func(context.Context, event.Event) {}); err != nil {
			t.Errorf("subscribing to %s: %v", id, err)
		}
	}
}

func TestHub_History(t *testing.T) {
	t.Parallel()
	h := testHub()
	if got := h.history(); len(got) != 0 {
		t.Errorf("history of nothing: %v", got)
	}
	for seq := range uint64(maxHistory + 44) {
		h.publish([]event.Event{pauseChange(seq)})
	}
	got := h.history()
	var want []event.Event
	for seq := uint64(44); seq < maxHistory+44; seq++ {
		want = append(want, pauseChange(seq))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history mismatch (-want +got):\n%s", diff)
	}
	got[0] = nil
	if h.history()[0] == nil {
		t.Error("history shares its memory with the caller")
	}
}

func TestHub_Lag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := testHub()
		goOn := make(chan struct{})
		mustSubscribe(t, h, event.PauseChanged, func(context.Context, event.Event) { <-goOn })
		now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
		e := pauseChange(1)
		e.At = now
		h.publish([]event.Event{e})
		queued := h.stats(now.Add(time.Second))
		h.run(t.Context())
		synctest.Wait()
		running := h.stats(now.Add(2 * time.Second))
		ahead := h.stats(now.Add(-time.Second)).lag
		close(goOn)
		mustClose(t, h)
		got := fmt.Sprint(queued.lag, queued.queued, running.lag, running.queued, ahead, h.stats(now.Add(time.Hour)).lag)
		if want := "1s 1 2s 0 0s 0s"; got != want {
			t.Errorf("lags and queues = %s, want %s", got, want)
		}
	})
}

func BenchmarkHub_Publish(b *testing.B) {
	h := testHub()
	for range 3 {
		if _, err := h.subscribe(event.Any, func(context.Context, event.Event) {}); err != nil {
			b.Fatal(err)
		}
	}
	h.run(b.Context())
	events := []event.Event{pauseChange(1)}
	b.ReportAllocs()
	for b.Loop() {
		h.publish(events)
	}
	h.close(b.Context(), b.Context())
}

func BenchmarkGoroutineID(b *testing.B) {
	for b.Loop() {
		goroutineID()
	}
}
