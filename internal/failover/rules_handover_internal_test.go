package failover

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// fresh answers the question to a target: healthy, and it reads our record.
func (s *solo) fresh(to string) Report {
	r := s.report(0)
	r.Run = to + "1"
	return r
}

// handingOver is node b as Primary that was asked to hand over, and has asked
// node a.
func handingOver(t *testing.T, members ...string) *solo {
	t.Helper()
	s := primary(t, members...)
	s.promised("a", w)
	s.do(Request{Verb: VerbFailover})
	return s
}

// The order: ask the target, stop the work, drop the authority, write the
// record, tell the target.
func TestRule9_TheOrder(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	e := s.sent("a")
	wants(t, "question", DescribeMessage(e.Message), "query group=00c0ffee fresh")
	wants(t, "held while it asks", s.m.auth.held, true)
	until := s.now.Hold + spare
	s.step(Answered{Op: e.Op, From: "a", Message: s.fresh("a")})
	wants(t, "held", s.m.auth.held, false)
	wants(t, "role", s.m.role, event.RoleSecondary)
	if diff := cmp.Diff(Demote{Op: s.demote.Op, Term: 1000, Cause: event.CauseHandover, Next: "a", Until: until}, s.demote); diff != "" {
		t.Errorf("demote mismatch (-want +got):\n%s", diff)
	}
	wants(t, "writes while the host stops", len(s.writes), 0)
	s.step(DemoteDone{Op: s.demote.Op})
	r := s.write().Record
	wants(t, "record", r.Primary+"/"+r.Run+" by "+r.By, "a/a1 by b")
	wants(t, "number", pairOf(r), pair{1001, 1})
	s.written(Applied)
	wants(t, "told", DescribeMessage(s.sent("a").Message), "told group=00c0ffee")
	wants(t, "code", s.code(), "pending")
}

// The failover is over when the target's role shows.
func TestRule9_ItIsOverWhenTheTargetIsPrimary(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.step(DemoteDone{Op: s.demote.Op})
	r := s.written(Applied).Record
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.report(0)})
	s.pass(pause)
	s.seen(with(r, func(x *record.Record) { x.By, x.Term, x.Nonce = "a", x.Term+1, "abc" }))
	e := s.sent("a")
	wants(t, "question", DescribeMessage(e.Message), "query group=00c0ffee")
	s.step(Answered{Op: e.Op, From: "a", Message: Report{Role: event.RoleSecondary}}) // its host is asked
	wants(t, "code", s.code(), "pending")
	s.pass(pause)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: Report{Role: event.RolePrimary}})
	wants(t, "code", s.code(), "")
}

// A host that does not stop delays the write by δ, no longer.
func TestRule9_TheHostHasUntilTheStopBudgetIsOver(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.pass(spare - 1)
	wants(t, "writes before", len(s.writes), 0)
	s.skip(1)
	s.seen(s.m.known.seen.Record) // it reads meanwhile
	wants(t, "writes after", len(s.writes), 1)
}

// What makes a target unfit; then the work does not stop.
func TestRule9_Unfit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit    func(r *Report)
		problem string
	}{
		"unhealthy":      {func(r *Report) { r.Healthy = false }, ""},
		"no read":        {func(r *Report) { r.Read = false }, ""},
		"another group":  {func(r *Report) { r.Group = "0badcafe" }, ""},
		"another term":   {func(r *Report) { r.Term-- }, ""},
		"no incarnation": {func(r *Report) { r.Run = "" }, ""},
		"silent":         {func(*Report) {}, "timeout"},
	} {
		s := handingOver(t)
		r := s.fresh("a")
		tt.edit(&r)
		s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r, Problem: tt.problem})
		wants(t, "role with a target that is "+name, s.m.role, event.RolePrimary)
		wants(t, "code with a target that is "+name, s.code(), CodeNoTarget)
	}
	s := handingOver(t) // one that was overtaken by the last renewal is fit
	s.m.auth.base.Seq = 9
	r := s.fresh("a")
	r.Seq = 8
	wants(t, "one behind", s.m.unfit(Answered{}, r), "")
	r.Seq = 7
	wants(t, "two behind", s.m.unfit(Answered{}, r), "reads another record: check that both nodes use the same server")
}

// What the target reports is what it has read anew, not what it has heard.
func TestRule9_TheReportIsOfAReadThatBeganSince(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second) // the check is under way
	s.beat("a", 7, 9)
	s.step(Received{Conn: 5, From: "a", Message: Query{Group: "00c0ffee", Fresh: true}})
	s.seen(rec("a", 7, 4, "a", "b"))
	wants(t, "replies after the read that was under way", replies(s.out), 0)
	s.seen(rec("a", 7, 5, "a", "b"))
	wants(t, "replies after the next", replies(s.out), 1)
	for _, e := range s.out.Effects {
		if r, ok := e.(Reply); ok {
			wants(t, "number", r.Message.(Report).Seq, 5)
		}
	}
}

func replies(out Output) int {
	n := 0
	for _, e := range out.Effects {
		if _, ok := e.(Reply); ok {
			n++
		}
	}
	return n
}

// If the write is refused or of unknown end, the node is no Primary either; it
// reads, and returns by rule 8.
func TestRule9_AFailedWriteLeavesTheNodeToRule8(t *testing.T) {
	t.Parallel()
	for _, end := range []End{Unknown, Conflicted, Refused} {
		s := handingOver(t)
		before := s.m.known.seen.Record
		s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
		s.step(DemoteDone{Op: s.demote.Op})
		s.written(end)
		wants(t, "role after "+end.String(), s.m.role, event.RoleSecondary)
		if end != Refused {
			s.seen(before)
			wants(t, "code after "+end.String(), s.code(), CodeStoreUnreachable)
		} else {
			wants(t, "code after "+end.String(), s.code(), CodeRefused)
		}
		for len(s.writes) == 0 {
			if s.pass(pause); len(s.reads) > 0 {
				s.seen(before)
			}
		}
		wants(t, "cause of the next write", s.m.tries[len(s.m.tries)-1].cause, event.CauseReclaimed)
		s.written(Applied)
		wants(t, "role at last", s.m.role, event.RolePrimary)
	}
}

// A handover that is not taken is for every eligible member after 2·U, counted
// from when it has read of it.
func TestRule9_NotTakenForTwoAttempts(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	r := rec("c", 7, 3, "a", "b", "c")
	r.By = "a"
	s.seen(r)
	s.m.store.op, s.reads = 0, nil
	s.skip(2*budget - 1)
	s.step(Tick{})
	wants(t, "claims before", len(s.writes), 0)
	s.m.store.op, s.reads = 0, nil
	s.skip(1)
	s.step(Tick{})
	s.write()
	wants(t, "cause", s.m.tries[0].cause, event.CauseHandover)
}

// A release is for everybody at once.
func TestRule9_AReleaseIsForEverybodyAtOnce(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.seen(rec("", 7, 3, "a", "b", "c"))
	s.write()
	wants(t, "cause", s.m.tries[0].cause, event.CauseReleased)
}

// A clean stop: to the best member that answered well last, without asking.
func TestRule9_AStopHandsOverToWhoeverAnsweredLast(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	s.unanswered("a")
	s.promised("c", w)
	s.step(Stop{})
	wants(t, "next", s.demote.Next, "c")
	wants(t, "cause", s.demote.Cause, event.CauseShutdown)
	s.step(DemoteDone{Op: s.demote.Op})
	s.sends = nil
	s.written(Applied)
	wants(t, "done before the target was told", s.out.Done, false)
	s.unanswered("c")
	wants(t, "done", s.out.Done, true)
}

// With nobody who answered well: one is asked, if one may answer, and then the
// record is released.
func TestRule9_AStopWithNobodyReleases(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	s.unanswered("a")
	s.step(Stop{})
	e := s.sends[len(s.sends)-1]
	wants(t, "asked", e.To.ID, "c")
	wants(t, "for", e.Within, budget)
	s.step(Answered{Op: e.Op, From: "c", Problem: "timeout"})
	wants(t, "next", s.demote.Next, "")
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "primary", s.written(Applied).Record.Primary, "")
	wants(t, "done", s.out.Done, true)
}

// The end comes after δ + 2·U in any case.
func TestRule9_AStopEndsInTime(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.step(Stop{})
	s.skip(spare + 2*budget - 1)
	s.step(Tick{})
	wants(t, "done before", s.out.Done, false)
	s.skip(1)
	s.step(Tick{})
	wants(t, "done", s.out.Done, true)
}

// … also if it is Primary still: then it stops with it.
func TestRule9_AStopInTheMiddleEndsTheRole(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.step(Stop{})
	wants(t, "held while a is asked", s.m.auth.held, true)
	s.m.stopBy = s.now.Wait
	s.step(Tick{})
	wants(t, "done", s.out.Done, true)
	wants(t, "role", s.m.role, event.RoleSecondary)
	wants(t, "cause", s.demote.Cause, event.CauseShutdown)
}

// A Primary whose host is still asked whether it agrees gives the record back.
func TestRule9_AStopBeforeTheRoleShows(t *testing.T) {
	t.Parallel()
	s := primaryWith(t, func(c *Config) { c.Gate = true })
	s.step(Stop{})
	wants(t, "held", s.m.auth.held, false)
	s.sends = nil
	wants(t, "primary", s.written(Applied).Record.Primary, "")
	s.step(PromoteDone{Op: s.ask.Op})
	wants(t, "role", s.m.role, event.RoleSecondary)
}
