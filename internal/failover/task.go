package failover

import (
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// task is a verb that is being carried out, one at a time.
type task struct {
	id   uint64 // of the host's request, 0: nobody waits
	conn uint64 // of the peer's Ask, 0: none
	req  Request
	step step

	cause  event.Cause
	reads  uint64          // answered reads when the task began to wait for one
	began  time.Duration   // wait: when the authority was given up
	op     uint64          // an exchange under way
	target record.Member   // of a failover
	run    string          // the target's incarnation
	askAt  time.Duration   // wait: no question to the target before
	wrote  bool            // the yield was written
	term   uint64          // of the record that a create wrote
	about  pair            // number of the record that a forced failover is to replace
	why    []string        // why other targets were passed over
	others []record.Member // the members of a group that is dissolved
	tried  []string        // the targets that were asked
	asked  []string        // the Primaries that were asked to carry it out
	undone string          // why the first of them did not
	done   bool            // one of them did
	silent bool            // whether the last of them did is not known
}

// step is how far a task has come. From stepYield on the authority is gone.
type step uint8

const (
	stepNew    step = iota
	stepRead        // waits for a read that began after the request
	stepAsked       // waits for another node's answer
	stepEdited      // its write is under way, or due
	stepYield       // waits for the host to stop, then writes the new Primary
	stepTold        // the record names the new Primary, which is told
)

// verbYield is a failover that the machine itself wants.
const verbYield Verb = "yield"

// request takes a verb of the host.
func (m *Machine) request(in Do) {
	if in.Request.Verb == verbYield {
		in.Request.Verb = "" // it is the machine's own
	}
	m.queue(task{id: in.ID, req: in.Request})
}

// asked takes a verb that another member wants carried out here.
func (m *Machine) asked(in Received, a Ask) {
	t := task{conn: in.Conn, req: a.Request}
	switch {
	case m.yielding() && !m.stopping && a.Group == m.known.seen.Record.Group:
		m.queue(t) // when it is over the record names whom to ask
	case !m.auth.held || !m.auth.shown || m.stopping:
		m.answer(t, CodeNotPrimary, "this node is not Primary, or is stopping")
	case a.Group != m.auth.base.Group:
		m.answer(t, CodeNotInGroup, "this is another group")
	case !slices.Contains([]Verb{VerbRemove, VerbDissolve, VerbFailover, VerbPause, VerbResume, VerbConfigure}, a.Request.Verb):
		m.answer(t, CodeBadRequest, "no such verb")
	default:
		m.queue(t)
	}
}

// forcing: a forced failover waits, by somebody who knows that the Primary,
// which others wait for, is dead.
func (m *Machine) forcing() bool {
	return slices.ContainsFunc(m.tasks, func(t task) bool { return t.req.Verb == VerbForce })
}

// maxTasks bounds the verbs that wait.
const maxTasks = 64

func (m *Machine) queue(t task) {
	switch {
	case m.stopping:
		m.answer(t, CodeNotRunning, "the node is stopping")
	case len(m.tasks) >= maxTasks:
		m.answer(t, CodeBusy, "too many requests wait already")
	default:
		m.tasks = append(m.tasks, t)
	}
}

// answer tells whoever asked for a task how it ended.
func (m *Machine) answer(t task, code Code, text string) {
	if t.id != 0 {
		m.do(Finish{ID: t.id, Code: code, Text: text})
	}
	if t.conn != 0 {
		m.do(Reply{Conn: t.conn, Message: Verdict{Code: code, Text: text}})
	}
}

// forget: nobody waits any more. What has changed the record goes on.
func (m *Machine) forget(id uint64) {
	i := slices.IndexFunc(m.tasks, func(t task) bool { return t.id == id && id != 0 })
	if i < 0 {
		return
	}
	if m.tasks[i].step >= stepYield {
		m.tasks[i].id = 0
		return
	}
	m.tasks = slices.Delete(m.tasks, i, i+1)
}

// end finishes the first task.
func (m *Machine) end(code Code, text string) {
	t := m.tasks[0]
	m.tasks = slices.Delete(m.tasks, 0, 1)
	m.answer(t, code, text)
}

// work takes the first task as far as it will go now.
func (m *Machine) work() {
	m.bootstrap()
	m.volunteer()
	for range maxTasks {
		if len(m.tasks) == 0 {
			return
		}
		waiting, first := len(m.tasks), m.tasks[0].req.Verb
		m.advance(&m.tasks[0])
		if len(m.tasks) == waiting && m.tasks[0].req.Verb == first {
			return
		}
	}
}

func (m *Machine) advance(t *task) {
	if t.step == stepNew {
		t.reads = m.known.reads
	}
	switch {
	case t.done:
		m.awaitSeen(t)
		return
	case t.silent:
		m.judge(t)
		return
	case t.step == stepAsked && len(t.asked) > 0 && m.forcing():
		m.end(CodePrimaryUnreachable, "a forced failover goes first"+perhaps)
		return
	}
	switch t.req.Verb {
	case VerbCreate:
		m.create(t)
	case VerbJoin:
		m.join(t)
	case VerbLeave:
		m.leave(t)
	case VerbForce:
		m.force(t)
	case VerbFailover, verbYield:
		m.failover(t)
	case VerbRemove, VerbDissolve, VerbPause, VerbResume, VerbConfigure:
		m.change(t)
	default:
		m.end(CodeBadRequest, "no such verb")
	}
}

// maxFailedReads is how often a verb that needs the store hears no answer
// before it gives up.
const maxFailedReads = 3

// hasRead waits for an answered read that began after the task did.
func (m *Machine) hasRead(t *task) bool {
	if t.step == stepNew {
		t.step = stepRead
		m.cfg.Idle = false
		m.store.wanted = true
		if m.store.op != 0 && !m.store.write {
			t.reads++ // not the one that is under way
		}
		m.known.failed = 0
	}
	if m.known.reads > t.reads {
		return true
	}
	m.store.wanted = true
	if m.known.failed >= maxFailedReads && t.id != 0 && len(t.asked) == 0 {
		m.end(CodeStoreUnreachable, m.known.problem)
	}
	return false
}

// wantsHost: a task has to know the addresses at the name.
func (m *Machine) wantsHost() bool {
	return len(m.tasks) > 0 && m.tasks[0].req.Verb == VerbCreate
}

// taskAnswered takes the answer to a task's own message.
func (m *Machine) taskAnswered(in Answered) {
	if m.probeAnswered(in) {
		return
	}
	if in.Op == 0 || len(m.tasks) == 0 || m.tasks[0].op != in.Op {
		return
	}
	t := &m.tasks[0]
	t.op = 0
	switch msg := in.Message.(type) {
	case Report:
		m.taskReport(t, in, msg)
	case Verdict:
		m.taskVerdict(t, in, msg)
	default:
		m.taskReport(t, in, Report{})
	}
}

// taskConfirmed tells the first task that a write of ours was applied.
func (m *Machine) taskConfirmed(a attempt) {
	if len(m.tasks) == 0 || m.tasks[0].step != stepYield {
		return
	}
	switch t := &m.tasks[0]; a.kind {
	case kindYield:
		m.yielded(t)
	case kindTomb:
		m.tellAll(t.others)
	case kindRenew, kindClaim, kindCreate, kindEdit:
	}
}

// entering: the first task has claimed the role for this node, and waits for
// it to show.
func (m *Machine) entering() bool {
	if len(m.tasks) == 0 || m.tasks[0].step != stepEdited {
		return false
	}
	v := m.tasks[0].req.Verb
	return v == VerbForce || v == VerbCreate
}

// taskRefused tells the first task that its write was refused for good.
func (m *Machine) taskRefused(a attempt, problem string) {
	if len(m.tasks) == 0 {
		return
	}
	t := &m.tasks[0]
	switch a.kind {
	case kindYield, kindTomb, kindCreate:
	case kindEdit: // or it was the own entry that had to be mended
		if t.req.Verb != VerbJoin && t.req.Verb != VerbLeave {
			return
		}
	case kindClaim:
		if t.req.Verb != VerbForce {
			return
		}
	case kindRenew:
		if t.step != stepEdited {
			return
		}
	}
	if t.req.Verb == verbYield || (t.id == 0 && t.conn == 0) {
		return
	}
	m.endYield(t, CodeRefused, problem)
}

// bootstrap makes a node that was in no group in this run join, or create one.
func (m *Machine) bootstrap() {
	if !m.outside() || !m.due(m.bootAt) {
		return
	}
	seen := m.known.seen
	switch {
	case seen.Found == Present && !seen.Record.Dissolved:
		m.bootAt = m.now.Wait + m.timing().alarmEvery()
		if _, listed := seen.Record.Member(m.cfg.Self.ID); !listed {
			m.queue(task{req: Request{Verb: VerbJoin}})
		}
	case seen.Found == Absent && m.mayCreate():
		m.bootAt = m.now.Wait + m.timing().alarmEvery()
		m.queue(task{req: Request{Verb: VerbCreate}})
	}
}

// outside: this node is in no group, was in none, and is to enter one by itself.
func (m *Machine) outside() bool {
	idle := len(m.tasks) == 0 && len(m.tries) == 0 && !m.auth.held && !m.stopping
	return idle && m.cfg.Bootstrap != BootstrapManual && !m.settled && !m.cfg.Idle &&
		m.role == event.RoleNotInGroup && m.known.fresh
}

// mayCreate: there was no group for W (rule 11).
func (m *Machine) mayCreate() bool {
	return m.cfg.Bootstrap == BootstrapCreate && m.cfg.Self.Eligible() && m.known.absent &&
		m.due(m.known.absentAt+m.cfg.Timing.W)
}
