package availability

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/internal/failover"
)

// demote has the work of the tenure stop: its context has ended with the
// snapshot; now its users and OnDemote have until the authority would have
// ended.
func (d *driver) demote(e failover.Demote) {
	left := max(0, e.Until-d.clock.Ahead(d.g.cfg.Clock.Now()).Hold)
	t := d.leaving
	d.leaving = nil
	until := d.g.cfg.Clock.Now().Round(0).Add(left)
	done := make(chan struct{})
	// The hooks may outlive their time; only then do they outlive the worker.
	d.hooks.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.work), left)
		defer cancel()
		if d.g.cfg.OnDemote != nil {
			what := Demotion{Term: e.Term, Cause: e.Cause, Next: e.Next, Until: until}
			_ = d.guarded("OnDemote", func() error { d.g.cfg.OnDemote(ctx, what); return nil }) // a panic is noted
		}
		if t != nil {
			d.calls.during("the work of the tenure", t.work.Wait)
		}
	})
	d.worker(left, func(ctx context.Context) {
		select {
		case <-done:
		case <-ctx.Done():
		}
		d.send(failover.DemoteDone{Op: e.Op})
	})
}

// guarded calls a hook of the host; a panic is noted, and its error.
func (d *driver) guarded(hook string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			d.g.counts.panics.Add(1)
			d.g.log.Warn("a hook panicked", slog.String("op", hook), slog.String("err", fmt.Sprint(v)),
				slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("the hook %s panicked: %v", hook, v)
		}
	}()
	d.calls.during(hook, func() { err = call() })
	return err
}

// calls are what the host is doing for the driver.
type calls struct {
	mu    sync.Mutex
	names []string // guarded by mu
}

// during notes the call of do, also if that panics.
func (c *calls) during(name string, do func()) {
	c.mu.Lock()
	c.names = append(c.names, name)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.names, name)
		c.names = slices.Delete(c.names, i, i+1)
	}()
	do()
}

// running are the names of the calls that have not returned.
func (c *calls) running() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.names, ", ")
}

// askHost calls a hook and waits for its answer as long as ctx lives. The hook may
// answer later, to nobody.
func (d *driver) askHost(ctx context.Context, hook string, call func() error) error {
	answer := make(chan error, 1)
	d.hooks.Go(func() { answer <- d.guarded(hook, call) })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// promote asks the host; a panic is a veto.
func (d *driver) promote(ctx context.Context, e failover.Promote) failover.Input {
	d.witness(ctx, e.Term)
	done := failover.PromoteDone{Op: e.Op}
	if d.g.cfg.BeforePromote == nil {
		return done
	}
	what := Promotion{Term: e.Term, Cause: e.Cause, Previous: e.Previous}
	done.Veto = problemOf(d.askHost(ctx, "BeforePromote", func() error { return d.g.cfg.BeforePromote(ctx, what) }))
	return done
}

// witness tells the witness what it watches over. One that fails, or does not
// answer within an attempt, leaves the node to its lease.
func (d *driver) witness(ctx context.Context, term uint64) {
	if d.g.cfg.Witness == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d.g.timing().attempt())
	defer cancel()
	s, r := d.g.current(), d.g.snap.Load().view.Record
	i := Incarnation{Access: accessFor(s), NodeID: d.g.nodeID(), Run: d.incarnation, Term: term}
	for _, m := range r.Members {
		if m.ID != i.NodeID {
			i.Peers = append(i.Peers, peerOf(m))
		}
	}
	err := d.askHost(ctx, "Witness", func() error { return d.g.cfg.Witness.Watch(ctx, i) })
	if err != nil {
		d.g.log.Warn("the witness does not watch; the lease does", slogErr(err))
	}
}

// The host's health turns after this many equal answers in a row.
const (
	riseAfter = 3
	fallAfter = 3
)

// watchHealth calls the host's check every R/2. One that does not return is
// an error each time it is due again, and delays nothing else.
func (d *driver) watchHealth(ctx context.Context) {
	healthy, streak := true, 0
	results := make(chan error, 1) // a late result is kept for the next round
	running := false
	for {
		every := max(d.g.timing().HealthReportInterval/2, time.Millisecond)
		if !running {
			running = true
			d.hooks.Go(func() { results <- d.checkHealth(ctx, every) })
		}
		err := errHealthHangs
		if !d.pause(ctx, every) {
			return
		}
		select {
		case err = <-results:
			running = false
		default:
		}
		if (err == nil) == healthy {
			streak = 0
			continue
		}
		streak++
		if healthy && streak >= fallAfter || !healthy && streak >= riseAfter {
			healthy, streak = !healthy, 0
			d.send(failover.Health{Healthy: healthy, Problem: problemOf(err)})
		}
	}
}

func (d *driver) checkHealth(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return d.guarded("Health", func() error { return d.g.cfg.Health(ctx) })
}

// problemOf is err in words, never none: to the machine no words mean that all
// is well.
func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(err.Error(), fmt.Sprintf("an error of type %T without a text", err))
}
