package failover

import (
	"fmt"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// After a write of unknown end, and after one that was refused by condition,
// read before anything else.
func TestRule7_ReadBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	for _, end := range []End{Unknown, Conflicted} {
		s := primary(t)
		s.pass(20 * time.Second)
		s.written(end)
		wants(t, "reads after "+end.String(), len(s.reads), 1)
		for range 5 {
			s.silent()
			s.pass(pause)
			wants(t, "writes while the store is silent", len(s.writes), 0)
		}
		s.seen(s.m.auth.base)
		s.pass(pause)
		s.write()
	}
}

// A refusal for good is certain, so nothing has to be read.
func TestRule7_ARefusalIsCertain(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	s.written(Refused)
	wants(t, "writes of unknown end", len(s.m.tries), 0)
	wants(t, "read first", s.m.store.must, false)
	wants(t, "dns", s.m.dns, event.DNSDisconnected)
	s.reads, s.m.store.op = nil, 0
	s.pass(budget)
	s.write()
}

// What a Primary does with the record it reads: as long as it is named in its
// term and run it goes on, else it stops at once.
func TestRule7_APrimaryThatReads(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(r *record.Record)
		held bool
	}{
		"the same":       {func(*record.Record) {}, true},
		"a joiner":       {func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, joining(member("c"))) }, true},
		"another term":   {func(r *record.Record) { r.Nonce, r.Term = "abc", r.Term+1 }, false},
		"another run":    {func(r *record.Record) { r.Nonce, r.Run = "abc", "b2" }, false},
		"another name":   {func(r *record.Record) { r.Nonce, r.Primary = "abc", "a" }, false},
		"nobody":         {func(r *record.Record) { r.Nonce, r.Primary = "abc", "" }, false},
		"another group":  {func(r *record.Record) { r.Nonce, r.Group = "abc", "0badcafe" }, false},
		"a tombstone":    {func(r *record.Record) { r.Nonce, r.Dissolved = "abc", true }, false},
		"an older one":   {func(r *record.Record) { r.Nonce, r.Term, r.Primary = "abc", r.Term-1, "a" }, true},
		"an older other": {func(r *record.Record) { r.Nonce, r.Term, r.Group = "abc", r.Term-1, "0badcafe" }, false},
	} {
		s := primary(t)
		s.m.store.wanted = true
		s.step(Tick{})
		s.seen(with(s.m.auth.base, tt.edit))
		wants(t, "held after "+name, s.m.auth.held, tt.held)
		wants(t, "told to stop after "+name, s.demote.Op != 0, !tt.held)
	}
}

// A joiner that a Primary reads is confirmed at once.
func TestRule7_ARunningPrimaryGoesOnFromWhatItReads(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	s.seen(with(s.m.auth.base, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, joining(member("c"))) }))
	c, ok := s.write().Record.Member("c")
	wants(t, "listed", ok, true)
	wants(t, "joining", c.Joining, false)
}

// An older record of the group is written over by a running Primary, with its
// own content.
func TestRule7_AnOlderRecordIsWrittenOver(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	s.m.store.wanted = true
	s.step(Tick{})
	s.seen(rec("a", 3, 3, "a", "b"))
	e := s.write()
	wants(t, "token", e.Token, rec("a", 3, 3).Nonce)
	wants(t, "number", pairOf(e.Record), pair{1000, 2})
	wants(t, "members", len(e.Record.Members), 3)
	s.written(Applied)
	wants(t, "older", s.m.known.older, false)
}

// To everybody else it is newly learned, and rule 8 does not apply to it: also
// a run that it names waits for W, whoever wrote it.
func TestRule7_AnOlderRecordIsNewsToOthers(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"a", "b"} {
		s := secondary(t)
		s.m.store.wanted = true
		s.step(Tick{})
		s.seen(with(rec("b", 5, 3, "a", "b"), func(r *record.Record) { r.By = by }))
		for range 2 {
			s.m.store.op, s.reads = 0, nil
			s.step(Tick{})
			wants(t, "claims at once, by "+by, len(s.writes), 0)
			s.skip(w - 1)
		}
		s.m.store.op, s.reads = 0, nil
		s.skip(budget + 1) // the Primary that a record names is the last candidate
		s.step(Tick{})
		wants(t, "term of the claim after W", s.write().Record.Term, s.m.known.terms)
	}
}

// A release that is older than what was known is no release.
func TestRule7_AnOlderReleaseIsNoRelease(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.store.wanted = true
	s.step(Tick{})
	s.seen(rec("", 5, 3, "a", "b"))
	wants(t, "claims", len(s.writes), 0)
}

// Who takes a record at once.
func TestRule8_Reclaim(t *testing.T) {
	t.Parallel()
	promising := func(s *solo) { s.m.promise = promise{given: true, at: s.now.Wait, length: w} }
	for name, tt := range map[string]struct {
		primary, run, by string
		proof            bool
		do               func(s *solo)
		want             event.Cause
	}{
		"named by another":            {"b", "b1", "a", false, nil, event.CauseHandover},
		"named by another, promising": {"b", "b1", "a", false, promising, event.CauseHandover},
		"named by itself":             {"b", "b1", "b", false, nil, event.CauseReclaimed},
		"named by itself, promising":  {"b", "b1", "b", false, promising, ""},
		"an older run, with proof":    {"b", "b0", "b", true, nil, event.CauseReclaimed},
		"an older run, without":       {"b", "b0", "b", false, nil, ""},
		"an older run, handed over":   {"b", "b0", "a", false, nil, ""},
		"handed over to it, proof":    {"b", "b0", "a", true, nil, event.CauseHandover},
		"no run":                      {"b", "", "b", true, nil, ""},
		"another node":                {"a", "a1", "a", true, nil, ""},
		"released":                    {"", "", "a", false, nil, event.CauseReleased},
		"released, promising":         {"", "", "a", false, promising, event.CauseReleased},
		"unhealthy":                   {"b", "b1", "a", false, func(s *solo) { s.step(Health{}) }, ""},
		"while it yields":             {"b", "b1", "b", false, func(s *solo) { s.m.tasks = []task{{step: stepYield, req: Request{Verb: verbYield}, wrote: false}} }, ""},
	} {
		s := newSolo(t, func(c *Config) {
			if tt.proof {
				c.ProvenDead = func(run string) bool { return run == "b0" || run == "" }
			}
		})
		if tt.do != nil {
			tt.do(s)
		}
		r := rec(tt.primary, 7, 3, "a", "b")
		r.Run, r.By = tt.run, tt.by
		s.seen(r)
		got := event.Cause("")
		for _, a := range s.m.tries {
			if a.kind == kindClaim {
				got = a.cause
			}
		}
		wants(t, "claim when "+name, got, tt.want)
	}
}

// A promise that this run gave holds back a reclaim until it is over. With rule
// 3 intact it takes a forced failover to get there: the promise is older than
// the claim, and the claim is learned too late to give authority.
func TestRule8_APromiseOfThisRunDelaysReclaim(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.reads, s.m.store.op = nil, 0
	wants(t, "promise", s.beat("a", 7, 4), w)
	s.reads, s.m.store.op = nil, 0
	s.do(Request{Verb: VerbForce, Reason: "a is dead"})
	s.seen(rec("a", 7, 4, "a", "b"))
	s.unanswered("a")
	e := s.written(Unknown)
	s.skip(lease)
	s.seen(e.Record) // too late
	wants(t, "held", s.m.auth.held, false)
	s.m.tasks = nil
	s.m.store.op, s.writes, s.m.tries = 0, nil, nil
	s.skip(w - lease - 1)
	s.step(Tick{})
	wants(t, "claims while it is running", len(s.writes), 0)
	s.m.store.op, s.reads = 0, nil
	s.skip(1)
	s.step(Tick{})
	s.write()
}

// A restarted run without proof asks every other member before it takes over,
// and waits for each of them.
func TestRule8_WithoutProofTheMembersAreAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer Report
		fails  bool
		claims int
	}{
		"no promise":                {Report{}, false, 1},
		"no answer":                 {Report{PromisedTo: "b", PromisedRun: "b0", PromisedAgo: 1}, true, 1},
		"a promise to another":      {Report{PromisedTo: "a", PromisedRun: "a1", PromisedAgo: 1}, false, 1},
		"a promise to this run":     {Report{PromisedTo: "b", PromisedRun: "b1", PromisedAgo: 1}, false, 1},
		"a promise W ago":           {Report{PromisedTo: "b", PromisedRun: "b0", PromisedAgo: w}, false, 1},
		"a promise less than W ago": {Report{PromisedTo: "b", PromisedRun: "b0", PromisedAgo: w - 1}, false, 0},
	} {
		s := restarted(t)
		wants(t, "claims before the answers", len(s.writes), 0)
		s.step(Answered{Op: s.sent("c").Op, From: "c", Message: Report{}})
		wants(t, "claims before the last answer", len(s.writes), 0)
		in := Answered{Op: s.sent("a").Op, From: "a", Message: tt.answer}
		if tt.fails {
			in.Problem = "timeout"
		}
		s.step(in)
		wants(t, "claims after "+name, len(s.writes), tt.claims)
		wants(t, "conflict after "+name, s.m.known.conflict != "", tt.claims == 0)
	}
}

// … and stays back for another W, then asks again.
func TestRule8_ASecondRunOfAnIDStaysBack(t *testing.T) {
	t.Parallel()
	s := restarted(t)
	s.unanswered("c")
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: Report{PromisedTo: "b", PromisedRun: "b0", PromisedAgo: time.Second}})
	wants(t, "quiet", s.m.known.quiet, s.now.Wait)
	s.m.store.op, s.reads = 0, nil
	s.skip(w + 2*budget)
	s.step(Tick{})
	s.seen(s.m.known.seen.Record)
	s.unanswered("a")
	s.unanswered("c")
	s.write()
}

// restarted is node b whose record names another run of it; it has waited for
// its turn, and asks the others.
func restarted(t *testing.T) *solo {
	t.Helper()
	s := newSolo(t, nil)
	r := rec("b", 7, 3, "a", "b", "c")
	r.Run = "b0"
	s.seen(r)
	s.m.store.op, s.reads = 0, nil
	s.skip(w + 2*budget) // the last candidate
	s.step(Tick{})
	s.seen(r)
	return s
}

// A node adds itself as joining, and asks the Primary to look.
func TestRule10_AJoinerAddsItself(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.seen(rec("a", 7, 3, "a", "c"))
	s.do(Request{Verb: VerbJoin})
	s.seen(rec("a", 7, 3, "a", "c"))
	r := s.write().Record
	wants(t, "members", DescribeRecord(r), DescribeRecord(with(rec("a", 7, 3, "a", "b", "c"), func(x *record.Record) {
		x.Nonce, x.Members[1].Joining = r.Nonce, true
	})))
	s.written(Applied)
	wants(t, "told", DescribeMessage(s.sent("a").Message), "told group=00c0ffee")
	wants(t, "code", s.code(), "pending")
	wants(t, "role", s.m.role, event.RoleNotInGroup)
	s.pass(2 * pause)
	s.seen(rec("a", 7, 4, "a", "b", "c"))
	wants(t, "code", s.code(), "")
	wants(t, "role", s.m.role, event.RoleSecondary)
}

// Whose promise is needed: every other member that could be Primary, of the
// last record and of every write of unknown end.
func TestRule10_Voters(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		members []record.Member
		unknown []record.Member
		want    string
	}{
		"members":                        {[]record.Member{member("a"), member("b"), member("c")}, nil, "[a c]"},
		"alone":                          {[]record.Member{member("b")}, nil, "[]"},
		"who is joining, not yet":        {[]record.Member{member("a"), member("b"), joining(member("c"))}, nil, "[a]"},
		"from the send that confirms":    {[]record.Member{member("a"), member("b"), joining(member("c"))}, []record.Member{member("a"), member("b"), member("c")}, "[a c]"},
		"until its removal is confirmed": {[]record.Member{member("a"), member("b"), member("c")}, []record.Member{member("a"), member("b")}, "[a c]"},
		"never Primary":                  {[]record.Member{member("a"), member("b"), never("c")}, nil, "[a]"},
	} {
		s := primary(t)
		s.m.auth.base.Members = tt.members
		if tt.unknown != nil {
			s.m.tries = []attempt{{rec: record.Record{Members: tt.unknown}}}
		}
		wants(t, "voters: "+name, fmt.Sprint(s.m.voters()), tt.want)
	}
}

// The same with messages: from the send of the write that confirms c on, the
// promise of a alone gives nothing, whether or not the write was answered.
func TestRule10_AJoinerIsAskedFromTheSend(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.m.store.wanted = true
	s.skip(10 * time.Second)
	s.step(Tick{})
	s.seen(with(s.m.auth.base, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, joining(member("c"))) }))
	s.write()
	before := s.m.auth.until
	stamp := s.now.Hold
	s.promised("a", w)
	wants(t, "until with the promise of a", s.m.auth.until, before)
	s.promised("c", w)
	wants(t, "until with both", s.m.auth.until, stamp+lease)
}

// A removed member is asked until its removal is confirmed.
func TestRule10_ARemovedMemberIsAskedUntilConfirmed(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	s.promised("a", w)
	s.promised("c", w)
	before := s.m.auth.until
	s.pass(10 * time.Second)
	s.do(Request{Verb: VerbRemove, Target: "c"})
	_, listed := s.write().Record.Member("c")
	wants(t, "listed", listed, false)
	s.promised("a", w)
	wants(t, "until before it is confirmed", s.m.auth.until, before)
	stamp := s.now.Hold
	s.written(Applied)
	wants(t, "code", s.code(), "")
	wants(t, "until after", s.m.auth.until, stamp+lease)
	wants(t, "voters", fmt.Sprint(s.m.voters()), "[a]")
}

// An absence that two reads a check interval apart confirm ends the group.
func TestRule11_TwoReadsACheckIntervalApart(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.absent()
	wants(t, "role after one", s.m.role, event.RoleSecondary)
	s.skip(30*time.Second - 1)
	s.m.store.wanted = true
	s.step(Tick{})
	s.absent()
	wants(t, "role after two that are too close", s.m.role, event.RoleSecondary)
	s.pass(30 * time.Second)
	s.absent()
	wants(t, "role after two", s.m.role, event.RoleNotInGroup)
	wants(t, "dns", s.m.dns, event.DNSNotApplicable)
	last, _ := s.events[len(s.events)-2].(event.RoleChange)
	wants(t, "cause", last.Cause, event.CauseRemovedFromDNS)
}

// A record in between begins the count again; silence does not.
func TestRule11_ARecordInBetween(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.absent()
	s.m.store.wanted = true
	s.skip(10 * time.Second)
	s.step(Tick{})
	s.seen(rec("a", 7, 4, "a", "b"))
	s.pass(30 * time.Second)
	s.absent()
	wants(t, "role", s.m.role, event.RoleSecondary)
	s.pass(30 * time.Second)
	s.silent()
	s.pass(pause)
	s.absent()
	wants(t, "role", s.m.role, event.RoleNotInGroup)
}

// After the first absence a Primary counts no further promise, until the record
// is there again.
func TestRule11_APrimaryCountsNoPromiseAfterAnAbsence(t *testing.T) {
	t.Parallel()
	s := primary(t)
	before := s.m.auth.until
	s.m.store.wanted = true
	s.skip(10 * time.Second)
	s.step(Tick{})
	s.absent()
	s.promised("a", w) // from the start
	s.pass(5 * time.Second)
	s.skip(5 * time.Second)
	s.step(Tick{})
	s.promised("a", w)
	wants(t, "until", s.m.auth.until, before)
	s.m.store.op, s.reads, s.writes = 0, nil, nil
	s.m.store.wanted, s.m.store.must = true, true
	s.step(Tick{})
	s.seen(s.m.auth.base)
	s.skip(20 * time.Second)
	s.step(Tick{})
	stamp := s.now.Hold
	s.promised("a", w)
	wants(t, "until with the record back", s.m.auth.until, stamp+lease)
}

// By configuration a group is created after W of seen absence, and not by a run
// that was in one.
func TestRule11_CreatedAfterWOfSeenAbsence(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Bootstrap = BootstrapCreate })
	s.silent()
	s.pass(w)
	s.absent()
	first := s.now.Wait
	for s.now.Wait < first+w {
		wants(t, "writes before W", len(s.writes), 0)
		if s.pass(2 * pause); len(s.reads) > 0 {
			s.absent()
		}
	}
	s.absent() // with the addresses at the name
	r := s.write().Record
	wants(t, "primary", r.Primary, "b")
	s.written(Applied)
	s.m.settle(Observation{Found: Present, Record: record.Record{Dissolved: true}})
	wants(t, "creates again", s.m.settled, true)
}

// A create whose end is unknown for L is void: nothing of it gives authority
// any more, and what shows up is taken by rule 6.
func TestRule11_ACreateOfUnknownEndIsVoidAfterL(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		s := newSolo(t, nil)
		s.absent()
		s.do(Request{Verb: VerbCreate})
		s.absent()
		e := s.written(Unknown)
		s.absent()
		s.m.store.op, s.reads = 0, nil
		after := lease - spare - 1
		if late {
			after = lease
		}
		s.skip(after)
		s.m.store.wanted = true
		s.step(Tick{})
		if late {
			wants(t, "code", s.code(), CodeStoreUnreachable)
			s.m.cfg.Bootstrap = BootstrapJoin
			s.m.store.wanted, s.m.store.op, s.reads = true, 0, nil
			s.step(Tick{})
		}
		s.seen(e.Record)
		wants(t, "held", s.m.auth.held, !late)
		wants(t, "writes", len(s.writes), map[bool]int{false: 1}[late])
		if !late {
			wants(t, "which is the renewal that is due", s.write().Record.Seq, 2)
		}
	}
}

// A new term is the larger of all known ones + 1 and the seconds of the clock.
func TestRule12_NewTerms(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(s *solo)
		wall time.Time
		want uint64
	}{
		"by the clock":         {func(*solo) {}, time.Unix(5000, 0), 5000},
		"by the record":        {func(*solo) {}, time.Unix(5, 0), 8},
		"by the record, at it": {func(*solo) {}, time.Unix(8, 0), 8},
		"by a heartbeat":       {func(s *solo) { s.beat("a", 9000, 1) }, time.Unix(5000, 0), 9001},
		"by an own attempt":    {func(s *solo) { s.m.nextTerm() }, time.Unix(1000, 0), 1001},
		"before 1970":          {func(*solo) {}, time.Unix(-5, 0), 8},
		"no clock":             {func(*solo) {}, time.Time{}, 8},
	} {
		s := secondary(t)
		tt.do(s)
		s.m.now.Wall = tt.wall
		wants(t, "term "+name, s.m.nextTerm(), tt.want)
	}
}

// A paused group has no takeover, but reclaims, handovers and releases.
func TestRule13_PauseStopsRule6Only(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		r    record.Record
		want int
	}{
		"lost":     {rec("a", 7, 3, "a", "b"), 0},
		"own":      {rec("b", 7, 3, "a", "b"), 1},
		"handed":   {with(rec("b", 7, 3, "a", "b"), func(r *record.Record) { r.By = "a" }), 1},
		"released": {rec("", 7, 3, "a", "b"), 1},
	} {
		s := newSolo(t, nil)
		tt.r.Paused = true
		s.seen(tt.r)
		s.m.store.op, s.reads, s.writes = 0, nil, nil
		s.m.tries = nil
		s.skip(3 * w)
		s.step(Tick{})
		wants(t, "claims of a paused group: "+name, len(s.writes), tt.want)
	}
}

// Force: with a reason, by the node that shall take over, on a record that is
// read anew, and not while the Primary answers.
func TestRule13_Force(t *testing.T) {
	t.Parallel()
	answer := func(role event.Role) func(s *solo) {
		return func(s *solo) {
			s.step(Answered{Op: s.sent("a").Op, From: "a", Message: Report{Role: role}})
		}
	}
	for name, tt := range map[string]struct {
		request Request
		do      func(s *solo)
		want    Code
	}{
		"no reason":    {Request{}, nil, CodeBadRequest},
		"another node": {Request{Reason: "x", Target: "a"}, nil, CodeBadRequest},
		"Primary":      {Request{Reason: "x"}, answer(event.RolePrimary), CodePrimaryAlive},
		"Secondary":    {Request{Reason: "x"}, answer(event.RoleSecondary), "pending"},
		"silent":       {Request{Reason: "x", Target: "b"}, func(s *solo) { s.unanswered("a") }, "pending"},
		"a wrong word": {Request{Reason: "x"}, func(s *solo) { s.step(Answered{Op: s.sent("a").Op, Message: Verdict{}}) }, "pending"},
	} {
		s := secondary(t)
		tt.request.Verb = VerbForce
		s.do(tt.request)
		if tt.do != nil {
			wants(t, "writes before the Primary was asked", len(s.writes), 0)
			s.seen(rec("a", 7, 3, "a", "b"))
			tt.do(s)
		}
		wants(t, "code: "+name, s.code(), tt.want)
		wants(t, "writes: "+name, len(s.writes), map[bool]int{true: 1}[tt.want == "pending"])
		if tt.want == "pending" {
			s.written(Applied)
			wants(t, "cause", s.m.auth.cause, event.CauseForced)
			wants(t, "code", s.code(), "")
		}
	}
}

// The word is about one Primary: if another has written since, it is asked.
func TestRule13_ForceIsAboutOnePrimary(t *testing.T) {
	t.Parallel()
	s := secondary(t, "a", "b", "c")
	s.do(Request{Verb: VerbForce, Reason: "a is dead"})
	s.seen(rec("a", 7, 3, "a", "b", "c"))
	s.unanswered("a")
	s.written(Conflicted)
	s.seen(rec("c", 8, 1, "a", "b", "c"))
	wants(t, "writes", len(s.writes), 0)
	s.seen(rec("c", 8, 1, "a", "b", "c"))
	s.step(Answered{Op: s.sent("c").Op, From: "c", Message: Report{Role: event.RolePrimary}})
	wants(t, "code", s.code(), CodePrimaryAlive)
}

// A joiner is no other Primary.
func TestRule13_ForceGoesOnAfterAJoin(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.do(Request{Verb: VerbForce, Reason: "a is dead"})
	s.seen(rec("a", 7, 3, "a", "b"))
	s.unanswered("a")
	s.written(Conflicted)
	s.seen(with(rec("a", 7, 3, "a", "b", "c"), func(r *record.Record) { r.Nonce = "abc" }))
	wants(t, "token", s.write().Token, "abc")
}

// New timings: at the send the authority ends by the smaller L, whatever else
// is known.
func TestRule14_ShorterTimingsCutAtTheSend(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(time.Second)
	s.do(Request{Verb: VerbConfigure, Timing: testTiming(20 * time.Second)})
	wants(t, "written", s.write().Record.AllowedAbsence, 20*time.Second)
	stamp := s.now.Hold
	wants(t, "until", s.m.auth.until, stamp+15*time.Second)
	wants(t, "stop", s.m.auth.stop, stamp+13500*time.Millisecond)
	s.promised("a", w) // to the first heartbeat
	s.skip(time.Second)
	s.step(Tick{})
	wants(t, "until with a long promise", s.m.auth.until, stamp+15*time.Second)
	s.written(Unknown)
	s.seen(s.m.auth.base) // resolves nothing
	s.pass(8 * time.Second)
	wants(t, "the smaller W is used still", s.m.shortest().W, 20*time.Second)
}

// A lease that ends earlier than the smaller L is not made longer by the cut.
func TestRule14_TheCutOnlyCuts(t *testing.T) {
	t.Parallel()
	s := primary(t)
	before := s.m.auth
	s.skip(40 * time.Second)
	s.m.tries = []attempt{{rec: with(s.m.auth.base, func(r *record.Record) { r.AllowedAbsence = 20 * time.Second })}}
	s.m.now = s.now
	s.m.cut()
	wants(t, "until", s.m.auth.until, before.until)
	wants(t, "stop", s.m.auth.stop, before.stop)
}

// Longer ones begin with the renewal after the one that brings them, which
// follows at once; the Primary never stops in between.
func TestRule14_LongerTimingsBeginWithTheNextRenewal(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(time.Second)
	s.do(Request{Verb: VerbConfigure, Timing: testTiming(time.Hour)})
	first := s.now.Hold
	s.written(Applied)
	wants(t, "until with the old lease", s.m.auth.until, first+lease)
	wants(t, "stop with the old budget", s.m.auth.stop, first+lease-spare)
	second := s.now.Hold
	s.written(Applied)
	wants(t, "until with the new lease", s.m.auth.until, second+45*time.Minute)
	wants(t, "stop with the new budget", s.m.auth.stop, second+45*time.Minute-270*time.Second)
	wants(t, "code", s.code(), "")
	wants(t, "writes after it", len(s.writes), 0)
}

// Fields that are not given stay.
func TestRule14_ZeroFieldsStay(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.do(Request{Verb: VerbConfigure, Timing: Timing{R: 10 * time.Second, TTL: time.Second}})
	got := s.m.timingOf(s.write().Record)
	wants(t, "timing", got, Timing{W: w, R: 10 * time.Second, C: 30 * time.Second, TTL: time.Second})
}

// A joiner may know before the Primary that it is confirmed: a failover asked
// for in that moment waits for the end of the write.
func TestRule10_AFailoverWaitsForTheConfirmation(t *testing.T) {
	t.Parallel()
	for end, want := range map[End]Code{Applied: "pending", Refused: CodeRefused} {
		s := primary(t, "b")
		s.m.store.wanted = true
		s.skip(10 * time.Second)
		s.step(Tick{})
		s.seen(with(s.m.auth.base, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, joining(member("a"))) }))
		wants(t, "members it writes", fmt.Sprint(memberIDs(s.write().Record)), "[a b] []")
		s.do(Request{Verb: VerbFailover})
		wants(t, "while the write is under way", s.code(), "pending")
		s.written(end)
		wants(t, "after it", s.code(), want)
		if end == Applied {
			wants(t, "the target that is asked", s.m.tasks[0].target.ID, "a")
		}
	}
	s := primary(t, "b")
	s.pass(20 * time.Second)
	s.write()
	s.do(Request{Verb: VerbFailover})
	wants(t, "while a write is under way that confirms nobody", s.code(), CodeNoTarget)
}
