package failover

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// A member that is not Primary answers a heartbeat with a promise of W.
func TestRule4_AMemberPromises(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	wants(t, "promise", s.beat("a", 7, 4), w)
	wants(t, "promised to", s.m.promise.to+"/"+s.m.promise.run, "a/a1")
}

// The length is that of the record, not of the node's own configuration.
func TestRule4_APromiseStatesItsLength(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.AllowedAbsence = 3 * w }))
	wants(t, "promise", s.beat("a", 7, 4), 3*w)
}

// When no promise is given.
func TestRule4_NoPromise(t *testing.T) {
	t.Parallel()
	quiet := func(s *solo) time.Duration { return s.m.known.quiet }
	for name, tt := range map[string]struct {
		make func() *solo
		term uint64
	}{
		"as Primary":          {func() *solo { return primary(t) }, 2000},
		"to a lower term":     {func() *solo { return secondary(t) }, 6},
		"named by the record": {func() *solo { return lapsed(t) }, 2000},
		"with a takeover of unknown end": {func() *solo {
			s := secondary(t)
			s.pass(w)
			for len(s.writes) == 0 {
				s.seen(s.m.known.seen.Record)
				s.pass(2 * pause)
			}
			s.written(Unknown)
			return s
		}, 7},
		"as Primary that reads an older record of another": {func() *solo {
			s := primary(t)
			s.m.store.wanted = true
			s.step(Tick{})
			s.seen(rec("a", 3, 3, "a", "b"))
			return s
		}, 2000},
		"with a takeover under way": {func() *solo {
			s := secondary(t)
			s.m.store.op = 0
			s.reads = nil
			s.skip(w)
			s.step(Tick{})
			s.write()
			return s
		}, 7},
	} {
		s := tt.make()
		s.skip(time.Millisecond)
		before := s.m.promise
		wants(t, "promise "+name, s.beat("a", tt.term, 9), 0)
		wants(t, "promise kept "+name, s.m.promise, before)
		if tt.term == 6 {
			wants(t, "quiet "+name, quiet(s) == s.now.Wait, false)
		}
	}
}

// An edit of unknown end claims nothing, so it does not keep from promising.
func TestRule4_AnEditOfUnknownEndIsNoClaim(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.do(Request{Verb: VerbLeave})
	s.written(Unknown)
	wants(t, "promise", s.beat("a", 7, 4), w)
}

// A write stays of unknown end until a read shows another record than the one
// it was conditional on; one that shows the same resolves nothing.
func TestRule4_AReadOfTheSameRecordResolvesNothing(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.skip(w)
	s.step(Tick{})
	s.written(Unknown)
	same := s.m.known.seen.Record
	s.seen(same)
	wants(t, "promise after a read of the same record", s.beat("a", 7, 9), 0)
	s.m.store.wanted = true
	s.writes = nil
	s.step(WriteDone{Op: s.m.store.op, End: Conflicted})
	s.seen(rec("a", 7, 9, "a", "b"))
	wants(t, "promise after a read of another", s.beat("a", 7, 9), w)
}

// The answer carries its term, so that a Primary that was superseded learns it
// at once: it reads.
func TestRule4_AHigherTermInAnAnswerIsRead(t *testing.T) {
	t.Parallel()
	s := primary(t)
	r := s.report(0)
	r.Term += 5
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r})
	s.seen(rec("a", r.Term, 1, "a", "b"))
	wants(t, "role", s.m.role, event.RoleSecondary)
	wants(t, "cause", s.demote.Cause, event.CauseSuperseded)
	wants(t, "next", s.demote.Next, "a")
}

// What moves quiet, and what does not.
func TestRule5_Quiet(t *testing.T) {
	t.Parallel()
	base := rec("a", 7, 3, "a", "b")
	for name, tt := range map[string]struct {
		do    func(s *solo)
		moves bool
	}{
		"reading a new number":    {func(s *solo) { s.seen(rec("a", 7, 4, "a", "b")) }, true},
		"reading a new term":      {func(s *solo) { s.seen(rec("a", 8, 1, "a", "b")) }, true},
		"reading the same number": {func(s *solo) { s.seen(base) }, false},
		"reading that somebody joined": {func(s *solo) {
			s.seen(with(base, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, member("c")) }))
		}, false},
		"reading an older number":   {func(s *solo) { s.seen(rec("a", 7, 2, "a", "b")) }, true},
		"reading another group":     {func(s *solo) { s.seen(with(base, func(r *record.Record) { r.Group = "0badcafe" })) }, true},
		"no answer":                 {func(s *solo) { s.silent() }, false},
		"an absence":                {func(s *solo) { s.absent() }, false},
		"a heartbeat":               {func(s *solo) { s.beat("a", 7, 3) }, true},
		"a heartbeat of a new term": {func(s *solo) { s.beat("a", 8, 1) }, true},
		"a heartbeat of an old one": {func(s *solo) { s.beat("a", 6, 99) }, false},
		"a heartbeat of another group": {func(s *solo) {
			s.hears("a", Heartbeat{Group: "0badcafe", Run: "a1", Term: 99, Seq: 1})
		}, false},
		"a query":        {func(s *solo) { s.hears("a", Query{Group: "00c0ffee"}) }, false},
		"being told":     {func(s *solo) { s.hears("a", Told{Group: "00c0ffee"}) }, false},
		"time":           {func(s *solo) { s.step(Tick{}) }, false},
		"a new health":   {func(s *solo) { s.step(Health{Problem: "x"}) }, false},
		"a report of it": {func(s *solo) { s.step(Answered{Op: 9999, From: "a", Message: s.report(0)}) }, false},
	} {
		s := secondary(t)
		start := s.now.Wait
		wants(t, "quiet at first", s.m.known.quiet, start)
		s.pass(30 * time.Second) // the check
		want := start
		if tt.moves {
			want = s.now.Wait
		}
		tt.do(s)
		wants(t, "quiet after "+name, s.m.known.quiet, want)
	}
}

// The start counts, too.
func TestRule5_QuietBeginsWithTheStart(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	wants(t, "quiet", s.m.known.quiet, s.now.Wait)
}

// A number that was heard of before it was read moves quiet once: when it was
// heard of.
func TestRule5_FirstHeardCounts(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.pass(30 * time.Second)
	s.m.hear(pair{7, 4})
	heard := s.now.Wait
	s.skip(time.Second)
	s.seen(rec("a", 7, 4, "a", "b"))
	wants(t, "quiet", s.m.known.quiet, heard)
	wants(t, "learned", s.m.known.learned, s.now.Wait)
}

// At quiet + W, not a moment earlier: one write of a higher term that names
// this node and confirms whoever is joining.
func TestRule6_AtQuietPlusW(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.store.op, s.reads = 0, nil
	s.skip(w - 1)
	s.step(Tick{})
	wants(t, "writes before", len(s.writes), 0)
	s.m.store.op, s.reads = 0, nil
	s.skip(1)
	s.step(Tick{})
	r := s.write().Record
	wants(t, "primary", r.Primary+"/"+r.Run+" by "+r.By, "b/b1 by b")
	wants(t, "number", pairOf(r), pair{s.m.nextTerm() - 1, 1})
	wants(t, "token", s.write().Token, rec("a", 7, 3).Nonce)
	s.written(Applied)
	wants(t, "role", s.m.role, event.RolePrimary)
	wants(t, "until", s.m.auth.until, s.now.Hold+lease)
}

// The machine is woken at that instant.
func TestRule6_IsWokenAtQuietPlusW(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.store.op, s.reads, s.m.store.began = 0, nil, s.now.Wait+w
	s.m.lastDirect = s.now.Wait + w
	s.skip(w - 7)
	s.step(Tick{})
	wants(t, "wake", s.out.Wake, 7)
}

// The better candidates have a head start of U each, at most ten of them.
func TestRule6_Rank(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		members []record.Member
		want    int
	}{
		{[]record.Member{member("a"), member("b")}, 0},
		{[]record.Member{member("a"), member("b"), member("c")}, 0},
		{[]record.Member{member("b"), member("z")}, 0},                       // a is struck out
		{[]record.Member{member("a"), member("b"), better("c")}, 1},          // by priority
		{[]record.Member{member("a"), better("b"), member("c")}, 0},          //
		{[]record.Member{member("a"), member("b"), joining(better("c"))}, 0}, // who is joining waits
		{[]record.Member{member("a"), member("b"), never("c")}, 0},           // who can never be Primary, too
		{[]record.Member{better("a"), member("b")}, 0},                       // the Primary itself is no candidate
		{append(manyBetter(3), member("b")), 3},                              //
		{append(manyBetter(10), member("b")), 10},                            //
		{append(manyBetter(14), member("b")), 10},                            // at most ten
		{[]record.Member{member("a"), member("A"), member("b")}, 1},          // by ID
		{[]record.Member{member("a"), joining(member("b")), member("c")}, 1}, // not confirmed: the last
	} {
		s := secondary(t)
		r := rec("a", 7, 3)
		r.Members = tt.members
		wants(t, "rank among "+DescribeRecord(r), s.m.rank(r), tt.want)
		wants(t, "takeover", s.m.takeoverAt(r), s.m.known.quiet+w+time.Duration(tt.want)*budget)
	}
}

func better(id string) record.Member {
	m := member(id)
	m.Priority = 200
	return m
}

func joining(m record.Member) record.Member {
	m.Joining = true
	return m
}

func never(id string) record.Member {
	m := member(id)
	m.Priority = 0
	return m
}

func manyBetter(n int) []record.Member {
	var all []record.Member
	for i := range n {
		all = append(all, better(string(rune('c'+i))))
	}
	return all
}

// Who may take over.
func TestRule6_Eligible(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		record func(r *record.Record)
		do     func(s *solo)
		want   int
	}{
		"a member":       {nil, nil, 1},
		"joining":        {func(r *record.Record) { r.Members[1].Joining = true }, nil, 0},
		"no member":      {func(r *record.Record) { r.Members = r.Members[:1] }, nil, 0},
		"priority 0":     {func(r *record.Record) { r.Members[1].Priority = 0 }, func(s *solo) { s.m.cfg.Self.Priority = 0 }, 0},
		"own priority 0": {nil, func(s *solo) { s.m.cfg.Self.Priority = 0 }, 0},
		"moved":          {nil, func(s *solo) { s.m.cfg.Self.IPv4 = member("x").IPv4 }, 0},
		"dissolved":      {func(r *record.Record) { r.Dissolved = true }, nil, 0},
		"paused":         {func(r *record.Record) { r.Paused = true }, nil, 0},
		"unhealthy":      {nil, func(s *solo) { s.step(Health{Problem: "x"}) }, 0},
		"cooling down":   {nil, func(s *solo) { s.m.cool.until = s.now.Wait + 2*w }, 0},
		"promising":      {nil, func(s *solo) { s.m.promise = promise{given: true, at: s.now.Wait, length: w + 1} }, 0},
		"promised":       {nil, func(s *solo) { s.m.promise = promise{given: true, at: s.now.Wait, length: w} }, 1},
		"stopping":       {nil, func(s *solo) { s.m.stopping, s.m.stopBy = true, s.now.Wait+2*w }, 0},
		"unread":         {nil, func(s *solo) { s.m.known.fresh = false }, 0},
		"absent":         {nil, func(s *solo) { s.m.known.absent = true }, 0},
		"host stops":     {nil, func(s *solo) { s.m.demotion = demotion{op: 9999, until: s.now.Hold + 2*w} }, 0},
	} {
		s := newSolo(t, nil)
		r := rec("a", 7, 3, "a", "b")
		if tt.record != nil {
			tt.record(&r)
		}
		s.seen(r)
		s.m.role = event.RoleSecondary
		if tt.do != nil {
			tt.do(s)
		}
		s.m.store.op, s.reads, s.writes = 0, nil, nil
		s.skip(w)
		s.step(Tick{})
		claims := 0
		for _, e := range s.writes {
			if e.Record.Primary == "b" {
				claims++
			}
		}
		wants(t, "claims of "+name, claims, tt.want)
	}
}

// Priority 0 in the record counts, also while the node's own entry is wrong.
func TestRule6_PriorityOfTheRecordCounts(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.Members[1].Priority = 0 }))
	wants(t, "eligible", s.m.eligible(), false)
	s.m.known.seen.Record.Members[1].Priority = 1
	wants(t, "eligible with another", s.m.eligible(), true)
	s.m.known.fresh = false
	wants(t, "eligible on a failed read", s.m.eligible(), false)
}

// The host may refuse the role: the record is given back, and the node cools
// down, W at first and then twice as long each time, 64·W at most.
func TestRule6_AVetoCoolsDown(t *testing.T) {
	t.Parallel()
	s := primaryWith(t, func(c *Config) { c.Gate = true })
	for _, want := range []time.Duration{w, 2 * w, 4 * w, 8 * w, 16 * w, 32 * w, 64 * w, 64 * w} {
		wants(t, "role before the host agreed", s.m.role, event.RoleSecondary)
		s.step(PromoteDone{Op: s.ask.Op, Veto: "no"})
		wants(t, "held after a veto", s.m.auth.held, false)
		wants(t, "released", s.written(Applied).Record.Primary, "")
		wants(t, "cools down for", s.m.cool.until-s.now.Wait, want)
		wants(t, "says so", s.m.report().Healthy, false)
		s.m.store.op, s.reads = 0, nil
		s.skip(want - 1)
		s.step(Tick{})
		wants(t, "claims while it cools down", len(s.writes), 0)
		s.m.store.op, s.reads = 0, nil
		s.skip(1)
		s.step(Tick{})
		s.written(Applied)
	}
	s.step(PromoteDone{Op: s.ask.Op})
	wants(t, "role", s.m.role, event.RolePrimary)
	wants(t, "the next time it begins with W", s.m.cool.length, 0)
}

// A win that is learned when its own authority is over gives none: the node
// writes again first.
func TestRule6_AWinThatIsLearnedTooLateIsRenewedFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		after time.Duration
		held  bool
	}{{lease - spare - 1, true}, {lease - spare, false}} {
		s := newSolo(t, nil)
		s.seen(rec("", 7, 3, "a", "b"))
		s.skip(tt.after)
		e := s.written(Applied)
		wants(t, "held after "+tt.after.String(), s.m.auth.held, tt.held)
		if !tt.held {
			wants(t, "it writes again", s.write().Record.Term > e.Record.Term, true)
		}
	}
}
