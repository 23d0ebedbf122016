package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// claim takes the record with a higher term, if a rule allows it now: one
// conditional write that names this node and moves the host record.
func (m *Machine) claim() bool {
	cause, ok := m.mayClaim()
	if !ok || !m.mayWrite() {
		return false
	}
	m.claimAs(cause)
	return true
}

func (m *Machine) claimAs(cause event.Cause) {
	r := m.next(m.known.seen.Record)
	r.Term, r.Seq = m.nextTerm(), 1
	m.write(kindClaim, cause, r, false)
}

// mayClaim asks the rules in order: a released record and one that names this
// run can be taken at once (rules 8 and 9), any other after the wait (rule 6).
func (m *Machine) mayClaim() (event.Cause, bool) {
	if !m.eligible() || m.demoting() || m.yielding() {
		return "", false
	}
	r := m.known.seen.Record
	if m.known.older {
		return m.mayTakeOver(r)
	}
	switch {
	case r.Primary == "":
		return event.CauseReleased, true
	case m.named(r) && r.By != m.cfg.Self.ID:
		return event.CauseHandover, true
	case m.named(r) && r.Term > m.known.voidTerm:
		return event.CauseReclaimed, !m.promising()
	case r.By != r.Primary && m.due(m.known.learned+2*m.timing().Attempt()):
		return event.CauseHandover, true
	}
	return m.mayTakeOver(r)
}

// eligible: a confirmed member that can be Primary, is healthy, has read the
// record, and is not cooling down.
func (m *Machine) eligible() bool {
	if m.auth.held || m.stopping || m.known.seen.Found != Present || !m.known.fresh || m.known.absent {
		return false
	}
	me, ok := m.self()
	return ok && !me.Joining && me.Eligible() && m.cfg.Self.Eligible() && m.sameAddress(me) &&
		!m.known.seen.Record.Dissolved && m.healthy && m.due(m.cool.until)
}

// named: the record names this run, or one of this ID that is proved dead.
func (m *Machine) named(r record.Record) bool {
	return r.Primary == m.cfg.Self.ID && m.ours(r.Run)
}

func (m *Machine) ours(run string) bool {
	return run != "" && (run == m.cfg.Run || m.cfg.ProvenDead != nil && m.cfg.ProvenDead(run))
}

// mayTakeOver is rule 6: the Primary was silent for W, and our turn has come.
func (m *Machine) mayTakeOver(r record.Record) (event.Cause, bool) {
	if r.Paused || m.promising() || !m.due(m.takeoverAt(r)) {
		return "", false
	}
	if r.Primary == m.cfg.Self.ID && !m.ours(r.Run) && !m.probed(r) {
		return "", false
	}
	return event.CausePrimaryLost, true
}

// takeoverAt is quiet + W and our rank's share.
func (m *Machine) takeoverAt(r record.Record) time.Duration {
	t := m.timingOf(r)
	return m.known.quiet + t.W + time.Duration(m.rank(r))*t.Stagger()
}

// maxRank bounds the wait of the last candidate.
const maxRank = 10

// rank is this node's place among the candidates: by priority, then by ID. The
// Primary itself comes last.
func (m *Machine) rank(r record.Record) int {
	var c []record.Member
	for _, x := range r.Members {
		if !x.Joining && x.Eligible() && x.ID != r.Primary {
			c = append(c, x)
		}
	}
	byPreference(c)
	i := slices.IndexFunc(c, func(x record.Member) bool { return x.ID == m.cfg.Self.ID })
	if i < 0 {
		i = len(c)
	}
	return min(i, maxRank)
}

func byPreference(c []record.Member) {
	slices.SortStableFunc(c, func(a, b record.Member) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
	})
}

// probe asks the other members, before a restarted run takes over without
// proof that its old run is dead, whether they have promised to another run of
// its ID (rule 8).
type probe struct {
	number  pair          // of the record that it is about
	quiet   time.Duration // and the silence
	open    []uint64
	done    bool
	refused bool
}

func (m *Machine) probed(r record.Record) bool {
	p := &m.probe
	if p.number != pairOf(r) || p.quiet != m.known.quiet {
		*p = probe{number: pairOf(r), quiet: m.known.quiet}
		for _, x := range r.Members {
			if x.ID == m.cfg.Self.ID {
				continue
			}
			op := m.op()
			p.open = append(p.open, op)
			m.do(Send{Op: op, To: x, Message: Query{Group: r.Group}, Within: m.timingOf(r).Attempt()})
		}
		p.done = len(p.open) == 0
	}
	return p.done
}

// probeAnswered takes one answer; a recent promise to another run of this ID
// means that two processes use it.
func (m *Machine) probeAnswered(in Answered) bool {
	p := &m.probe
	i := slices.Index(p.open, in.Op)
	if i < 0 {
		return false
	}
	p.open = slices.Delete(slices.Clone(p.open), i, i+1)
	r, ok := in.Message.(Report)
	w := m.timing().W
	if ok && in.Problem == "" && r.PromisedTo == m.cfg.Self.ID && r.PromisedRun != m.cfg.Run && r.PromisedAgo < w {
		p.refused = true
	}
	if len(p.open) > 0 {
		return true
	}
	if !p.refused {
		p.done = true
		return true
	}
	m.known.quiet = m.now.Wait
	m.probe = probe{}
	m.conflict("another process uses the node ID " + m.cfg.Self.ID + ": " + in.From + " has promised to it")
	return true
}
