package failover

import (
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// authority is the right to act as Primary: an instant, not a flag.
type authority struct {
	held  bool
	until time.Duration // hold: nothing of ours may act at or after it
	stop  time.Duration // hold: the Primary stops, δ before that
	term  uint64
	seq   uint64        // last number used in this term
	base  record.Record // last content known to be ours
	sent  time.Duration // wait: last send of a write, R counts from here
	from  time.Duration // hold: the latest send that the authority rests on

	shown bool   // the role shows; false while the host is asked
	gate  uint64 // the Promote that asks it
	cause event.Cause
	prev  string // the Primary before

	urgent   bool // a write is due before R has passed
	absent   bool // a read showed no record: promises no longer count (rule 11)
	riskTold bool
	conflict int // conflicts in a row
}

// attempt is a write whose end is not known yet.
type attempt struct {
	kind  kind
	rec   record.Record
	sent  time.Duration // hold: before anything that carries its number left
	wait  time.Duration // wait: the same instant
	cause event.Cause
	void  bool // the authority was lost since: extends nothing (rule 3)
}

// kind is what a write is for.
type kind uint8

const (
	kindRenew  kind = iota // the Primary's, same term
	kindClaim              // a new term for ourselves: takeover, reclaim, forced
	kindCreate             // the first record of a group
	kindYield              // a new term for another, or for nobody
	kindEdit               // join, leave: the Primary's numbers stay
	kindTomb               // dissolve
)

// claims: such a write gives authority, so we promise nothing while its end is
// unknown (rule 4).
func (k kind) claims() bool { return k == kindRenew || k == kindClaim || k == kindCreate }

// demotion is the host stopping its work.
type demotion struct {
	op    uint64
	until time.Duration // hold
}

// shortest is the timing with the smallest W among the record and all writes
// of unknown end: the one that authority must be counted by (rule 14).
func (m *Machine) shortest() Timing {
	t := m.timing()
	for _, a := range m.tries {
		t = shorter(t, m.timingOf(a.rec))
	}
	return t
}

func shorter(a, b Timing) Timing {
	if b.W < a.W {
		return b
	}
	return a
}

// extend moves the end of the authority to s + length, never back (rule 2).
func (m *Machine) extend(s, length time.Duration) {
	a := &m.auth
	if s+length > a.until {
		a.until = s + length
		a.riskTold = false
	}
	a.stop = max(a.stop, s+length-m.cfg.Timing.spare(length))
	a.from = max(a.from, s)
}

// lapse ends an authority whose stop has come (rule 3).
func (m *Machine) lapse() {
	if m.auth.held && m.now.Hold >= m.auth.stop {
		m.demote(event.CauseLeaseLost, "")
		m.store.wanted = true
	}
}

// wakeToStop has the machine woken when its authority ends, whatever else it
// waits for. It comes last in a step: everything before may move that instant.
func (m *Machine) wakeToStop() {
	if m.auth.held {
		m.dueHold(m.auth.stop)
	}
}

// drop ends the authority and voids everything that was sent under it (rule 3).
func (m *Machine) drop() {
	m.auth = authority{}
	for i := range m.tries {
		m.tries[i].void = true
	}
	for i := range m.peers {
		m.peers[i].vote = vote{}
		m.peers[i].void = m.peers[i].op != 0
		m.peers[i].stable = false // the next authority hears for itself how they are
	}
}

// demote drops the authority, says so, and has the host stop its work, which
// it must have done when the authority that is now dropped would have ended.
func (m *Machine) demote(cause event.Cause, next string) {
	was := m.auth
	until := min(was.until, m.now.Hold+m.shortest().StopBudget())
	m.drop()
	if !was.shown {
		return
	}
	m.become(event.RoleSecondary, cause)
	m.demotion = demotion{op: m.op(), until: until}
	m.do(Demote{Op: m.demotion.op, Term: was.term, Cause: cause, Next: next, Until: until})
}

// demoting: the host has yet to stop its work, and its time is not up.
func (m *Machine) demoting() bool {
	return m.demotion.op != 0 && !m.dueHold(m.demotion.until)
}

// win begins an authority with a confirmed write of a new term. One whose own
// authority is over already begins none: rule 8 then applies to it.
func (m *Machine) win(a attempt, now record.Record) {
	t := m.shortestWith(a)
	until := a.sent + t.Lease()
	stop := until - t.StopBudget()
	if stop <= m.now.Hold {
		m.noteVoid(a)
		return
	}
	m.auth = authority{
		held: true, until: until, stop: stop, term: a.rec.Term, seq: a.rec.Seq, base: now, sent: a.wait, from: a.sent,
		cause: a.cause, prev: m.known.before,
	}
	if a.cause == event.CauseReclaimed {
		m.auth.prev = m.cfg.Self.ID
	}
	m.lastHeartbeat = m.now.Wall
	if !m.cfg.Gate {
		m.show()
		return
	}
	m.auth.gate = m.op()
	m.do(Promote{Op: m.auth.gate, Term: a.rec.Term, Cause: a.cause, Previous: m.auth.prev, Within: m.timingOf(a.rec).W})
}

func (m *Machine) shortestWith(a attempt) Timing {
	return shorter(m.shortest(), m.timingOf(a.rec))
}

// show makes a won role visible.
func (m *Machine) show() {
	m.auth.shown = true
	m.cool.length = 0
	m.become(event.RolePrimary, m.auth.cause)
	cause, prev := m.auth.cause, m.auth.prev
	if cause == event.CauseCreated {
		return
	}
	m.tell(func(h event.Header) event.Event {
		return event.FailoverResult{Header: h, From: prev, To: m.cfg.Self.ID, Cause: cause, Reason: m.claimReason()}
	}, event.FailoverFinished)
}

// coolDown keeps a node whose host refused the role from trying at once again.
type coolDown struct {
	until  time.Duration // wait
	length time.Duration
}

func (m *Machine) cooling() bool { return m.cool.until > m.now.Wait }

// promoteDone takes the host's word. A veto gives the record back and cools
// down, each time twice as long.
func (m *Machine) promoteDone(in PromoteDone) {
	if !m.auth.held || in.Op != m.auth.gate || m.auth.shown {
		return
	}
	m.auth.gate = 0
	if in.Veto == "" {
		m.show()
		return
	}
	w := m.timing().W
	m.cool.length = min(max(w, 2*m.cool.length), 64*w)
	m.cool.until = m.now.Wait + m.cool.length
	prev, cause := m.auth.prev, m.auth.cause
	m.drop()
	if m.entering() {
		m.end(CodeNoTarget, "the host refused the role: "+in.Veto)
	}
	m.tell(func(h event.Header) event.Event {
		return event.FailoverResult{Header: h, From: prev, To: m.cfg.Self.ID, Cause: cause, Problem: "vetoed by the host: " + in.Veto}
	}, event.FailoverFinished)
	m.tasks = append([]task{{req: Request{Verb: verbYield}, step: stepYield, cause: event.CauseVetoed}}, m.tasks...)
}

// noteRisk tells once when an extension is overdue by a whole attempt.
func (m *Machine) noteRisk() {
	a := &m.auth
	if !a.held || !a.shown || a.riskTold {
		return
	}
	t := m.shortest()
	if !m.dueHold(a.from + t.R + t.Attempt() + t.BackOff()) {
		return
	}
	a.riskTold = true
	left := a.stop - m.now.Hold
	m.tell(func(h event.Header) event.Event {
		return event.AuthorityRisk{Header: h, Until: m.now.Wall.Add(left)}
	}, event.AuthorityAtRisk)
}
