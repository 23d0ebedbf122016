package failover

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// create makes the group, where no record is, or where a dissolved one is
// (rule 11).
func (m *Machine) create(t *task) {
	if t.step == stepNew && (m.role != event.RoleNotInGroup || m.joining()) {
		m.end(CodeInGroup, "this node is in a group already")
		return
	}
	if t.step == stepNew && t.id != 0 {
		m.adoptSettings(t.req)
	}
	if !m.cfg.Self.Eligible() {
		m.end(CodeNoTarget, "a node that can never be Primary cannot create a group")
		return
	}
	switch t.step {
	default:
		if m.hasRead(t) {
			m.checkCreate(t)
		}
	case stepEdited:
		m.awaitCreate(t)
	}
}

// adoptSettings takes what the host gave with a verb that enters a group.
func (m *Machine) adoptSettings(r Request) {
	if r.Self.ID != "" {
		m.cfg.Self = r.Self
	}
	if r.Group != "" {
		m.cfg.Group = r.Group
	}
	if r.Timing.W > 0 {
		r.Timing.tight = m.cfg.Timing.tight
		m.cfg.Timing = r.Timing
	}
}

func (m *Machine) checkCreate(t *task) {
	seen := m.known.seen
	if seen.Found == Present && !seen.Record.Dissolved {
		m.end(CodeGroupExists, "a group exists at this name; join it instead")
		return
	}
	others := slices.DeleteFunc(slices.Clone(seen.Host), func(a string) bool {
		return slices.Contains(m.cfg.Self.Addresses(), a)
	})
	if len(others) > 0 && !t.req.Adopt {
		text := fmt.Sprintf("the name already has addresses of others: %v; create with AdoptHostRecord to take it over", others)
		if t.id == 0 {
			m.conflict(text)
		}
		m.end(CodeHostRecordExists, text)
		return
	}
	t.step = stepEdited
}

// awaitCreate: the write is under way; it is over when this node is Primary,
// or when somebody else's record stands.
func (m *Machine) awaitCreate(t *task) {
	seen := m.known.seen
	switch {
	case m.auth.held && m.auth.shown:
		m.end("", "")
	case m.auth.held || len(m.tries) > 0:
	case m.known.voidTerm == t.term && t.term != 0:
		m.end(CodeStoreUnreachable, "the end of the create is unknown"+because(m.known.problem))
	case seen.Found == Present && !seen.Record.Dissolved && m.store.op == 0:
		m.end(CodeGroupExists, "a group exists at this name; join it instead")
	}
}

// first is the record of a group created here.
func (m *Machine) first() record.Record {
	t := m.cfg.Timing
	me := m.cfg.Self
	me.Joining = false
	return record.Record{
		Group: fmt.Sprintf("%08x", m.cfg.Random()>>32), Term: m.nextTerm(), Seq: 1,
		Primary: me.ID, By: me.ID, Run: m.cfg.Run,
		AllowedAbsence: t.W, ReportInterval: t.R, CheckInterval: t.C, TTL: t.TTL,
		Members: []record.Member{me},
	}
}

// join adds this node to the record as joining, and waits for the Primary to
// confirm it (rule 10).
func (m *Machine) join(t *task) {
	if t.step == stepNew && m.role != event.RoleNotInGroup {
		m.end(CodeInGroup, "this node is in a group already")
		return
	}
	if t.step == stepNew && t.id != 0 {
		m.adoptSettings(t.req)
	}
	if t.step <= stepRead && !m.hasRead(t) {
		return
	}
	r := m.known.seen.Record
	me, listed := r.Member(m.cfg.Self.ID)
	switch {
	case m.known.seen.Found != Present || r.Dissolved:
		m.end(CodeNoGroup, "there is no group at this name")
	case listed && !m.sameAddress(me):
		m.end(CodeMemberExists, "the record lists "+me.ID+" at another address: remove that member first")
	case listed && !me.Joining:
		m.end("", "")
	case listed:
		m.hint(t, r)
		m.giveWay(t)
	default:
		t.step = stepEdited
		m.checkJoined(r)
	}
}

// checkJoined ends a join that cannot be written into the record. What is
// wrong with the record already is for the store to say.
func (m *Machine) checkJoined(r record.Record) {
	_, err := fullest(m.joined(r)).Strings()
	if err == nil {
		return
	}
	switch _, before := r.Strings(); {
	case errors.Is(err, record.ErrTooLarge):
		m.end(CodeTooManyMembers, err.Error())
	case before == nil:
		m.end(CodeBadRequest, err.Error())
	}
}

// fullest is r as long as it can get without another member: the members must
// be able to take over, to renew and to pause.
func fullest(r record.Record) record.Record {
	for _, x := range r.Members {
		if len(x.ID) > len(r.Primary) {
			r.Primary = x.ID
		}
	}
	r.By, r.Run, r.Paused = r.Primary, "ffffffff", true
	r.Term, r.Seq = record.MaxNumber, record.MaxNumber
	return r
}

// hint tells the Primary once that the record has changed.
func (m *Machine) hint(t *task, r record.Record) {
	if slices.Contains(t.tried, r.Nonce) || t.op != 0 {
		return
	}
	primary, ok := r.Member(r.Primary)
	if !ok || primary.ID == m.cfg.Self.ID {
		return
	}
	t.tried = []string{r.Nonce}
	t.op = m.op()
	m.do(Send{Op: t.op, To: primary, Message: Told{Group: r.Group}, Within: m.timing().Attempt()})
}

// giveWay lets the ways out of a join that waits for a Primary go first: a
// forced failover (rule 13), and to leave again, which ends the join.
func (m *Machine) giveWay(t *task) {
	i := slices.IndexFunc(m.tasks, func(x task) bool { return x.req.Verb == VerbForce || x.req.Verb == VerbLeave })
	if i < 0 {
		return
	}
	first := m.tasks[i]
	if first.req.Verb == VerbLeave {
		m.end(CodeNotInGroup, "this node was asked to leave")
		return
	}
	t.op = 0 // nobody waits for that answer
	m.tasks = slices.Insert(slices.Delete(m.tasks, i, i+1), 0, first)
}

func (m *Machine) joined(base record.Record) record.Record {
	me := m.cfg.Self
	me.Joining = true
	return withMember(base.Clone(), me)
}

// leave removes this node from the record. A Primary hands over first (rule 10).
func (m *Machine) leave(t *task) {
	_, listed := m.self()
	switch {
	case m.role == event.RoleNotInGroup && (!listed || !m.joining()):
		if t.step == stepNew {
			m.end(CodeNotInGroup, "this node is in no group")
			return
		}
		m.settled = true
		m.end("", "")
	case t.step < stepYield && m.onlyMember():
		m.end(CodeNoTarget, "this node is the only member: dissolve the group instead")
	case t.step >= stepYield || m.auth.held:
		if m.auth.held && t.step == stepEdited {
			t.step, t.tried = stepNew, nil // it was handed the role meanwhile
		}
		m.failover(t)
	case listed && m.known.seen.Record.Primary == m.cfg.Self.ID:
		// the record names us: we take it again (rule 8) and hand it over
	case t.step == stepNew:
		t.step = stepEdited
		m.cfg.Idle = false
	}
}

// writeTask writes what the first task wants in the record, unless it is part
// of the Primary's own renewal.
func (m *Machine) writeTask() bool {
	if len(m.tasks) == 0 {
		return m.refresh()
	}
	t := &m.tasks[0]
	if t.step != stepEdited && t.step != stepYield {
		return false
	}
	if !m.mayWrite() || m.demoting() {
		return false
	}
	if t.step == stepYield {
		m.writeYield(t)
		return true
	}
	return m.writeEdit(t)
}

// writeEdit writes what a node that is not Primary wants in the record.
func (m *Machine) writeEdit(t *task) bool {
	switch r := m.known.seen.Record; {
	case m.auth.held:
		return false
	case t.req.Verb == VerbCreate && len(m.tries) == 0:
		first := m.first()
		t.term = first.Term
		m.write(kindCreate, event.CauseCreated, first, !t.req.Adopt && len(m.known.seen.Host) == 0)
		return true
	case t.req.Verb == VerbJoin:
		if _, listed := r.Member(m.cfg.Self.ID); listed || r.Dissolved || m.known.seen.Found != Present {
			return false
		}
		m.write(kindEdit, event.CauseJoined, m.joined(r), false)
		return true
	case t.req.Verb == VerbLeave:
		return m.writeLeave(r)
	case t.req.Verb == VerbForce:
		m.claimAs(event.CauseForced)
		return true
	}
	return false
}

// onlyMember: nobody else is in the group.
func (m *Machine) onlyMember() bool {
	r := m.known.seen.Record
	return m.known.seen.Found == Present && len(r.Members) == 1 && r.Members[0].ID == m.cfg.Self.ID
}

func (m *Machine) writeLeave(base record.Record) bool {
	_, listed := base.Member(m.cfg.Self.ID)
	if !listed || m.known.seen.Found != Present || base.Primary == m.cfg.Self.ID {
		return false
	}
	m.write(kindEdit, event.CauseLeft, without(base.Clone(), m.cfg.Self.ID), false)
	return true
}

// refresh sets this member's own entry, when it came back with another port,
// scheme or priority. Making a member eligible is a join (rule 10).
func (m *Machine) refresh() bool {
	me, ok := m.self()
	want := m.cfg.Self
	if !ok || m.auth.held || m.role != event.RoleSecondary || m.known.seen.Record.Primary == me.ID ||
		(me.Scheme == want.Scheme && me.Port == want.Port && me.Priority == want.Priority) || !m.mayWrite() {
		return false
	}
	r := m.known.seen.Record.Clone()
	for i := range r.Members {
		if r.Members[i].ID == me.ID {
			x := &r.Members[i]
			x.Joining = x.Joining || (!x.Eligible() && want.Eligible())
			x.Scheme, x.Port, x.Priority = want.Scheme, want.Port, want.Priority
		}
	}
	m.write(kindEdit, event.CauseStarted, r, false)
	return true
}

// change carries out a verb that only the Primary can: here, or by asking it.
func (m *Machine) change(t *task) {
	switch {
	case t.step == stepAsked: // waits for the Primary's answer
	case m.auth.held && m.auth.shown:
		m.changeHere(t)
	case t.step == stepYield:
		m.awaitDissolve()
	case t.step == stepEdited:
		m.end(CodePrimaryUnreachable, "this node lost the role before the change was confirmed"+perhaps)
	case m.role == event.RoleNotInGroup:
		m.end(CodeNotInGroup, "this node is in no group")
	default:
		m.askPrimary(t)
	}
}

func (m *Machine) changeHere(t *task) {
	if t.step == stepEdited {
		if len(m.tries) == 0 && m.store.op == 0 && !m.auth.urgent {
			m.end("", "")
		}
		return
	}
	if code, text := m.objection(t.req); code != "" {
		m.end(code, text)
		return
	}
	if t.req.Verb == VerbDissolve {
		t.step, t.cause = stepYield, event.CauseDissolved
		m.demote(event.CauseDissolved, "")
		return
	}
	if len(m.tries) > 0 || m.store.write && m.store.op != 0 {
		return // one change at a time: this write would not carry it
	}
	t.step = stepEdited
	m.auth.urgent = true
}

// objection is why this Primary cannot do what is asked.
func (m *Machine) objection(q Request) (code Code, text string) {
	switch q.Verb {
	case VerbDissolve: // which begins with the end of the work
		if m.barred() {
			return CodeRefused, m.store.barred
		}
		if m.blind() {
			return CodeStoreUnreachable, m.known.problem
		}
	case VerbRemove:
		if q.Target == m.cfg.Self.ID {
			return CodeBadRequest, "the Primary does not remove itself: let it leave"
		}
		if _, ok := m.auth.base.Member(q.Target); !ok {
			return CodeUnknownMember, "the group has no member " + q.Target
		}
	case VerbConfigure:
		r := m.auth.base
		configured(&r, q.Timing)
		if mistake := m.timingOf(r).mistake(); mistake != "" {
			return CodeBadRequest, "the group cannot have these timings: " + mistake
		}
	default:
	}
	return "", ""
}

// edit puts what the first task wants into the Primary's next write.
func (m *Machine) edit(r *record.Record) {
	if len(m.tasks) == 0 || m.tasks[0].step != stepEdited {
		return
	}
	switch q := m.tasks[0].req; q.Verb {
	case VerbRemove:
		*r = without(*r, q.Target)
	case VerbPause:
		r.Paused = true
	case VerbResume:
		r.Paused = false
	case VerbConfigure:
		configured(r, q.Timing)
	default:
	}
}

// configured puts timings into a record; those that are zero stay.
func configured(r *record.Record, t Timing) {
	r.AllowedAbsence = cmp.Or(t.W, r.AllowedAbsence)
	r.ReportInterval = cmp.Or(t.R, r.ReportInterval)
	r.CheckInterval = cmp.Or(t.C, r.CheckInterval)
	r.TTL = cmp.Or(t.TTL, r.TTL)
}

// awaitDissolve ends a dissolve when the tombstone was read.
func (m *Machine) awaitDissolve() {
	switch {
	case m.role == event.RoleNotInGroup:
		m.end("", "")
	case m.store.op == 0 && !m.store.must && !m.demoting() && !m.named(m.known.seen.Record):
		m.end(CodePrimaryUnreachable, "another node took the role meanwhile")
	}
}
