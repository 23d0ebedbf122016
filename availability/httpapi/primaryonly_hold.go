package httpapi

import (
	"context"
	"sync/atomic"
	"time"
)

// A held request looks again after each event of the group, and after a pause
// that doubles: not every change is an event, and a Primary that could not be
// reached may be a moment later.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// afterEnd is how long requests are held when the group has ended here: this
// node will not be Primary, and the program waits for them to end.
const afterEnd = time.Second

// held counts the requests that are held.
type held struct{ n atomic.Int64 }

func (h *held) take(limit int) bool {
	if h.n.Add(1) <= int64(limit) {
		return true
	}
	h.n.Add(-1)
	return false
}

// wait is how long a request may still be held.
type wait struct {
	until time.Time // counted from the first obstacle on; zero before
	pause time.Duration
	place bool // among those that are held
}

// hold waits until it is worth trying again after an obstacle. It returns
// what stands in the way of that.
func (v *visit) hold(ctx context.Context, news <-chan struct{}, no *obstacle) *obstacle {
	w := &v.wait
	if v.left() <= 0 || ctx.Err() != nil {
		return no
	}
	if !w.place {
		if !v.held.take(v.places(no)) {
			return unavailable("too_many", "Too many requests wait for the Primary.")
		}
		w.place = true
		if !v.gather(v.left()) {
			return no
		}
	}
	t := v.cfg.Clock.Timer(min(w.pause, v.left()))
	defer t.Stop()
	select {
	case <-news:
	case <-t.C:
		w.pause = min(2*w.pause, lastPause)
	case <-ctx.Done():
		return no
	}
	return nil
}

// left is how long the request may still be held. Attempts count too: one to
// reach a Primary whose machine is dead takes seconds.
func (v *visit) left() time.Duration {
	w, now := &v.wait, v.cfg.Clock.Now()
	if w.until.IsZero() {
		w.until, w.pause = now.Add(v.holdFor()), firstPause
	}
	if soon := now.Add(afterEnd); soon.Before(w.until) && v.ended() {
		w.until = soon
	}
	return w.until.Sub(now)
}

// anew: somebody has worked on the request, which is no waiting. That happens
// once in a term, or once for all.
func (w *wait) anew() { *w = wait{place: w.place} }

// places is how many requests may be held, this one among them. Anybody can
// say that they have seen a newer term, so those leave half of the places.
func (v *visit) places(no *obstacle) int {
	if no.kind == kindNewerTerm {
		return (v.cfg.HoldLimit + 1) / 2
	}
	return v.cfg.HoldLimit
}

// ended: Run has returned.
func (p *primaryOnly) ended() bool {
	select {
	case <-p.group.Done():
		return true
	default:
		return false
	}
}

// letGo gives the place among those that are held to another request.
func (v *visit) letGo() {
	if v.wait.place {
		v.wait.place = false
		v.held.n.Add(-1)
	}
}

// holdFor is how long a request may be held all in all. By default it is as
// long as a planned failover takes in which a handler uses the whole stop
// budget, 0.075·W.
func (p *primaryOnly) holdFor() time.Duration {
	if p.cfg.HoldFor != 0 {
		return p.cfg.HoldFor
	}
	t := p.timing()
	return min(t.W/4, t.StopBudget()+2*time.Second)
}
