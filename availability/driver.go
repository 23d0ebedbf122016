package availability

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// driver runs the machine: it is the only one to call it, and does nothing
// that can block. What takes time is done by workers, one for each effect.
type driver struct {
	g           *Group
	machine     *failover.Machine
	clock       failover.Clock
	incarnation string

	all     *errgroup.Group // everything that Run owns
	work    context.Context //nolint:containedctx // the workers' context; it ends when the machine is done
	links   *links
	replies *replies
	hooks   sync.WaitGroup // calls of the host's hooks
	calls   calls          // which of them

	leaving *tenure // that the last Demote is about
	settled bool    // it was in a group, or has told why it will not be
}

// newDriver makes what can fail before the group starts.
func newDriver(g *Group) (*driver, error) {
	d := &driver{g: g, replies: newReplies(), incarnation: randomHex()}
	d.links = &links{g: g, run: d.incarnation, ready: make(chan struct{})}
	if err := g.state.open(); err != nil {
		return nil, err
	}
	s := g.current()
	if err := errors.Join(g.state.begin(d.incarnation), d.openLinks(s)); err != nil {
		return nil, errors.Join(err, g.state.close())
	}
	g.links.Store(d.links)
	d.machine = failover.New(d.config(s), d.now())
	return d, nil
}

// openLinks opens the store. A node that is in no group, and enters none unasked,
// needs none before it is told to; its settings can be mended until then.
func (d *driver) openLinks(s Settings) error {
	err := d.links.open(s)
	if err == nil || d.g.member || d.g.cfg.Bootstrap != BootstrapManual {
		return err
	}
	d.g.log.Warn("no store is open; the node is in no group, and waits for other settings", slogErr(err))
	return nil
}

func (d *driver) config(s Settings) failover.Config {
	c := d.g.cfg
	return failover.Config{
		Group: s.GroupFQDN, Self: d.g.self(s), Run: d.incarnation, ProvenDead: d.g.state.provenDead, Timing: timingFor(s),
		Bootstrap: bootstrapFor(c.Bootstrap), FailbackAfter: c.FailbackAfter,
		Gate: c.BeforePromote != nil || c.Witness != nil, Idle: !d.links.isOpen(s), Random: randomUint64,
	}
}

func randomUint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return binary.BigEndian.Uint64(b[:])
}

func randomHex() string { return fmt.Sprintf("%08x", randomUint64()>>32) }

// now reads the clocks, no earlier than any reader has.
func (d *driver) now() failover.Now {
	if s := d.g.snap.Load(); s.lapsed.Load() {
		d.clock.Push(s.view.Stop)
	}
	return d.clock.Read(d.g.cfg.Clock.Now())
}

// run is Run: it starts everything, drives the machine until it is done, and
// waits for everything.
func (d *driver) run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.all, d.work = &errgroup.Group{}, work
	d.g.hub.run(work)
	d.all.Go(func() error { d.serve(work); return nil })
	if d.g.cfg.Health != nil {
		d.all.Go(func() error { d.watchHealth(work); return nil })
	}
	d.announce()
	wake := d.step(failover.Tick{})
	close(d.g.began)
	told := d.loop(ctx, wake)
	d.end()
	d.g.watches.Wait()
	cancel()
	err := d.all.Wait()
	d.awaitHost(d.left(told))
	d.links.close()
	return errors.Join(err, d.g.state.close())
}

// announce says what the node will do without being asked.
func (d *driver) announce() {
	s := d.g.current()
	if d.g.cfg.Bootstrap == BootstrapManual || !s.complete() {
		return
	}
	text := "joins the group, waiting for it to exist"
	if d.g.cfg.Bootstrap == BootstrapCreate {
		text = "joins the group, or creates it when there has been none for the failover period"
	}
	d.g.log.Info("bootstrap", slog.String("group", s.GroupFQDN), slog.String("node", d.g.nodeID()),
		slog.String("text", text), slog.Duration("after", s.AllowedAbsenceInterval))
}

// left is what is left of the time in which Run has to end, 0.21·W from when
// it was told to. The machine takes δ + 2·U of it at most, so there is always a
// little for the last events.
func (d *driver) left(told time.Time) time.Duration {
	t := d.g.timing()
	w := t.AllowedAbsenceInterval
	most := w / 100 * 21
	least := most - t.stopBudget() - 2*t.attempt()
	return max(least, most-d.g.cfg.Clock.Now().Sub(told))
}

// awaitHost waits for the host: for calls of its hooks, which have been told
// to return, and for its handlers to be told the last events.
func (d *driver) awaitHost(within time.Duration) {
	var both sync.WaitGroup
	both.Go(func() { d.awaitHooks(within) })
	both.Go(func() { d.closeHub(within) })
	both.Wait()
}

// closeHub has the last events delivered, to handlers that return in time.
func (d *driver) closeHub(within time.Duration) {
	soft, cancelSoft := context.WithTimeout(context.WithoutCancel(d.work), within/2)
	defer cancelSoft()
	hard, cancelHard := context.WithTimeout(context.WithoutCancel(d.work), within)
	defer cancelHard()
	if hanging := d.g.hub.close(soft, hard); hanging > 0 {
		d.g.log.Warn("handlers have not returned", slog.Int("handlers", hanging))
	}
}

// awaitHooks does not wait for a hook that does not listen.
func (d *driver) awaitHooks(within time.Duration) {
	done := make(chan struct{})
	go func() {
		d.hooks.Wait()
		close(done)
	}()
	t := d.g.cfg.Clock.Timer(within)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		d.g.log.Warn("a hook has not returned", slog.String("op", d.calls.running()))
	}
}

// loop feeds the machine until it is done; wake is what its last step returned.
// It returns when the machine was told to end.
func (d *driver) loop(ctx context.Context, wake time.Duration) (told time.Time) {
	stop := ctx.Done()
	for wake >= 0 {
		in := d.next(wake, stop)
		if _, stopping := in.(failover.Stop); stopping {
			stop, told = nil, d.g.cfg.Clock.Now()
		}
		wake = d.step(in)
	}
	return told
}

// next waits for the next input; wake is when a Tick is due, from now, 0: never.
// While it holds authority there is one at each lookout: a step is what reads the
// clocks.
func (d *driver) next(wake time.Duration, stop <-chan struct{}) failover.Input {
	nap := d.g.snap.Load().nap(d.g.cfg.Clock.Now())
	if nap == 0 || wake > 0 && wake < nap {
		nap = wake
	}
	if in, ok := d.await(nap, stop); ok {
		return in
	}
	return failover.Tick{}
}

// await waits for an input for that long, 0: as long as it takes. The timer is
// made anew for each wait, since a reset one can fire for a time that has been
// given up.
func (d *driver) await(nap time.Duration, stop <-chan struct{}) (in failover.Input, ok bool) {
	var due <-chan time.Time
	if nap > 0 {
		t := d.g.cfg.Clock.Timer(nap)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-stop:
		return failover.Stop{}, true
	case <-due:
		return nil, false
	case <-d.g.nudge:
		return failover.Tick{}, true
	case in := <-d.g.inputs:
		return in, true
	}
}

// step takes one input and applies what comes of it, always in this order:
// snapshot, events, log, effects. It returns when to wake, negative at the end.
func (d *driver) step(in failover.Input) time.Duration {
	out := d.machine.Step(d.now(), in)
	d.publish()
	d.tellDissolved()
	d.trace(in, out)
	d.g.hub.publish(out.Events)
	for _, e := range out.Events {
		d.logEvent(e)
		d.tellWitness(e)
	}
	for _, e := range out.Effects {
		d.start(e)
	}
	if out.Done {
		return -1
	}
	return out.Wake
}

// tellDissolved says once that a node which creates its group by itself waits for
// another one to do so: a dissolved group is not one that is yet to be made.
func (d *driver) tellDissolved() {
	v := &d.g.snap.Load().view
	dissolved := v.Known && v.Record.Dissolved
	if d.settled || !v.InGroup && (!dissolved || d.g.cfg.Bootstrap != BootstrapCreate) {
		return
	}
	if d.settled = true; v.InGroup {
		return
	}
	d.g.log.Warn("the group was dissolved, and no node creates it by itself any more: "+
		"create it with Create, or POST group", slog.String("group", v.Record.Group), slog.String("node", d.g.nodeID()))
}

// tellWitness tells a Primary's witness of each change of the members.
func (d *driver) tellWitness(e event.Event) {
	term := d.g.snap.Load().primaryTerm()
	if _, changed := e.(event.MembersChange); changed && term != 0 && d.g.cfg.Witness != nil {
		d.worker(d.g.timing().attempt(), func(ctx context.Context) { d.witness(ctx, term) })
	}
}

// trace logs a step in the words that scripts are written in.
func (d *driver) trace(in failover.Input, out failover.Output) {
	_, tick := in.(failover.Tick)
	if tick && len(out.Events)+len(out.Effects) == 0 || !d.g.log.Enabled(d.work, slog.LevelDebug) {
		return
	}
	d.g.log.LogAttrs(d.work, slog.LevelDebug, "step",
		slog.String("input", failover.DescribeInput(in)), slog.String("state", failover.DescribeState(d.machine)))
	for _, e := range out.Effects {
		d.g.log.LogAttrs(d.work, slog.LevelDebug, "effect", slog.String("effect", failover.DescribeEffect(e)))
	}
}

// publish makes the new state visible, and begins or ends the tenure with it.
func (d *driver) publish() {
	s := &snapshot{view: d.machine.View(), clock: d.clock, node: d.g.nodeID()}
	was, is := d.g.show(s), s.primaryTerm()
	if was == is {
		return
	}
	if was != 0 {
		d.leaving = d.g.endTenure()
	}
	if is != 0 {
		d.g.beginTenure(is)
	}
}

// end makes sure that nothing is Primary when the machine is done.
func (d *driver) end() {
	d.publish()
	d.g.endTenure()
}

// send hands an input to the driver, unless the machine is done.
func (d *driver) send(in failover.Input) {
	select {
	case d.g.inputs <- in:
	case <-d.work.Done():
	}
}
