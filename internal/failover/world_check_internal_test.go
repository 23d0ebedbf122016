package failover

import (
	"fmt"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// invariants are what must hold at every instant of a world, by the names of
// the protocol page.
type invariants struct {
	broken  []string
	longest time.Duration // the longest failover period so far

	unsafe    time.Duration // real time: nothing is claimed about I1 before
	touched   bool          // somebody wrote the record by hand, not all have seen it
	touchedAt time.Duration
	read      map[string]time.Duration // when the store served the last read of a node

	holder map[uint64]string // of each term
	forced map[uint64]bool   // terms that an operator forced
	last   pair
}

func newInvariants() invariants {
	return invariants{unsafe: -1, read: map[string]time.Duration{}, holder: map[uint64]string{}, forced: map[uint64]bool{}}
}

// disclaim ends the claim that there is one Primary, for that long.
func (i *invariants) disclaim(w *world, d time.Duration) {
	i.unsafe = max(i.unsafe, w.now+d*10/9)
}

// tampered: assumption A1 does not hold (protocol, A1).
func (i *invariants) tampered(w *world) {
	i.touched, i.touchedAt = true, w.now
	i.holder = map[uint64]string{}
	i.last = pairOf(w.store.now.Record)
	i.disclaim(w, 0)
}

// claimed tells whether I1 is promised at this instant.
func (w *world) claimed() bool {
	i := &w.rules
	if i.touched {
		for _, n := range w.nodes {
			if n.up && (n.m.role != event.RoleNotInGroup || n.m.auth.held) && i.read[n.id] <= i.touchedAt {
				return false
			}
		}
		i.touched = false
		i.disclaim(w, 2*i.longest)
	}
	return w.now > i.unsafe
}

func (w *world) fail(format string, args ...any) {
	w.rules.broken = append(w.rules.broken, stamp(w.now)+" "+fmt.Sprintf(format, args...))
	if len(w.rules.broken) == 1 {
		w.say("!", "%s", w.rules.broken[0])
	}
}

// check holds after everything that happens: at most one node may act as
// Primary (I1), and whoever is over has been told so (I7).
func (w *world) check() {
	var acting []string
	for _, n := range w.nodes {
		if w.acts(n) {
			acting = append(acting, n.id)
		}
		w.checkStopped(n)
	}
	claimed := w.claimed()
	if claimed {
		w.reached["instants claimed"]++
	} else {
		w.reached["instants not claimed"]++
	}
	if len(acting) > 1 && claimed {
		w.fail("I1: %v hold authority at one instant", acting)
	}
}

// acts tells whether a node may be doing a Primary's work at this instant: its
// authority runs, or its host is still stopping.
func (w *world) acts(n *node) bool {
	if !n.up {
		return false
	}
	hold := w.holdOf(n)
	return n.m.auth.held && hold < n.m.auth.until || n.m.demotion.op != 0 && hold < n.m.demotion.until
}

// checkStopped: a running process is woken when its authority ends. The timers
// of a world are two nanoseconds late; a wall clock that was set is noticed at
// the next step.
func (w *world) checkStopped(n *node) {
	const late = 2 * time.Nanosecond
	if !n.up || n.frozen || n.stepped || !n.m.auth.held {
		return
	}
	if over := w.holdOf(n) - n.m.auth.stop; over > late {
		w.fail("I7: %s holds its role %v after its stop", n.id, over)
	}
}

// checkStep holds the laws of the core after every step.
func (w *world) checkStep(n *node, out Output) {
	if out.Wake < 0 {
		w.fail("law 4: %s asks to be woken in %v", n.id, out.Wake)
	}
	if n.m.role == event.RolePrimary && n.m.now.Hold >= n.m.auth.stop {
		w.fail("law 3: %s is Primary at its stop", n.id)
	}
	if out.Done && (n.m.auth.held || n.m.role == event.RolePrimary) {
		w.fail("%s is Primary and done", n.id)
	}
	if a := n.m.auth; a.held && a.cause == event.CauseForced && !w.rules.forced[a.term] {
		w.rules.forced[a.term] = true
		w.rules.disclaim(w, 2*w.rules.longest) // on an operator's word
	}
	w.checkEffects(n, out)
}

// checkEffects: each has a new number and some time, and the store has one
// operation under way at most.
func (w *world) checkEffects(n *node, out Output) {
	stores := 0
	for _, ofStore := range n.ops {
		if ofStore {
			stores++
		}
	}
	for _, e := range out.Effects {
		op, within := effectOp(e)
		if op == 0 {
			continue
		}
		if op <= n.lastOp {
			w.fail("law 6: %s numbers an effect %d after %d", n.id, op, n.lastOp)
		}
		if within <= 0 {
			w.fail("law 5: %s gives an effect %v", n.id, within)
		}
		_, reads := e.(Read)
		_, writes := e.(Write)
		if reads || writes {
			stores++
		}
		n.lastOp, n.ops[op] = op, reads || writes
	}
	if stores > 1 {
		w.fail("%s has %d operations of the store under way", n.id, stores)
	}
}

// effectOp is the number of an effect that is answered, and its time.
func effectOp(e Effect) (op uint64, within time.Duration) {
	switch e := e.(type) {
	case Read:
		return e.Op, e.Within
	case Write:
		return e.Op, e.Within
	case Send:
		return e.Op, e.Within
	case Promote:
		return e.Op, e.Within
	case Demote:
		return e.Op, 1 // its time may be over when a stopped process goes on
	case Reply, Finish:
	}
	return 0, 0
}

// checkEvent: events are numbered without gaps, and role changes follow on
// each other (I6, law 7).
func (w *world) checkEvent(n *node, e event.Event) {
	n.events++
	if e.Meta().Seq != n.events {
		w.fail("I6: event %d of %s is numbered %d", n.events, n.id, e.Meta().Seq)
	}
	c, ok := e.(event.RoleChange)
	if !ok {
		return
	}
	if c.Previous != n.role || c.New == n.role {
		w.fail("law 7: %s goes from %s to %s, and was %s", n.id, c.Previous, c.New, n.role)
	}
	n.role = c.New
}

// checkRecord holds at every write: terms and numbers grow, and a term has one
// holder (I2).
func (w *world) checkRecord(r record.Record) {
	i := &w.rules
	i.longest = max(i.longest, r.AllowedAbsence)
	p := pairOf(r)
	if p.less(i.last) {
		w.fail("I2: the record went from %v back to %v", i.last, p)
	}
	i.last = p
	if by, ok := i.holder[r.Term]; ok && by != r.Primary {
		w.fail("I2: term %d has two holders, %q and %q", r.Term, by, r.Primary)
	}
	i.holder[r.Term] = r.Primary
}
