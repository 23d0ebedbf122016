package failover

import (
	"slices"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// The tests of rules_edges_… are about one comparison or one guard each, which
// the mutants of internal/mutant showed that no other test holds in place.

// An answer without a promise is no vote, and takes none away that was given.
func TestRule2_NoPromiseTakesNoVoteAway(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{0, -w} {
		s := primary(t, "a", "b", "c")
		s.unanswered("a")
		s.unanswered("c")
		s.skip(20 * time.Second)
		s.step(Tick{})
		stamp := s.now.Hold
		s.promised("a", w)
		s.skip(20 * time.Second)
		s.step(Tick{})
		s.promised("a", length)
		s.promised("c", w) // sent with the first promise of a
		wants(t, "until", s.m.auth.until, stamp+lease)
	}
}

// A promise counts in the term that it was given in, and in no later one.
func TestRule2_APromiseToALowerTermGivesNothing(t *testing.T) {
	t.Parallel()
	s := primary(t)
	r := s.report(w)
	r.Term--
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r})
	wants(t, "vote", s.m.peer("a").vote.given, false)
}

// An exchange that failed, or was not answered by a report, gives nothing,
// whatever came with it.
func TestRule2_AnExchangeThatFailedGivesNothing(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Answered{
		"a time-out with a report": {Problem: "timeout"},
		"a verdict":                {Message: Verdict{}},
		"nothing":                  {},
	} {
		s := primary(t)
		in.Op, in.From = s.sent("a").Op, "a"
		if in.Problem != "" {
			in.Message = s.report(w)
		}
		s.step(in)
		p := s.m.peer("a")
		wants(t, "vote after "+name, p.vote.given, false)
		wants(t, "failed after "+name, p.failed, true)
		wants(t, "failures in a row after "+name, p.fails, 1)
	}
}

// The risk of losing the authority is told when an extension is overdue by a
// whole attempt, on the clock of the authority.
func TestRule3_RiskIsToldWhenAnExtensionIsOverdue(t *testing.T) {
	t.Parallel()
	s := primary(t)
	risks := func() int {
		n := 0
		for _, e := range s.events {
			if e.Meta().ID == event.AuthorityAtRisk {
				n++
			}
		}
		return n
	}
	s.pass(20*time.Second + budget + pause - 1)
	wants(t, "told before", risks(), 0)
	s.pass(1)
	wants(t, "told then", risks(), 1)
	s.pass(5 * time.Second)
	wants(t, "told again", risks(), 1)
}

// After a lapse the record is read at once, also if it was read just before.
func TestRule3_AfterALapseTheRecordIsRead(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.skip(lease - spare)
	s.m.store.began, s.m.auth.sent = s.now.Wait, s.now.Wait
	s.step(Tick{})
	wants(t, "role", s.m.role, event.RoleSecondary)
	wants(t, "reads", len(s.reads), 1)
}

// A node that was not Primary, and is, and reads a record of another, promises
// nothing, also when it has no write of unknown end.
func TestRule4_AsPrimaryThatTheRecordDoesNotName(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	s.seen(rec("a", 3, 3, "a", "b"))
	s.written(Refused)
	wants(t, "held", s.m.auth.held, true)
	wants(t, "writes of unknown end", len(s.m.tries), 0)
	wants(t, "promise", s.beat("a", 2000, 1), 0)
}

// A renewal of unknown end may yet be applied: while it may, nothing is
// promised, whomever the record that was read names.
func TestRule4_ARenewalOfUnknownEndIsAClaim(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	older := rec("a", 3, 3, "a", "b")
	s.seen(older)
	s.written(Unknown)
	s.seen(older)
	s.skip(lease)
	s.step(Tick{})
	wants(t, "held", s.m.auth.held, false)
	wants(t, "promise", s.beat("a", 2000, 1), 0)
}

// So does a create.
func TestRule4_ACreateOfUnknownEndIsAClaim(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbCreate})
	s.absent()
	s.written(Unknown)
	s.absent()
	wants(t, "promise", s.beat("a", 7, 4), 0)
}

// What a member reports of itself is what it is now.
func TestRule9_TheReportTellsWhatTheTargetIs(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	wants(t, "healthy", s.m.report().Healthy, true)
	wants(t, "reads", s.m.report().Read, true)
	s.step(Health{Problem: "disk full"})
	wants(t, "healthy, with a problem", s.m.report().Healthy, false)
	s.step(Health{Healthy: true})
	s.pass(30 * time.Second)
	s.silent()
	wants(t, "reads, after a failed read", s.m.report().Read, false)
}

// A node that stops is no target.
func TestRule9_ANodeThatStopsIsNoTarget(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.step(Stop{})
	wants(t, "healthy", s.m.report().Healthy, false)
}

// A member answers well when it is healthy and reads the record.
func TestRule9_WhoAnswersWell(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ healthy, read, want bool }{
		{true, true, true}, {false, true, false}, {true, false, false}, {false, false, false},
	} {
		s := primary(t)
		r := s.report(w)
		r.Healthy, r.Read = tt.healthy, tt.read
		s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r})
		if got := s.m.peer("a").stable; got != tt.want {
			t.Errorf("stable of healthy=%t read=%t = %t", tt.healthy, tt.read, got)
		}
	}
}

// Effects are numbered from 1: an answer with the number 0 is of no exchange.
func TestLaw6_AnAnswerOfNoExchangeIsDropped(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.unanswered("a")
	s.step(Answered{From: "a", Message: s.report(w)})
	wants(t, "vote", s.m.peer("a").vote.given, false)
}

// A refusal says nothing of the writes before, which may yet be applied.
func TestRule7_ARefusalSaysNothingOfEarlierWrites(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	first := s.written(Unknown)
	s.seen(s.m.auth.base)
	s.pass(pause)
	s.written(Refused)
	wants(t, "writes of unknown end", len(s.m.tries), 1)
	wants(t, "the first one", s.m.tries[0].rec.Nonce, first.Record.Nonce)
}

// A host that was told to stop by an earlier demotion has not stopped yet.
func TestRule9_OnlyTheHostOfThisDemotionHasStopped(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.skip(lease - spare)
	s.step(Tick{})
	s.step(DemoteDone{Op: s.demote.Op + 1000})
	wants(t, "demotion", s.m.demotion.op, s.demote.Op)
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "demotion", s.m.demotion.op, 0)
}

// A Primary writes over an older record at once, also if its own addresses are
// beside it.
func TestRule7_AnOlderRecordIsWrittenOverAtOnce(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	older := rec("a", 3, 3, "a", "b")
	s.answerRead(ReadDone{Seen: Observation{
		Found: Present, Record: older, Token: older.Nonce, Host: member("b").Addresses(), HostRead: true,
	}})
	wants(t, "token", s.write().Token, older.Nonce)
}

// A record that is newer than all others ends the state of an older one, also
// if it was heard of before it is read.
func TestRule7_ANewRecordEndsAnOlderOne(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	s.seen(rec("a", 5, 3, "a", "b"))
	wants(t, "older", s.m.known.older, true)
	s.beat("a", 7, 4)
	s.m.store.wanted = true
	s.step(Tick{})
	if len(s.reads) == 0 {
		s.pass(2 * pause)
	}
	s.seen(rec("a", 7, 4, "a", "b"))
	wants(t, "older", s.m.known.older, false)
}

// An answer in which nothing was looked for is no answer.
func TestRule6_AnEmptyAnswerIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	before := s.m.known.seen.Record.Nonce
	s.answerRead(ReadDone{})
	wants(t, "fresh", s.m.known.fresh, false)
	wants(t, "record", s.m.known.seen.Record.Nonce, before)
}

// From the alarm on, which is 1.5·R after the last direct heartbeat on the wait
// clock, the record is read every W/30.
func TestRule6_AlarmReads(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.seen(s.m.known.seen.Record)
	s.pass(2*pause - 1)
	wants(t, "reads before", len(s.reads), 0)
	s.pass(1)
	wants(t, "reads then", len(s.reads), 1)
}

// Of two records with an equal W the one that was read counts.
func TestRule14_AtEqualWTheRecordCounts(t *testing.T) {
	t.Parallel()
	a, b := testTiming(w), testTiming(w)
	b.R = time.Second
	wants(t, "timing", shorter(a, b), a)
}

// Shorter timings that are confirmed count from then on, too.
func TestRule14_ShorterTimingsThatAreConfirmedCount(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(time.Second)
	s.do(Request{Verb: VerbConfigure, Timing: testTiming(20 * time.Second)})
	stamp := s.now.Hold
	s.skip(time.Second)
	s.written(Applied)
	wants(t, "until", s.m.auth.until, stamp+15*time.Second)
	wants(t, "stop", s.m.auth.stop, stamp+13500*time.Millisecond)
}

// The run of another node is never ours, whatever is known of its end.
func TestRule8_TheRunOfAnotherNodeIsNotOurs(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.ProvenDead = func(string) bool { return true } })
	s.seen(rec("a", 7, 3, "a", "b"))
	wants(t, "claims", len(s.writes), 0)
}

// What the node is made of counts as well as what the record says of it.
func TestRule6_OwnPriorityCounts(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	wants(t, "eligible", s.m.eligible(), true)
	s.m.cfg.Self.Priority = 0
	wants(t, "eligible with priority 0", s.m.eligible(), false)
}

// A restarted run that has asked asks again when the silence is another one.
func TestRule8_ANewSilenceIsAskedAboutAnew(t *testing.T) {
	t.Parallel()
	s := restarted(t)
	s.m.store.op = 7777 // the store is in use: the answers come, and nothing is written
	s.unanswered("a")
	s.unanswered("c")
	wants(t, "all have answered", s.m.probe.done, true)
	s.m.known.quiet = s.now.Wait // somebody was heard
	s.skip(w + 2*budget)
	s.m.store.op, s.reads = 0, nil
	s.step(Tick{})
	wants(t, "claims without asking", len(s.writes), 0)
	s.sent("a")
	s.sent("c")
}

// A handover that is not taken is everybody's 2·U after it was read, whatever
// was heard since.
func TestRule9_NotTakenCountsFromTheRead(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	r := rec("c", 7, 3, "a", "b", "c")
	r.By = "a"
	s.seen(r)
	s.skip(time.Second)
	s.beat("a", 7, 3)
	s.m.store.op, s.reads = 0, nil
	s.skip(2*budget - time.Second)
	s.step(Tick{})
	s.write()
	wants(t, "cause", s.m.tries[0].cause, event.CauseHandover)
}

// Nothing but the record tells where this node is.
func TestRule10_AJoinerElsewhereIsNotUs(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) {
		r.Members[1].Joining = true
		r.Members[1].IPv4 = ip("192.0.2.77")
	}))
	wants(t, "joining", s.m.joining(), false)
}

// A write stands for an older one only if it has the same members, and the same
// of them are joining.
func TestRule10_AWriteWithOtherMembersIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(r *record.Record, i int){
		"members": func(r *record.Record, i int) { r.Members[1].ID = string(rune('c' + i)) },
		"joiners": func(r *record.Record, i int) { r.Members[1].Joining = i%2 == 0 },
	} {
		s := primary(t)
		for i := range maxTries {
			s.m.tries = append(s.m.tries, attempt{rec: with(s.m.auth.base, func(r *record.Record) { edit(r, i) })})
		}
		wants(t, "kept with other "+name, len(s.m.forgotten()), maxTries)
	}
}

// Two reads exactly a check interval apart are enough.
func TestRule11_ExactlyACheckIntervalApart(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.absent()
	s.pass(2 * pause)
	wants(t, "reads before the interval is over", len(s.reads), 0)
	s.pass(30*time.Second - 2*pause)
	s.absent()
	wants(t, "role", s.m.role, event.RoleNotInGroup)
}

// A create that is learned when its authority is over is void: rule 6 only.
func TestRule11_ACreateThatIsLearnedTooLateIsVoid(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbCreate})
	s.absent()
	s.skip(lease - spare)
	e := s.written(Applied)
	wants(t, "held", s.m.auth.held, false)
	wants(t, "void", s.m.known.voidTerm, e.Record.Term)
	wants(t, "claims", len(s.writes), 0)
}

// While a create is being written nothing is void: its end is yet to come.
func TestRule11_ACreateUnderWayIsNotVoid(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbCreate})
	s.absent()
	s.skip(lease)
	s.step(Tick{})
	wants(t, "void while it is written", s.m.known.voidTerm, 0)
	wants(t, "writes under way", len(s.m.tries), 1)
}

// A run that saw the group dissolved does not create another by itself.
func TestRule11_ARunThatSawATombstoneDoesNotCreate(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Bootstrap = BootstrapCreate })
	s.seen(with(rec("", 7, 3), func(r *record.Record) { r.Dissolved = true }))
	for range 3 {
		s.pass(w)
		if len(s.reads) > 0 {
			s.absent()
		}
		wants(t, "writes", len(s.writes), 0)
		wants(t, "tasks", len(s.m.tasks), 0)
	}
}

// Nor does a node that can never be Primary.
func TestRule11_WhoCanNeverBePrimaryDoesNotCreate(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Bootstrap, c.Self.Priority = BootstrapCreate, 0 })
	for range 60 {
		if len(s.reads) > 0 {
			s.absent()
		}
		s.pass(2 * pause)
		wants(t, "writes", len(s.writes), 0)
	}
}

// Until its settings are complete a node reads nothing.
func TestRule11_AnIdleNodeReadsNothing(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Idle, c.Bootstrap = true, BootstrapCreate })
	s.pass(3 * w)
	wants(t, "reads", len(s.reads), 0)
}

// Who could take the role over: confirmed members that can be Primary, the best
// first; of these the one that was asked for.
func TestRule9_Candidates(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.m.auth.base.Members = []record.Member{member("a"), member("b"), better("c"), joining(better("d")), never("e")}
	ids := func(target string) (all string) {
		for _, x := range s.m.candidates(&task{req: Request{Target: target}}) {
			all += x.ID
		}
		return all
	}
	wants(t, "candidates", ids(""), "ca")
	wants(t, "candidates when a is asked for", ids("a"), "a")
	wants(t, "candidates when a joiner is asked for", ids("d"), "")
	wants(t, "candidates when the Primary is asked for", ids("b"), "")
}

// The role goes back to a member of higher priority only.
func TestRule9_FailbackIsToABetterMember(t *testing.T) {
	t.Parallel()
	for priority, want := range map[int]int{99: 0, 100: 0, 101: 1} {
		s := primaryWith(t, func(c *Config) { c.FailbackAfter = pause })
		i := slices.IndexFunc(s.m.auth.base.Members, func(x record.Member) bool { return x.ID == "a" })
		s.m.auth.base.Members[i].Priority = priority
		s.promised("a", w)
		s.skip(pause)
		s.step(Tick{})
		if got := len(s.m.tasks); got != want {
			t.Errorf("handovers to a member of priority %d = %d, want %d", priority, got, want)
		}
	}
}

// A Primary that wants to hand over, and is refused, asks again after R.
func TestRule9_AnOfferIsMadeOnceInR(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.step(Health{Problem: "disk full"})
	r := s.fresh("a")
	r.Healthy = false
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r})
	s.skip(20*time.Second - 1)
	s.step(Tick{})
	wants(t, "handovers before R is over", len(s.m.tasks), 0)
	s.skip(1)
	s.step(Tick{})
	wants(t, "handovers then", len(s.m.tasks), 1)
}

// A release whose end is unknown, and that a read does not show, is written
// again.
func TestRule9_AReleaseIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b")
	s.unanswered("a")
	before := s.m.known.seen.Record
	s.step(Stop{})
	s.step(DemoteDone{Op: s.demote.Op})
	s.written(Unknown)
	s.seen(before)
	s.pass(pause)
	wants(t, "primary", s.write().Record.Primary, "")
}

// A handover that another node's takeover overtakes is not written over it.
func TestRule9_AYieldIsNotWrittenOverAnotherPrimary(t *testing.T) {
	t.Parallel()
	s := handingOver(t, "a", "b", "c")
	s.m.store.wanted = true
	s.step(Tick{})
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.seen(rec("c", 2000, 1, "a", "b", "c"))
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "writes", len(s.writes), 0)
	wants(t, "code", s.code(), CodeNoTarget)
}

// A stop waits for the host of a role that has just been lost.
func TestRule9_AStopWaitsForTheHost(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.skip(lease - spare)
	s.step(Tick{})
	s.step(Stop{})
	wants(t, "done while the host stops", s.out.Done, false)
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "done", s.out.Done, true)
}

// A stop finishes a handover that has dropped the authority already.
func TestRule9_AStopFinishesAHandover(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.step(Stop{})
	wants(t, "done before it is written", s.out.Done, false)
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "primary", s.write().Record.Primary, "a")
}

// A refusal is about the write that was refused: a change that came while it
// was under way is not part of it, and gets a write of its own.
func TestVerbs_ARefusedRenewalIsNotTheChange(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	s.do(Request{Verb: VerbPause})
	s.written(Refused)
	wants(t, "code", s.code(), "pending")
}

// … and when the record is another one, also if the silence is the same: its
// number was heard of before it is read.
func TestRule8_ANewRecordIsAskedAboutAnew(t *testing.T) {
	t.Parallel()
	s := restarted(t)
	s.m.store.op = 7777 // the store is in use, until the other record is read
	s.beat("a", 7, 4)
	s.unanswered("a")
	s.unanswered("c")
	s.skip(w + 2*budget)
	s.m.store.op, s.reads = 0, nil
	s.step(Tick{})
	s.m.store.op = 7777
	s.unanswered("a")
	s.unanswered("c")
	wants(t, "all have answered", s.m.probe.done, true)
	s.m.store.op, s.reads, s.m.store.must = 0, nil, true
	s.step(Tick{})
	s.seen(with(rec("b", 7, 4, "a", "b", "c"), func(r *record.Record) { r.Run = "b0" }))
	wants(t, "claims without asking", len(s.writes), 0)
	s.sent("a")
	s.sent("c")
}
