package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// askPrimary sends the verb to the Primary. The record that names it may be an
// old one: if that node does not do it, the record is read once more, and
// another Primary is asked.
func (m *Machine) askPrimary(t *task) {
	if t.conn != 0 {
		m.end(CodeNotPrimary, "this node is not Primary any more") // whoever asked looks for another
		return
	}
	if len(t.asked) > 0 && !m.hasReadAgain(t) {
		return
	}
	r := m.known.seen.Record
	primary, ok := r.Member(r.Primary)
	switch {
	case slices.Contains(t.asked, primary.ID) && ok:
		m.end(CodePrimaryUnreachable, t.undone)
	case !ok || primary.ID == m.cfg.Self.ID:
		m.end(CodePrimaryUnreachable, noPrimary)
	default:
		t.step, t.op, t.asked = stepAsked, m.op(), append(t.asked, primary.ID)
		m.do(Send{Op: t.op, To: primary, Within: m.timing().patience(), Message: Ask{Group: r.Group, Request: t.req}})
	}
}

// hasReadAgain waits for a read after the Primary's refusal or silence, which
// is the answer if there is no read either.
func (m *Machine) hasReadAgain(t *task) bool {
	read, failed := m.look(t)
	if failed {
		m.end(CodePrimaryUnreachable, t.undone)
	}
	return read
}

// awaitSeen ends a verb that the Primary has carried out, when this node has
// seen it too, or could not.
func (m *Machine) awaitSeen(t *task) {
	if read, failed := m.look(t); read || failed {
		m.end("", "")
	}
}

// perhaps is what the end of a verb says where nobody knows.
const perhaps = "; what was asked may still come true"

// judge ends a verb of which it is not known whether the Primary has carried it
// out: by one read. It is asked of nobody else, for it could be done twice, and
// undo what was decided in between.
func (m *Machine) judge(t *task) {
	read, failed := m.look(t)
	switch {
	case read && m.cameTrue(t.req):
		m.end("", "")
	case read, failed:
		m.end(CodePrimaryUnreachable, t.undone+perhaps)
	}
}

// cameTrue: the record is as the verb wants it.
func (m *Machine) cameTrue(q Request) bool {
	r := m.known.seen.Record
	switch {
	case m.known.seen.Found != Present:
		return false
	case r.Dissolved || q.Verb == VerbDissolve:
		return r.Dissolved && q.Verb == VerbDissolve
	}
	switch q.Verb {
	case VerbRemove:
		_, listed := r.Member(q.Target)
		return !listed
	case VerbPause, VerbResume:
		return r.Paused == (q.Verb == VerbPause)
	case VerbFailover:
		return r.Primary == q.Target && r.By == q.Target
	case VerbConfigure:
		want := r
		configured(&want, q.Timing)
		return timingsOf(want) == timingsOf(r)
	default:
		return false
	}
}

func timingsOf(r record.Record) [4]time.Duration {
	return [...]time.Duration{r.AllowedAbsence, r.ReportInterval, r.CheckInterval, r.TTL}
}

// look waits for one read, answered or not.
func (m *Machine) look(t *task) (read, failed bool) {
	read = m.hasRead(t)
	return read, !read && m.known.failed > 0
}

const noPrimary = "the group has no Primary now; wait for one, or force a failover to this node if you know that the old one is dead"

// taskVerdict takes the Primary's answer to a verb.
func (m *Machine) taskVerdict(t *task, in Answered, v Verdict) {
	if t.step != stepAsked || t.req.Verb == VerbForce || t.target.ID != "" {
		m.taskReport(t, in, Report{})
		return
	}
	if in.Problem != "" {
		m.unanswered(t, in.Problem)
		return
	}
	m.store.wanted = true
	switch v.Code {
	case "":
		t.step, t.done = stepNew, true
	case CodeNotPrimary:
		t.step, t.undone = stepNew, cmp.Or(t.undone, "the node that the record names is not Primary: "+v.Text)
	case CodeNotRunning: // its write may be under way
		m.notKnown(t, "the Primary is stopping")
	default:
		m.end(v.Code, v.Text)
	}
}

func (m *Machine) unanswered(t *task, problem string) {
	m.notKnown(t, problem+"; look at the Primary and at its way to the DNS server; "+
		"if you know that it is dead, force a failover to this node")
}

// notKnown: whoever was asked may have done it.
func (m *Machine) notKnown(t *task, why string) {
	t.step, t.silent, t.undone = stepNew, true, why
}
