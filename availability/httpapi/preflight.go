package httpapi

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

const (
	// rehearseFor is how long a rehearsal may take.
	rehearseFor = 30 * time.Second
	// waitFor is how long a client waits: for a rehearsal that another one
	// had begun, and that ended with its client, and for its own.
	waitFor = 2 * rehearseFor
	// maxWaiting is how many clients may wait for a rehearsal at once.
	maxWaiting = 32
)

// preflight answers what a rehearsal of a failover has found, good or bad.
func preflight(ctx context.Context, c *call) error {
	_ = http.NewResponseController(c.w).SetWriteDeadline(c.cfg.Clock.Now().Add(waitFor + writeWithin))
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	report, err := c.rehearsals.report(ctx)
	if err != nil {
		return err
	}
	if report.Checks == nil {
		report.Checks = []availability.Check{} // [], not null
	}
	c.answer(http.StatusOK, report)
	return nil
}

// rehearsals lets one rehearsal happen at a time: it costs DNS and the members
// traffic. Whoever asks meanwhile is told what that one finds.
type rehearsals struct {
	rehearse func(context.Context) availability.Report
	waiting  atomic.Int64 // clients

	mu  sync.Mutex
	now *rehearsal // nil: none; guarded by mu
}

// rehearsal is one that has begun. The report and whole are set before done is
// closed.
type rehearsal struct {
	done   chan struct{}
	report availability.Report
	whole  bool // its client stayed until the end
}

func (r *rehearsals) report(ctx context.Context) (availability.Report, error) {
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > maxWaiting {
		return availability.Report{}, &refusal{
			status: http.StatusServiceUnavailable, reason: "preflights",
			text: "As many clients wait for a preflight as may. Ask again when it is over.",
		}
	}
	for {
		one, mine := r.join()
		if mine {
			r.play(ctx, one)
		}
		select {
		case <-one.done:
			if one.whole {
				return one.report, nil
			}
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			return availability.Report{}, err
		}
	}
}

// join returns the rehearsal that is under way, or a new one to play.
func (r *rehearsals) join() (one *rehearsal, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		return r.now, false
	}
	r.now = &rehearsal{done: make(chan struct{})}
	return r.now, true
}

// play rehearses, for whoever waits too.
func (r *rehearsals) play(ctx context.Context, one *rehearsal) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now = nil
		close(one.done)
	}()
	within, cancel := context.WithTimeout(ctx, rehearseFor)
	defer cancel()
	one.report = r.rehearse(within)
	one.whole = ctx.Err() == nil
}
