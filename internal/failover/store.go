package failover

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// storeOp is what the machine does with the store: one operation at a time.
type storeOp struct {
	op     uint64 // under way, 0: none
	write  bool
	host   bool          // the read under way asks for the host record, too
	began  time.Duration // wait: start of the last read
	budget time.Duration // wait: end of the attempt that a read-back belongs to

	wanted  bool          // a read is wanted as soon as possible
	must    bool          // and no write before it (rule 7)
	readAt  time.Duration // wait: no read before
	writeAt time.Duration // wait: no write before
	barred  string        // why the server refused the last write; empty since the record has changed
}

// readFirst reads what has to be known before anything is written.
func (m *Machine) readFirst() bool {
	if !m.store.must {
		return false
	}
	if m.due(m.store.readAt) {
		m.read()
	}
	return true
}

// readDue reads when it is wanted or its time has come.
func (m *Machine) readDue() {
	if m.cfg.Idle && len(m.tasks) == 0 {
		return
	}
	if m.store.wanted {
		if m.due(m.store.readAt) {
			m.read()
		}
		return
	}
	if every := m.readEvery(); every >= 0 && m.due(m.store.began+every) {
		m.read()
	}
}

func (m *Machine) read() {
	s := &m.store
	t := m.shortest()
	s.op, s.write, s.wanted, s.began = m.op(), false, false, m.now.Wait
	within := t.opBudget()
	if left := s.budget - m.now.Wait; left > 0 {
		within = max(left, t.Attempt()/3)
	}
	s.host = m.auth.held || m.wantsHost()
	m.do(Read{Op: s.op, Host: s.host, Within: within})
}

// readEvery is how often the record is read in the present state; -1: not at all.
func (m *Machine) readEvery() time.Duration {
	t := m.timing()
	often := t.alarmEvery()
	switch {
	case len(m.tasks) > 0:
		return m.tasks[0].readEvery(t)
	case m.stopping && !m.auth.held:
		return -1
	case m.auth.held:
		return t.C
	case m.joining():
		return often
	case m.known.absent && m.role != event.RoleNotInGroup:
		return t.C
	case m.role == event.RoleNotInGroup:
		if m.cfg.Bootstrap == BootstrapManual || m.settled {
			return -1
		}
		return often
	case m.unheld() || m.due(m.lastDirect+t.alarmAfter()):
		return often
	default:
		return t.C
	}
}

// readEvery: somebody waits for a request, or nobody is Primary meanwhile.
func (t *task) readEvery(x Timing) time.Duration {
	if t.step >= stepYield || t.id != 0 {
		return min(x.alarmEvery(), x.BackOff())
	}
	return x.alarmEvery()
}

// unheld: nobody is Primary by the record, or somebody is about to be.
func (m *Machine) unheld() bool {
	r := m.known.seen.Record
	return r.Primary == "" || r.Primary == m.cfg.Self.ID || r.By != r.Primary
}

// mayWrite: nothing is known that speaks against a write on what was seen.
func (m *Machine) mayWrite() bool {
	return m.store.op == 0 && !m.store.must && m.known.fresh && m.due(m.store.writeAt)
}

// write sends the record, conditional on the RRset that was seen last
// (rule 1), after its instant was stamped (rule 2).
func (m *Machine) write(k kind, cause event.Cause, r record.Record, hostAbsent bool) {
	r.Nonce = fmt.Sprintf("%016x", m.cfg.Random())
	r.At = m.now.Wall
	if len(m.tries) == 0 {
		m.openOn = ident(m.known.seen)
	}
	m.tries = append(m.forgotten(), attempt{kind: k, rec: r, sent: m.now.Hold, wait: m.now.Wait, cause: cause})
	t := m.shortest()
	s := &m.store
	s.op, s.write, s.wanted, s.budget = m.op(), true, false, m.now.Wait+t.Attempt()
	if k == kindRenew {
		m.auth.seq, m.auth.sent, m.auth.urgent = r.Seq, m.now.Wait, false
		m.cut()
	}
	m.do(Write{Op: s.op, Token: m.known.seen.Token, Record: r, HostAbsent: hostAbsent, Within: t.opBudget()})
}

// cut shortens the authority at the send of new timings (rule 14).
func (m *Machine) cut() {
	t := m.shortest()
	end := m.now.Hold + t.Lease()
	m.auth.until, m.auth.stop = min(m.auth.until, end), min(m.auth.stop, end-t.StopBudget())
}

// maxTries bounds the writes of unknown end that are kept apart.
const maxTries = 16

// forgotten drops the oldest try that one after it stands for: same timings,
// same members. Should it be the one that was applied, authority is lost, and
// nothing else.
func (m *Machine) forgotten() []attempt {
	if len(m.tries) < maxTries {
		return m.tries
	}
	for i := range len(m.tries) - 1 {
		a, b := m.tries[i].rec, m.tries[i+1].rec
		same := slices.EqualFunc(a.Members, b.Members, func(x, y record.Member) bool { return x.ID == y.ID && x.Joining == y.Joining })
		if same && m.timingOf(a) == m.timingOf(b) {
			return slices.Delete(slices.Clone(m.tries), i, i+1)
		}
	}
	return m.tries
}

// next is the content of our next write as Primary: joining members confirmed,
// ourselves as we are now, also if somebody struck us out, what a running task
// wants.
func (m *Machine) next(base record.Record) record.Record {
	r := base.Clone()
	r.Primary, r.By, r.Run, r.Dissolved = m.cfg.Self.ID, m.cfg.Self.ID, m.cfg.Run, false
	me := m.cfg.Self
	if was, ok := r.Member(me.ID); ok {
		me.Extra = was.Extra
	}
	r = withMember(r, me)
	for i := range r.Members {
		r.Members[i].Joining = false
	}
	m.edit(&r)
	return r
}

// withMember returns r with x among its members, in place of the entry with
// its ID.
func withMember(r record.Record, x record.Member) record.Record {
	r = without(r, x.ID)
	r.Members = append(r.Members, x)
	slices.SortFunc(r.Members, func(a, b record.Member) int { return cmp.Compare(a.ID, b.ID) })
	return r
}

// without returns r less that member. It changes the members of r in place.
func without(r record.Record, id string) record.Record {
	r.Members = slices.DeleteFunc(r.Members, func(x record.Member) bool { return x.ID == id })
	return r
}

// renew writes the record as Primary: every R from the last send, and at once
// when something has to be said.
func (m *Machine) renew() bool {
	a := &m.auth
	if !a.held || m.known.seen.Found != Present {
		return false
	}
	if !a.urgent && !m.due(a.sent+m.shortest().R) {
		return false
	}
	if !m.mayWrite() {
		return false
	}
	base := m.known.seen.Record
	if m.known.older || base.Group != a.base.Group {
		base = a.base // a restored zone is written over (rule 7)
	}
	r := m.next(base)
	r.Term, r.Seq = a.term, a.seq+1
	m.write(kindRenew, a.cause, r, false)
	return true
}

// answers: that is the operation under way.
func (m *Machine) answers(op uint64) bool { return op != 0 && op == m.store.op }

// writeDone takes the end of a write. Only an applied write is believed at
// once; a refused one is certain too; everything else is read (rule 7).
func (m *Machine) writeDone(in WriteDone) {
	s := &m.store
	if !m.answers(in.Op) || !s.write {
		return
	}
	s.op = 0
	switch in.End {
	case Applied:
		s.budget = 0 // there is nothing to read back
		m.applied(in.Token)
	case Refused:
		s.budget = 0
		m.refused(in.Problem)
	case Conflicted:
		m.auth.conflict++
		m.unknown(m.auth.conflict > 3)
	case Unknown:
		m.unknown(true)
	}
}

// unknown: read before anything else, and do not hurry.
func (m *Machine) unknown(pause bool) {
	m.store.wanted, m.store.must, m.store.readAt = true, true, m.now.Wait
	m.auth.urgent = m.auth.held
	if pause {
		m.store.writeAt = m.now.Wait + m.shortest().BackOff()
	}
}

// latest is the write under way, or that was until now: while it is, no try is
// resolved.
func (m *Machine) latest() int { return len(m.tries) - 1 }

func (m *Machine) applied(token string) {
	a := m.tries[m.latest()]
	o := Observation{Found: Present, Record: a.rec, Token: token}
	m.tries, m.openOn = nil, ""
	m.store.writeAt = 0
	m.known.fresh, m.known.problem, m.known.absent = true, "", false
	m.see(o)
	m.confirmed(a, a.rec)
	m.settle(o)
	m.setDNS(true, "")
}

func (m *Machine) refused(problem string) {
	a := m.tries[m.latest()]
	m.tries = slices.Clip(m.tries[:m.latest()])
	m.store.writeAt = m.now.Wait + m.timing().Attempt()
	m.auth.urgent = m.auth.held
	m.known.problem, m.store.barred = problem, cmp.Or(problem, "the server refuses updates")
	m.setDNS(false, problem)
	m.taskRefused(a, problem)
}

// confirmed: the write is known to have been applied; now is the record of it.
func (m *Machine) confirmed(a attempt, now record.Record) {
	m.auth.conflict = 0
	switch {
	case a.void:
		m.noteVoid(a)
	case a.kind == kindRenew:
		if m.auth.held && m.auth.term == a.rec.Term {
			t := m.shortestWith(a)
			m.extend(a.sent, t.Lease())
			if m.timingOf(now).W > t.W {
				m.auth.urgent = true // the longer lease begins with the next renewal
			}
			m.auth.base = now
			m.auth.absent = false
			m.lastHeartbeat = m.now.Wall
		}
	case a.kind == kindClaim, a.kind == kindCreate:
		m.win(a, now)
	}
	m.taskConfirmed(a)
}

// noteVoid: a create that shows up when it gives no authority any more is
// taken by rule 6 only (rule 11).
func (m *Machine) noteVoid(a attempt) {
	if a.kind == kindCreate {
		m.known.voidTerm = a.rec.Term
	}
}

// voidCreate gives up a create whose end has been unknown for L (rule 11).
func (m *Machine) voidCreate() {
	i := slices.IndexFunc(m.tries, func(a attempt) bool { return a.kind == kindCreate })
	if i < 0 || m.store.op != 0 && m.store.write || !m.due(m.tries[i].wait+m.timingOf(m.tries[i].rec).Lease()) {
		return
	}
	m.noteVoid(m.tries[i])
	m.tries, m.openOn = nil, ""
}
