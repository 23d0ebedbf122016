package availability

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// maxHistory is how many events History returns.
const maxHistory = 256

// hub hands the events of a group to its subscribers. Each has a queue and,
// while the hub runs, a goroutine of its own; publish never waits for any of
// them. All methods are safe for concurrent use; run and close are called once.
//
// Before run, events and greetings wait in the queues. After close nothing is
// delivered any more: subscribing then succeeds and has no effect.
type hub struct {
	log  *slog.Logger
	work sync.WaitGroup // the subscribers' goroutines

	mu       sync.Mutex
	phase    hubPhase            // guarded by mu, as is all below
	launch   func(*subscription) // starts a subscriber's goroutine; set while running
	stop     context.CancelFunc  // ends the contexts of all handlers
	active   int                 // subscribers' goroutines
	quiet    chan struct{}       // closed when draining has left no goroutine
	present  event.RoleChange    // the greeting of new subscribers
	recent   []event.Event       // oldest first
	subs     []*subscription
	counters hubStats
}

type hubPhase int

const (
	hubIdle     hubPhase = iota // before run
	hubRunning                  // between run and close
	hubDraining                 // queues are being emptied
	hubEnded                    // what is queued is dropped
)

// hubStats are the hub's counters and gauges.
type hubStats struct {
	// subscribers is how many there are, queued how many events wait for all
	// of them, longest for the one furthest behind.
	subscribers, queued, longest int
	// lag is how long ago the oldest event happened that a handler has not
	// yet dealt with.
	lag time.Duration
	// dropped counts events pushed out of full queues, panics calls of
	// handlers that did not return.
	dropped, panics uint64
}

// newHub returns a hub whose subscribers are greeted with present until the
// first role change is published.
func newHub(log *slog.Logger, present event.RoleChange) *hub {
	present.Previous = ""
	return &hub{log: log, present: present, quiet: make(chan struct{})}
}

// subscribe registers h for the events of one kind, or for all. Those who want
// role changes are greeted with the present one.
func (h *hub) subscribe(id event.ID, handler event.Handler) (unsubscribe func(), err error) {
	if id != event.Any && !slices.Contains(event.IDs(), id) {
		return nil, fmt.Errorf("availability: subscribe to %q: there is no such event", id)
	}
	if handler == nil {
		return nil, errors.New("availability: subscribe without a handler")
	}
	s := &subscription{hub: h, id: id, handler: handler, changed: sync.NewCond(&h.mu)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.phase >= hubDraining {
		return func() {}, nil
	}
	if s.wants(event.NodeRoleChanged) {
		s.queue.push(h.present)
	}
	h.subs = append(h.subs, s)
	if h.phase == hubRunning {
		h.launch(s)
	}
	return s.end, nil
}

// publish hands events to those who want them, in order. It does not wait.
// What is published after close has begun may reach nobody.
func (h *hub) publish(events []event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		h.remember(e)
		if change, ok := e.(event.RoleChange); ok {
			h.present = change
			h.present.Previous = ""
		}
		h.enqueue(e)
	}
}

// enqueue needs mu.
func (h *hub) enqueue(e event.Event) {
	for _, s := range h.subs {
		if !s.wants(e.Meta().ID) {
			continue
		}
		if s.queue.push(e) {
			h.counters.dropped++
		}
		s.changed.Broadcast()
	}
}

// remember needs mu.
func (h *hub) remember(e event.Event) {
	if len(h.recent) == maxHistory {
		h.recent = slices.Delete(h.recent, 0, 1)
	}
	h.recent = append(h.recent, e)
}

// history returns the last events, newest last.
func (h *hub) history() []event.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.recent)
}

// stats returns counters and gauges; now is the node's wall time.
func (h *hub) stats(now time.Time) hubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := h.counters
	stats.subscribers = len(h.subs)
	for _, s := range h.subs {
		stats.queued += s.queue.len()
		stats.longest = max(stats.longest, s.queue.len())
		if oldest := s.oldest(); oldest != nil {
			stats.lag = max(stats.lag, now.Sub(oldest.Meta().At))
		}
	}
	return stats
}

// run starts to deliver. The handlers' contexts have the values of ctx, but
// are ended by close alone: a group that stops still has news to tell.
func (h *hub) run(ctx context.Context) {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phase, h.stop = hubRunning, stop
	h.launch = func(s *subscription) { // needs mu
		ctx, cancel := context.WithCancel(base)
		s.cancel = cancel
		h.active++
		h.work.Go(func() { s.deliver(ctx) })
	}
	for _, s := range h.subs {
		h.launch(s)
	}
}

// close ends all subscriptions once their queues are empty, or when soft ends:
// then the handlers' contexts are ended and what is still queued is dropped.
// It waits for running calls until hard ends, and returns how many handlers
// have not returned by then. Their goroutines end when they do; nothing can
// make them.
func (h *hub) close(soft, hard context.Context) (hanging int) {
	h.enter(hubDraining)
	select {
	case <-h.quiet:
	case <-soft.Done():
	}
	h.enter(hubEnded)
	select {
	case <-h.quiet:
		h.work.Wait() // they have nothing left to do but to return
		return 0
	case <-hard.Done():
		return h.running()
	}
}

// enter begins one of the last two phases.
func (h *hub) enter(phase hubPhase) {
	h.mu.Lock()
	if h.phase >= phase {
		h.mu.Unlock()
		return
	}
	h.phase, h.launch = phase, nil
	stop := h.stop
	for _, s := range h.subs {
		s.changed.Broadcast()
	}
	if phase == hubEnded {
		h.subs = nil
	}
	if phase == hubDraining && h.active == 0 {
		close(h.quiet)
	}
	h.mu.Unlock()
	if phase == hubEnded && stop != nil {
		stop()
	}
}

func (h *hub) running() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.active
}
