package failover

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// What comes of asking the Primary.
func TestVerbs_CarriedOutByThePrimary(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer Answered
		want   Code
	}{
		"done":                   {Answered{Message: Verdict{}}, ""},
		"refused":                {Answered{Message: Verdict{Code: CodeUnknownMember}}, CodeUnknownMember},
		"not Primary":            {Answered{Message: Verdict{Code: CodeNotPrimary}}, CodePrimaryUnreachable},
		"silent":                 {Answered{Problem: "timeout"}, CodePrimaryUnreachable},
		"silent, with a verdict": {Answered{Problem: "timeout", Message: Verdict{}}, CodePrimaryUnreachable},
		"no verdict":             {Answered{Message: Told{}}, CodePrimaryUnreachable},
	} {
		s := secondary(t)
		s.do(Request{Verb: VerbPause, Reason: "x"})
		e := s.sent("a")
		wants(t, "asks", DescribeMessage(e.Message), "ask group=00c0ffee pause: x")
		wants(t, "for", e.Within, spare+6*budget)
		s.reads = nil
		s.m.store.op = 0
		tt.answer.Op = e.Op
		s.step(tt.answer)
		if tt.want == CodePrimaryUnreachable || tt.want == "" {
			wants(t, "looks again first: "+name, s.code(), "pending")
			s.seen(s.m.known.seen.Record)
		}
		wants(t, "code: "+name, s.code(), tt.want)
	}
}

// The record that named the Primary was an old one, or there is none to read.
func TestVerbs_AnotherPrimaryIsAskedOnce(t *testing.T) {
	t.Parallel()
	refused := Verdict{Code: CodeNotPrimary}
	asking := func() *solo {
		s := secondary(t, "a", "b", "c")
		s.do(Request{Verb: VerbPause})
		e := s.sent("a")
		s.reads, s.m.store.op = nil, 0
		s.step(Answered{Op: e.Op, From: "a", Message: refused})
		return s
	}
	s := asking()
	s.seen(rec("c", 8, 1, "a", "b", "c"))
	s.step(Answered{Op: s.sent("c").Op, From: "c", Message: Verdict{}})
	wants(t, "done, not yet seen", s.code(), "pending")
	s.answerRead(ReadDone{Problem: "timeout"})
	wants(t, "done by the other", s.code(), "")

	s = asking()
	s.seen(rec("c", 8, 1, "a", "b", "c"))
	s.step(Answered{Op: s.sent("c").Op, From: "c", Message: refused})
	s.seen(rec("a", 9, 1, "a", "b", "c"))
	wants(t, "nobody is asked twice", s.code(), CodePrimaryUnreachable)

	s = asking()
	s.answerRead(ReadDone{Problem: "timeout"})
	wants(t, "no record to read", s.code(), CodePrimaryUnreachable)

	s = asking()
	s.seen(rec("", 8, 1, "a", "b", "c"))
	wants(t, "nobody is Primary", s.code(), CodePrimaryUnreachable)
}

// Nobody knows whether a Primary that does not answer has done what it was
// asked. The record tells; nobody else is asked, for then it might be done
// twice.
func TestVerbs_ASilentPrimaryMayHaveDoneIt(t *testing.T) {
	t.Parallel()
	paused := func(r *record.Record) { r.Paused = true }
	for name, tt := range map[string]struct {
		request Request
		seen    func(r *record.Record)
		want    bool
	}{
		"paused":              {Request{Verb: VerbPause}, paused, true},
		"not paused":          {Request{Verb: VerbPause}, nil, false},
		"resumed":             {Request{Verb: VerbResume}, nil, true},
		"not resumed":         {Request{Verb: VerbResume}, paused, false},
		"removed":             {Request{Verb: VerbRemove, Target: "d"}, nil, true},
		"not removed":         {Request{Verb: VerbRemove, Target: "c"}, nil, false},
		"moved":               {Request{Verb: VerbFailover, Target: "c"}, nil, true},
		"moved elsewhere":     {Request{Verb: VerbFailover, Target: "a"}, nil, false},
		"named, not taken":    {Request{Verb: VerbFailover, Target: "c"}, func(r *record.Record) { r.By = "a" }, false},
		"configured":          {Request{Verb: VerbConfigure, Timing: Timing{W: w}}, nil, true},
		"not configured":      {Request{Verb: VerbConfigure, Timing: Timing{W: 2 * w}}, nil, false},
		"the TTL, not":        {Request{Verb: VerbConfigure, Timing: Timing{TTL: time.Hour}}, nil, false},
		"a report, not":       {Request{Verb: VerbConfigure, Timing: Timing{R: time.Hour}}, nil, false},
		"a check, not":        {Request{Verb: VerbConfigure, Timing: Timing{C: time.Hour}}, nil, false},
		"not dissolved":       {Request{Verb: VerbDissolve}, nil, false},
		"dissolved":           {Request{Verb: VerbDissolve}, func(r *record.Record) { r.Dissolved, r.Primary, r.Members = true, "", nil }, true},
		"paused, dissolved":   {Request{Verb: VerbPause}, func(r *record.Record) { r.Dissolved, r.Paused = true, true }, false},
		"resumed, dissolved":  {Request{Verb: VerbResume}, func(r *record.Record) { r.Dissolved = true }, false},
		"removed, dissolved":  {Request{Verb: VerbRemove, Target: "d"}, func(r *record.Record) { r.Dissolved = true }, false},
		"moved, dissolved":    {Request{Verb: VerbFailover, Target: "c"}, func(r *record.Record) { r.Dissolved = true }, false},
		"the same, dissolved": {Request{Verb: VerbConfigure, Timing: Timing{W: w}}, func(r *record.Record) { r.Dissolved = true }, false},
	} {
		for how, answer := range map[string]Answered{
			"silent": {Problem: "timeout"}, "stopping": {Message: Verdict{Code: CodeNotRunning}}, "confused": {Message: Told{}},
		} {
			s := asking(t, tt.request, answer)
			wants(t, "looks first", s.code(), "pending")
			r := rec("c", 8, 1, "a", "b", "c")
			r.By = "c"
			if tt.seen != nil {
				r = with(r, tt.seen)
			}
			s.seen(r)
			want := Code("")
			if !tt.want {
				want = CodePrimaryUnreachable
			}
			wants(t, how+", "+name, s.code(), want)
			wants(t, "nobody else is asked", len(s.m.tasks), 0)
		}
	}
	s := asking(t, Request{Verb: VerbPause}, Answered{Problem: "timeout"})
	s.answerRead(ReadDone{Problem: "timeout"})
	wants(t, "no record to read", s.code(), CodePrimaryUnreachable)
}

// asking is node b, which has asked a for something and got that answer.
func asking(t *testing.T, r Request, answer Answered) *solo {
	t.Helper()
	s := secondary(t, "a", "b", "c")
	s.do(r)
	answer.Op, answer.From = s.sent("a").Op, "a"
	s.reads, s.m.store.op = nil, 0
	s.step(answer)
	return s
}

// A node that took the role while it waited for the old Primary's answer does
// not do it either: it may have been done.
func TestVerbs_TheAskerBecomesPrimary(t *testing.T) {
	t.Parallel()
	for verb, want := range map[Verb]Code{VerbPause: CodePrimaryUnreachable, VerbFailover: ""} {
		s := secondary(t)
		s.do(Request{Verb: verb})
		e := s.sent("a")
		s.m.store.op, s.reads = 0, nil
		s.skip(w)
		s.step(Tick{})
		s.written(Applied)
		wants(t, "held", s.m.auth.held, true)
		if verb == VerbPause {
			s.step(Answered{Op: e.Op, From: "a", Problem: "timeout"})
			s.answerRead(ReadDone{Problem: "timeout"})
		}
		wants(t, string(verb), s.code(), want)
	}
}

// A verb that was asked of a node which hands over waits until it has, and is
// then sent on its way: the record names whom to ask.
func TestVerbs_AskedDuringAHandover(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.step(Received{Conn: 7, From: "a", Message: Ask{Group: "00c0ffee", Request: Request{Verb: VerbPause}}})
	wants(t, "while it hands over", replies(s.out), 0)
	s.step(DemoteDone{Op: s.demote.Op})
	r := s.written(Applied).Record
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.report(0)})
	s.pass(pause)
	s.seen(with(r, func(x *record.Record) { x.By, x.Term, x.Nonce = "a", x.Term+1, "abc" }))
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: Report{Role: event.RolePrimary}})
	wants(t, "the handover", s.code(), "")
	wants(t, "role", s.m.role, event.RoleSecondary)
	wants(t, "replies when it has", replies(s.out), 1)
	s = handingOver(t)
	s.step(Stop{})
	s.step(Received{Conn: 7, From: "a", Message: Ask{Group: "00c0ffee", Request: Request{Verb: VerbPause}}})
	wants(t, "while it stops, nothing was done", verdict(s.out).Code, CodeNotPrimary)
}

// verdict is the answer to another member's question, in an output that has one.
func verdict(out Output) Verdict {
	for _, e := range out.Effects {
		if r, ok := e.(Reply); ok {
			v, _ := r.Message.(Verdict)
			return v
		}
	}
	return Verdict{Code: "no answer"}
}

// What another member has asked for is not passed on to a third: it asks for
// itself.
func TestVerbs_AreNotPassedOn(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.tasks = []task{{conn: 7, req: Request{Verb: VerbPause}}}
	s.step(Tick{})
	wants(t, "code", verdict(s.out).Code, CodeNotPrimary)
}

// The way out by force does not wait for the Primary that it is about.
func TestVerbs_ForceGoesFirst(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.do(Request{Verb: VerbPause})
	s.sent("a")
	s.reads, s.m.store.op = nil, 0
	s.step(Do{ID: 2, Request: Request{Verb: VerbForce, Reason: "a is dead"}})
	wants(t, "the pause", s.code(), CodePrimaryUnreachable)
	wants(t, "what is done now", s.m.tasks[0].req.Verb, VerbForce)
}

// What somebody else has seen of the record is looked at now.
func TestLook_ReadsAtOnce(t *testing.T) {
	t.Parallel()
	s := primary(t)
	wants(t, "reads", len(s.reads), 0)
	s.step(Look{})
	wants(t, "reads", len(s.reads), 1)
}
