package availability

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/availabilitygroup/ag/event"
)

// subscription is one subscriber of a hub.
type subscription struct {
	hub     *hub
	id      event.ID
	handler event.Handler
	changed *sync.Cond // on the hub's mutex: anything below has changed

	queue     queue              // guarded by hub.mu, as is all below
	cancel    context.CancelFunc // ends the handler's context; nil before it has one
	ended     bool               // unsubscribed
	calling   event.Event        // what the handler is called with; nil if it is not
	goroutine uint64             // that calls the handler
}

func (s *subscription) wants(id event.ID) bool { return s.id == event.Any || s.id == id }

// oldest returns the oldest event that has not been dealt with, nil if there
// is none. It needs hub.mu.
func (s *subscription) oldest() event.Event {
	if s.calling != nil {
		return s.calling
	}
	if next := s.queue.next(); next != nil {
		return (*next)[0].event
	}
	return nil
}

// deliver calls the handler with one event after another, until the
// subscription or the hub has ended.
func (s *subscription) deliver(ctx context.Context) {
	returned := false
	defer func() { s.leave(ctx, returned) }()
	me := goroutineID()
	for {
		e, ok := s.take(me)
		if !ok {
			break
		}
		s.call(ctx, e)
	}
	returned = true
}

// take waits for the next event, and marks the handler as being called.
func (s *subscription) take(me uint64) (event.Event, bool) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	for !s.ended && h.phase == hubRunning && s.queue.len() == 0 {
		s.changed.Wait()
	}
	next := s.queue.next()
	if s.ended || h.phase == hubEnded || next == nil {
		return nil, false
	}
	s.calling, s.goroutine = next.pop(), me
	return s.calling, true
}

// call calls the handler. A panic ends there; so does a runtime.Goexit, but
// that takes the goroutine with it.
func (s *subscription) call(ctx context.Context, e event.Event) {
	returned := false
	defer func() {
		var problem any = "the handler ended its goroutine"
		if p := recover(); p != nil {
			problem = p
		}
		if !returned {
			s.hub.report(e, problem)
		}
		s.called()
	}()
	s.handler(ctx, e)
	returned = true
}

// called marks the call as over.
func (s *subscription) called() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.calling = nil
	s.changed.Broadcast()
}

// leave is the last thing a subscriber's goroutine does. One that the handler
// has ended is replaced.
func (s *subscription) leave(ctx context.Context, returned bool) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if !returned {
		h.work.Go(func() { s.deliver(ctx) })
		return
	}
	h.active--
	if h.active == 0 && h.phase >= hubDraining {
		close(h.quiet)
	}
}

// end ends the subscription. It returns when the handler is not being called
// any more, unless it is the handler that calls it.
func (s *subscription) end() {
	h := s.hub
	h.mu.Lock()
	s.ended = true
	s.queue.clear()
	h.subs = slices.DeleteFunc(h.subs, func(other *subscription) bool { return other == s })
	s.changed.Broadcast()
	cancel := s.cancel
	h.mu.Unlock()
	if cancel != nil {
		cancel()
	}

	me := goroutineID()
	h.mu.Lock()
	defer h.mu.Unlock()
	for s.calling != nil && me != 0 && s.goroutine != me {
		s.changed.Wait()
	}
}

// report counts and logs a handler that did not return.
func (h *hub) report(e event.Event, problem any) {
	h.mu.Lock()
	h.counters.panics++
	h.mu.Unlock()
	h.log.Warn("event handler panicked", slog.String("event", string(e.Meta().ID)),
		slog.String("panic", fmt.Sprint(problem)), slog.String("stack", string(debug.Stack())))
}
