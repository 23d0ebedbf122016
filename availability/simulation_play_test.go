package availability_test

import (
	"context"
	"maps"
	"slices"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

func simDeedNames() []simDeed { return slices.Sorted(maps.Keys(simActs())) }

// play carries the plan out.
func (w *simWorld) play() {
	acts := simActs()
	w.recover()
	for _, s := range w.plan.steps {
		w.run(s.wait)
		if w.failed() {
			return
		}
		w.say("*", "%s", s)
		if s.deed == deedRecover {
			w.recover()
			continue
		}
		a, b := w.aim(s)
		acts[s.deed].do(w, s, a, b)
	}
	w.run(w.plan.w())
}

// aim returns the two members that a step is about.
func (w *simWorld) aim(s simStep) (a, b *simMember) {
	a, b = w.members[s.a], w.members[s.b]
	r, ok := w.ledger.holds()
	i := slices.IndexFunc(w.members, func(m *simMember) bool { return m.id == r.Primary })
	if !s.aimed || !ok || i < 0 || w.members[i] == a {
		return a, b
	}
	if w.members[i] == b {
		return b, a
	}
	return w.members[i], b
}

// kill makes a process as dead as SIGKILL does: nothing of it reaches anybody
// any more. Its goroutines are then told to end.
func (w *simWorld) kill(p *simProcess) {
	w.say(p.name(), "is killed")
	close(p.killed)
	p.m.setProcess(nil)
	p.m.machine.resume() // it boots again, if it was suspended
	p.cancel()
	p.checkHeard()
}

// stop tells a process to end.
func (w *simWorld) stop(m *simMember) {
	p := m.process()
	if p == nil || p.frozen() || !p.told.IsZero() {
		return
	}
	w.say(p.name(), "is told to end")
	w.reach("shutdowns")
	p.told = time.Now()
	p.cancel()
}

// freeze stops a process, or the whole machine, or has it go on.
func (w *simWorld) freeze(m *simMember, machine bool) {
	p := m.process()
	if p != nil {
		p.rested = p.rested || !p.told.IsZero()
	}
	switch {
	case p == nil:
	case p.frozen():
		w.thaw(p)
	case machine && time.Since(m.setBack) < w.plan.w()/10: // nobody has looked since: A2 excludes it
	case machine:
		w.say(p.name(), "is suspended with its machine")
		w.reach("suspensions")
		p.freeze()
		m.machine.suspend()
	default:
		w.say(p.name(), "is stopped")
		w.reach("processes stopped")
		p.freeze()
	}
}

func (w *simWorld) thaw(p *simProcess) {
	w.say(p.name(), "goes on")
	if p.m.machine.resume() {
		p.wake()
	}
	p.thaw()
}

func (w *simWorld) newTiming(s simStep) availability.Timing {
	longer := w.plan.w() / 2 * []time.Duration{1, 2, 3, 6}[s.upTo(1, 4)]
	longer = max(longer, 500*time.Millisecond)
	return availability.Timing{
		AllowedAbsenceInterval: longer,
		HealthReportInterval:   (longer / 3).Truncate(time.Millisecond),
		HealthCheckInterval:    (longer / 2).Truncate(time.Millisecond),
	}
}

func (w *simWorld) join(m *simMember) {
	w.ask(m, "join", func(ctx context.Context, g *availability.Group) error { return g.Join(ctx) })
}

func (w *simWorld) resume(m *simMember) {
	w.ask(m, "resume", func(ctx context.Context, g *availability.Group) error { return g.Resume(ctx) })
}

func (w *simWorld) create(m *simMember) {
	w.ask(m, "create", func(ctx context.Context, g *availability.Group) error {
		return g.Create(ctx, availability.AdoptHostRecord())
	})
}

// force excludes the time of the request from what is claimed: the operator's
// word need not be true.
func (w *simWorld) force(m *simMember) {
	w.disclaim(6*w.longestW() + 2*w.longestW())
	w.ask(m, "force", func(ctx context.Context, g *availability.Group) error {
		return g.Failover(ctx, availability.Force("the others are dead"))
	})
}

// calm ends all faults, and starts what is down.
func (w *simWorld) calm() {
	if !w.plant.neverCalm {
		w.heal()
	}
	for _, m := range w.members {
		m.change(func(mood *simMood) { *mood = simMood{} })
		if p := m.process(); p != nil && p.frozen() {
			w.thaw(p)
		}
	}
	for _, m := range w.members {
		if p := m.process(); p != nil && !p.told.IsZero() {
			w.until(w.longestW(), func() bool { return m.process() == nil })
		}
		w.start(m)
	}
}

// heal ends what is wrong with the network and the way to the store.
func (w *simWorld) heal() {
	for _, m := range w.members {
		for _, o := range w.members {
			w.net.Heal(m.id, o.id)
		}
	}
	w.spoil(func(f *simFaults) { *f = w.calmFaults() })
}

// recover ends the faults and waits for one Primary within the promised time
// (I5), with no help but where no group can do without.
func (w *simWorld) recover() {
	w.calm()
	synctest.Wait()
	for _, m := range w.members {
		if p := m.process(); p != nil {
			if role, _ := p.watches[0].present(); role != event.RoleNotInGroup {
				w.resume(m)
			}
		}
	}
	if !w.until(w.bound(), w.settled) && !w.failed() {
		if w.able() {
			w.fail("I5: no Primary within %v after the faults ended", w.bound())
			return
		}
		w.operate()
	}
	w.reach("recoveries")
	for _, m := range w.members {
		if p := m.process(); p != nil && p.GetNodeState().NodeRole == event.RoleNotInGroup {
			w.join(m)
		}
	}
}

// settled: one node is Primary, and the record of a living group says so.
func (w *simWorld) settled() bool {
	r, ok := w.ledger.holds()
	if !ok {
		return false
	}
	var primaries []string
	for _, p := range w.live() {
		if p.IsPrimary() {
			primaries = append(primaries, p.m.id)
		}
	}
	return len(primaries) == 1 && r.Primary == primaries[0]
}

// able: the group can have a Primary without an operator: it is there, is not
// paused, and a confirmed member takes part in it that may be Primary.
func (w *simWorld) able() bool {
	r, ok := w.ledger.holds()
	if !ok || r.Paused {
		return false
	}
	for _, p := range w.live() {
		m, listed := r.Member(p.m.id)
		role, _ := p.watches[0].present()
		if listed && !m.Joining && m.Eligible() && p.m.plan.priority >= 0 && role != event.RoleNotInGroup {
			return true
		}
	}
	return false
}

// operate is the operator: a group that is gone is created again, one that is
// paused, or that names nobody who could take over, gets a Primary by force.
func (w *simWorld) operate() {
	w.say("*", "an operator helps")
	for _, m := range w.members {
		if m.plan.priority < 0 {
			continue
		}
		if _, ok := w.ledger.holds(); !ok {
			w.create(m)
		} else {
			w.join(m)
			w.run(w.plan.w() / 15)
			if !w.able() {
				w.force(m)
			}
		}
		if w.until(w.bound(), w.settled) {
			w.reach("operator")
			return
		}
		if w.failed() {
			return
		}
	}
	w.fail("I5: no Primary, though an operator has helped, within %v after the faults ended", w.bound())
}

// bound is how long a healed group may have no Primary: everybody waits for
// the failover period, the last rank longest, on the slowest clock; twice, as a
// silence may begin with the end of the faults.
func (w *simWorld) bound() time.Duration {
	long := w.longestW()
	b := 2*long*10/9 + time.Duration(len(w.members))*long/15 + long/15
	if v := w.reachedSoFar("vetoes"); v > w.vetoes {
		w.vetoes = v
		b += 64 * long // cooling down
	}
	return b
}
