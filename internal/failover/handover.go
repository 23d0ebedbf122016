package failover

import (
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// failover hands the role over by plan (rule 9): check the target, stop the
// work, drop the authority, write the record that names the target, tell it.
func (m *Machine) failover(t *task) {
	switch t.step {
	case stepYield:
		m.awaitYield(t)
	case stepTold:
		m.awaitTaker(t)
	default:
		m.beforeYield(t)
	}
}

func (m *Machine) beforeYield(t *task) {
	if m.auth.held {
		m.beforeYieldHere(t)
		return
	}
	switch {
	case t.req.Verb != VerbFailover || t.target.ID != "":
		m.endYield(t, CodeNotPrimary, "this node lost the role meanwhile")
	case t.step == stepAsked: // waits for the Primary's answer
	case m.role == event.RoleNotInGroup:
		m.end(CodeNotInGroup, "this node is in no group")
	default:
		if t.req.Target == "" {
			t.req.Target = m.cfg.Self.ID
		}
		m.askPrimary(t)
	}
}

// beforeYieldHere is the Primary's part.
func (m *Machine) beforeYieldHere(t *task) {
	switch {
	case !m.auth.shown:
		if m.stopping {
			m.yieldTo(t, record.Member{}, "")
		}
	case t.req.Verb == VerbFailover && t.req.Target == m.cfg.Self.ID:
		m.end("", "")
	case t.step > stepRead:
	case m.barred():
		m.endYield(t, CodeRefused, m.store.barred)
	case m.blind() && t.cause != event.CauseUnhealthy:
		m.endYield(t, CodeStoreUnreachable, m.known.problem)
	default:
		m.pickTarget(t)
	}
}

// blind: the store does not answer, so that the role would be given up for a
// write that cannot be done. One answer that was lost is no outage.
func (m *Machine) blind() bool { return !m.known.fresh && m.known.failed > 1 && !m.stopping }

// barred: the server refused the last write. It would refuse the one that hands
// the role over, and nobody would be Primary until it takes one; a node that
// stops has nothing to lose.
func (m *Machine) barred() bool { return m.store.barred != "" && !m.stopping }

// pickTarget goes through the candidates, the best first, until one is fit.
func (m *Machine) pickTarget(t *task) {
	if t.req.Target != "" {
		if _, ok := m.auth.base.Member(t.req.Target); !ok {
			m.end(CodeUnknownMember, "the group has no member "+t.req.Target)
			return
		}
	}
	if m.stopping {
		m.pickAtOnce(t)
		return
	}
	for _, x := range m.candidates(t) {
		if !slices.Contains(t.tried, x.ID) {
			m.askTarget(t, x, 2*m.timing().Attempt())
			return
		}
	}
	if m.confirming() {
		return // the joiner may know already that it is a member
	}
	m.noTarget(t)
}

// confirming: the write under way makes a joining member a confirmed one.
func (m *Machine) confirming() bool {
	if m.store.op == 0 || !m.store.write || len(m.tries) == 0 {
		return false
	}
	_, joining := memberIDs(m.auth.base)
	_, still := memberIDs(m.tries[len(m.tries)-1].rec)
	return len(joining) > len(still)
}

// pickAtOnce is pickTarget for a node that stops and has no time: the best
// member that answered well last is taken at its word; with none, the best of
// those that may answer is asked, one only.
func (m *Machine) pickAtOnce(t *task) {
	c := m.candidates(t)
	for _, x := range c {
		if p := m.peer(x.ID); p.stable {
			m.yieldTo(t, x, p.report.Run)
			return
		}
	}
	i := slices.IndexFunc(c, func(x record.Member) bool { return !m.peer(x.ID).failed })
	if i < 0 || len(t.tried) > 0 {
		m.noTarget(t)
		return
	}
	m.askTarget(t, c[i], m.timing().Attempt())
}

func (m *Machine) askTarget(t *task, x record.Member, within time.Duration) {
	t.tried = append(t.tried, x.ID)
	t.step, t.op, t.target = stepAsked, m.op(), x
	m.do(Send{Op: t.op, To: x, Within: within, Message: Query{Group: m.auth.base.Group, Fresh: true}})
}

// candidates are the members that could take the role over, the best first.
func (m *Machine) candidates(t *task) []record.Member {
	var c []record.Member
	for _, x := range m.auth.base.Members {
		switch {
		case x.ID == m.cfg.Self.ID, t.req.Target != "" && x.ID != t.req.Target:
		case x.Joining:
			t.pass(x.ID, "has not been confirmed yet")
		case !x.Eligible():
			t.pass(x.ID, "can never be Primary")
		default:
			c = append(c, x)
		}
	}
	byPreference(c)
	return c
}

// pass notes once why a member is no target.
func (t *task) pass(id, why string) {
	if s := id + " " + why; !slices.Contains(t.why, s) {
		t.why = append(t.why, s)
	}
}

// noTarget: nobody can take over. A node that stops releases the record, so
// that whoever comes takes it at once; otherwise the Primary goes on.
func (m *Machine) noTarget(t *task) {
	if t.cause == event.CauseShutdown {
		m.yieldTo(t, record.Member{}, "")
		return
	}
	text := "no other member"
	if len(t.why) > 0 {
		text = strings.Join(t.why, "; ")
	}
	m.endYield(t, CodeNoTarget, text)
}

// taskReport takes the answer of a failover's target, or of the Primary that
// is to be overruled by force.
func (m *Machine) taskReport(t *task, in Answered, r Report) {
	switch {
	case t.req.Verb == VerbForce:
		m.primaryAnswered(t, in, r)
	case t.step == stepAsked && m.auth.held && t.target.ID != "":
		t.step = stepNew
		if why := m.unfit(in, r); why != "" {
			t.pass(t.target.ID, why)
		} else if !m.barred() {
			m.yieldTo(t, t.target, r.Run)
		}
	case t.step == stepTold:
		now := m.known.seen.Record
		won := now.Primary == t.target.ID && now.By == t.target.ID
		if m.stopping || won && (r.Role == event.RolePrimary || in.Problem != "") {
			m.endYield(t, "", "")
		}
	case t.step == stepAsked:
		m.unanswered(t, in.Problem)
	}
}

// unfit says why a target may not be handed the role: it has to be alive,
// healthy, and to read the same record.
func (m *Machine) unfit(in Answered, r Report) string {
	switch {
	case in.Problem != "":
		return "does not answer: " + in.Problem
	case !r.Healthy:
		return "is not healthy, or cooling down"
	case !r.Read:
		return "cannot read the record"
	case r.Group != m.auth.base.Group || r.Term != m.auth.term || r.Seq+1 < m.auth.base.Seq:
		return "reads another record: check that both nodes use the same server"
	case r.Run == "":
		return "gives no incarnation"
	}
	return ""
}

// yieldTo stops the work and drops the authority; the write follows when the
// host has stopped.
func (m *Machine) yieldTo(t *task, target record.Member, run string) {
	t.step, t.target, t.run, t.began = stepYield, target, run, m.now.Wait
	if t.cause == "" {
		t.cause = event.CauseHandover
	}
	m.demote(t.cause, target.ID)
}

// yielding: between dropping the authority and the end of the write that names
// another, this node claims nothing.
func (m *Machine) yielding() bool {
	return len(m.tasks) > 0 && m.tasks[0].step == stepYield
}

// persistent: a yield that is tried again as long as the record names us.
func (t *task) persistent() bool {
	return t.req.Verb == verbYield || t.req.Verb == VerbDissolve || t.req.Verb == VerbLeave
}

// awaitYield waits for the end of the write. One that is unknown after it was
// read back, or refused, leaves the node to rule 8.
func (m *Machine) awaitYield(t *task) {
	seen := m.known.seen
	switch {
	case m.demoting() || m.store.op != 0 || m.store.must:
	case seen.Found != Present || !m.named(seen.Record):
		m.endYield(t, CodeNoTarget, "another node took the role meanwhile")
	case t.wrote && !t.persistent():
		m.endYield(t, CodeStoreUnreachable, "the end of the handover is unknown"+because(m.known.problem))
	case t.target.ID != "" && !canTake(seen.Record, t.target.ID):
		m.targetGone(t)
	}
}

// canTake: the record lists that member as one that could be Primary.
func canTake(r record.Record, id string) bool {
	x, ok := r.Member(id)
	return ok && !x.Joining && x.Eligible()
}

// targetGone: the target left while the work was being stopped for it. A node
// that must give the role away releases the record; any other takes it again.
func (m *Machine) targetGone(t *task) {
	if m.stopping || t.cause == event.CauseUnhealthy {
		t.target, t.run = record.Member{}, ""
		return
	}
	m.endYield(t, CodeNoTarget, t.target.ID+" left meanwhile")
}

// writeYield writes the record that names the target, nobody, or the end of
// the group. It comes after awaitYield or awaitDissolve, so the record still
// names this run.
func (m *Machine) writeYield(t *task) {
	base := m.known.seen.Record
	t.wrote = true
	r := base.Clone()
	r.Term, r.Seq, r.By = m.nextTerm(), 1, m.cfg.Self.ID
	r.Primary, r.Run = t.target.ID, t.run
	k := kindYield
	if t.req.Verb == VerbDissolve {
		k = kindTomb
		t.others = base.Members
		r.Primary, r.Run, r.Dissolved, r.Paused, r.Members = "", "", true, false, nil
	}
	m.write(k, t.cause, r, false)
}

// yielded: the record names the target now; it is told.
func (m *Machine) yielded(t *task) {
	if t.target.ID == "" {
		m.tellAll(m.known.seen.Record.Members)
		m.endYield(t, "", "")
		return
	}
	t.step, t.op = stepTold, m.op()
	m.do(Send{
		Op: t.op, To: t.target, Within: m.timing().Attempt(),
		Message: Told{Group: m.known.seen.Record.Group},
	})
}

// tellAll has the members look at the record at once.
func (m *Machine) tellAll(members []record.Member) {
	for _, x := range members {
		if x.ID != m.cfg.Self.ID {
			m.do(Send{Op: m.op(), To: x, Message: Told{Group: m.known.seen.Record.Group}, Within: m.timing().Attempt()})
		}
	}
}

// awaitTaker waits until the record shows who took the role.
func (m *Machine) awaitTaker(t *task) {
	r := m.known.seen.Record
	switch {
	case m.auth.held:
		m.endYield(t, CodeNoTarget, t.target.ID+" did not take the role; this node took it again")
	case r.Primary == "" || r.Primary == m.cfg.Self.ID || r.Primary == t.target.ID && r.By == m.cfg.Self.ID:
		if m.role == event.RoleNotInGroup || m.due(t.began+m.timing().patience()) {
			m.endYield(t, CodeNoTarget, t.target.ID+" did not take the role")
		}
	case r.Primary != t.target.ID:
		m.endYield(t, CodeNoTarget, t.target.ID+" did not take the role; "+r.Primary+" did")
	case t.op == 0 && m.due(t.askAt):
		// it has won the record; its host may still refuse the role
		t.op, t.askAt = m.op(), m.now.Wait+m.timing().BackOff()
		m.do(Send{Op: t.op, To: t.target, Message: Query{Group: r.Group}, Within: m.timing().Attempt()})
	}
}

// endYield ends a failover and says how; a leaving node goes on to leave.
func (m *Machine) endYield(t *task, code Code, text string) {
	if t.step >= stepYield && t.cause != event.CauseVetoed && t.cause != event.CauseDissolved {
		m.tell(func(h event.Header) event.Event {
			return event.FailoverResult{Header: h, From: m.cfg.Self.ID, To: t.target.ID, Cause: t.cause, Reason: t.req.Reason, Problem: text}
		}, event.FailoverFinished)
	}
	if t.req.Verb == VerbLeave && code == "" {
		t.step, t.op = stepEdited, 0
		return
	}
	m.end(code, text)
}

// volunteer hands over without being asked: an unhealthy Primary to a healthy
// member, a Primary to a better one that has been there for long enough.
func (m *Machine) volunteer() {
	if !m.auth.held || !m.auth.shown || m.stopping || len(m.tasks) > 0 {
		return
	}
	if !m.healthy {
		m.volunteerFor(event.CauseUnhealthy, 0, func(record.Member) bool { return true })
		return
	}
	if m.cfg.FailbackAfter > 0 {
		m.volunteerFor(event.CauseFailback, m.cfg.FailbackAfter, func(x record.Member) bool {
			return x.Priority > m.cfg.Self.Priority
		})
	}
}

// volunteerFor hands over to the best member that answers well, and tries at
// most once in R.
func (m *Machine) volunteerFor(cause event.Cause, stable time.Duration, fit func(record.Member) bool) {
	for _, x := range m.candidates(&task{}) {
		p := m.peer(x.ID)
		if !fit(x) || !p.stable || !m.due(p.since+stable) || m.offered && !m.due(m.offeredAt+m.timing().R) {
			continue
		}
		m.offered, m.offeredAt = true, m.now.Wait
		m.tasks = append(m.tasks, task{req: Request{Verb: verbYield, Target: x.ID}, cause: cause})
		return
	}
}

// force takes the role on an operator's word that the Primary is dead (rule
// 13): the waits of rule 6 are skipped, not the condition of the write.
func (m *Machine) force(t *task) {
	me, listed := m.self()
	switch {
	case m.auth.held && m.auth.shown:
		m.end("", "")
	case t.req.Reason == "" || t.req.Target != "" && t.req.Target != m.cfg.Self.ID:
		m.end(CodeBadRequest, "force needs a reason, and is asked of the node that shall take over")
	case m.auth.held: // waits for the host's word
	case m.role == event.RoleNotInGroup && !m.joining():
		m.end(CodeNotInGroup, "this node is in no group")
	case !listed || !me.Eligible():
		m.end(CodeNoTarget, "this node can never be Primary")
	case t.step == stepEdited && t.about != m.known.read:
		t.step, t.reads = stepNew, m.known.reads
		m.hasRead(t) // somebody was Primary since: the word was about another
	case t.step == stepAsked, t.step == stepEdited:
	case m.hasRead(t):
		m.askBeforeForce(t)
	}
}

func (m *Machine) askBeforeForce(t *task) {
	r := m.known.seen.Record
	t.about = pairOf(r)
	primary, ok := r.Member(r.Primary)
	if !ok || primary.ID == m.cfg.Self.ID {
		t.step = stepEdited
		return
	}
	t.step, t.op, t.target = stepAsked, m.op(), primary
	m.do(Send{Op: t.op, To: primary, Message: Query{Group: r.Group}, Within: m.timing().Attempt()})
}

func (m *Machine) primaryAnswered(t *task, in Answered, r Report) {
	if in.Problem == "" && r.Role == event.RolePrimary {
		m.end(CodePrimaryAlive, t.target.ID+" answers and is Primary: hand over by plan instead")
		return
	}
	t.step = stepEdited
}

// claimReason is the operator's reason, if the role was forced.
func (m *Machine) claimReason() string {
	if m.auth.cause == event.CauseForced && len(m.tasks) > 0 {
		return m.tasks[0].req.Reason
	}
	return ""
}
