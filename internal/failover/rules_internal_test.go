package failover

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// The tests of this file and of rules_…_internal_test.go are named after the
// rules of the package comment; each is about one sentence of it. What needs
// more than one node is in testdata.

// Every write is conditional on the RRset seen last.
func TestRule1_EveryWriteIsConditionalOnWhatWasSeenLast(t *testing.T) {
	t.Parallel()
	s := primary(t)
	first := s.m.known.seen.Token
	s.pass(20 * time.Second)
	wants(t, "token after an applied write", s.write().Token, first)
	s.written(Conflicted)
	joined := with(s.m.auth.base, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, member("c")) })
	s.seen(joined)
	wants(t, "token after a read", s.write().Token, "abc")
	s.written(Unknown)
	s.seen(with(joined, func(r *record.Record) { r.Nonce = "def" }))
	s.pass(pause)
	wants(t, "token after a write of unknown end", s.write().Token, "def")
}

// It carries a fresh nonce, and the next number: one for each attempt, also
// when the attempt is refused and written again.
func TestRule1_ANumberServesOneAttempt(t *testing.T) {
	t.Parallel()
	s := primary(t)
	seen := map[string]bool{s.m.auth.base.Nonce: true}
	last := s.m.auth.base.Seq
	s.pass(20 * time.Second)
	for _, end := range []End{Conflicted, Unknown, Refused, Conflicted, Applied, Unknown} {
		for len(s.writes) == 0 {
			s.pass(pause)
		}
		r := s.written(end).Record
		wants(t, "number after "+end.String(), r.Seq, last+1)
		wants(t, "term", r.Term, s.m.auth.term)
		wants(t, "nonce used before", seen[r.Nonce], false)
		last, seen[r.Nonce] = r.Seq, true
		if len(s.reads) > 0 {
			s.seen(s.m.auth.base)
		}
		if end == Applied {
			s.pass(20 * time.Second)
		}
	}
}

// A renewal that another write overtook goes on from its number.
func TestRule1_ARebasedWriteGoesOnFromTheNumberThatIsThere(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	lost := s.written(Unknown).Record // it was applied, and then somebody joined
	s.seen(with(lost, func(r *record.Record) { r.Nonce = "abc"; r.Members = append(r.Members, member("c")) }))
	s.pass(pause)
	wants(t, "number", s.write().Record.Seq, lost.Seq+1)
	wants(t, "members", len(s.write().Record.Members), 3)
}

// A confirmed renewal gives authority until its stamp + L, whenever the answer
// comes.
func TestRule2_FromTheSendOfTheWrite(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	stamp := s.now.Hold
	s.skip(3 * time.Second)
	s.written(Applied)
	wants(t, "until", s.m.auth.until, stamp+lease)
	wants(t, "stop", s.m.auth.stop, stamp+lease-spare)
}

// So does a promise, from the stamp of the heartbeat that it answers.
func TestRule2_FromTheSendOfTheHeartbeat(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	stamp := s.now.Hold
	s.skip(3 * time.Second)
	s.promised("a", w)
	wants(t, "until", s.m.auth.until, stamp+lease)
}

// The latest stamp since which every other member has promised.
func TestRule2_EveryOtherMemberNotOne(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	began := s.m.auth.until
	s.promised("a", w)
	s.promised("c", w)
	s.pass(20 * time.Second)
	early := s.now.Hold
	s.promised("a", w)
	wants(t, "until with one promise", s.m.auth.until, began)
	s.unanswered("c")
	s.pass(5 * time.Second)
	s.promised("c", w)
	wants(t, "until with both promises", s.m.auth.until, early+lease)
}

// A promise counts for three quarters of the length that it states, if that is
// less than the lease.
func TestRule2_AShorterPromiseCountsForLess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ length, want time.Duration }{
		{w, lease}, {2 * w, lease}, {w + 20*time.Millisecond, lease}, {56 * time.Second, 42 * time.Second},
	} {
		s := primary(t)
		s.promised("a", w)
		s.pass(20 * time.Second)
		stamp := s.now.Hold
		s.promised("a", tt.length)
		wants(t, "until with a promise of "+tt.length.String(), s.m.auth.until, stamp+tt.want)
	}
}

// What gives less than there is takes nothing away.
func TestRule2_TheLaterOfTheTwoCounts(t *testing.T) {
	t.Parallel()
	s := primary(t)
	before := s.m.auth
	s.promised("a", 10*time.Second)
	wants(t, "until", s.m.auth.until, before.until)
	wants(t, "stop", s.m.auth.stop, before.stop)
}

// Only an answer to a heartbeat counts, of this group and this term, and only
// with a promise in it.
func TestRule2_WhatIsNoPromiseGivesNothing(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*Report){
		"no promise":    func(r *Report) { r.Promise = 0 },
		"negative":      func(r *Report) { r.Promise = -w },
		"another group": func(r *Report) { r.Group = "0badcafe" },
		"another term":  func(r *Report) { r.Term++ },
	} {
		s := primary(t)
		s.promised("a", w)
		s.pass(20 * time.Second)
		before := s.m.auth.until
		r := s.report(w)
		edit(&r)
		s.step(Answered{Op: s.sent("a").Op, From: "a", Message: r})
		wants(t, "until after "+name, s.m.auth.until, before)
	}
}

// A heartbeat names a number after its stamp: the one that is being written, or
// the last one that was, never one that has not been stamped.
func TestRule2_AHeartbeatNamesANumberAfterItsStamp(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	old := s.m.auth.seq
	// The check is on its way when the renewal is due, and the store is slow: the
	// heartbeat does not wait, and names the old number.
	s.m.store.wanted = true
	s.step(Tick{})
	s.skip(20 * time.Second)
	s.step(Tick{})
	wants(t, "writes under way", len(s.writes), 0)
	wants(t, "number before the stamp", s.sent("a").Message.(Heartbeat).Seq, old)
	s.step(Answered{Op: s.m.peer("a").op, From: "a", Message: s.report(w)})
	s.seen(s.m.auth.base)
	wants(t, "number that is written", s.write().Record.Seq, old+1)
	wants(t, "number after the stamp", s.sent("a").Message.(Heartbeat).Seq, old+1)
}

// A number is stamped before the write and every heartbeat that names it leave.
func TestRule2_TheStampIsThatOfTheStep(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	wants(t, "stamp of the write", s.m.tries[0].sent, s.now.Hold)
	wants(t, "stamp of the heartbeat", s.m.peer("a").at, s.now.Hold)
}

// A write of unknown end gives nothing until a read shows its nonce, and then
// from its own stamp.
func TestRule2_AWriteOfUnknownEndGivesNothingUntilARead(t *testing.T) {
	t.Parallel()
	s := primary(t)
	before := s.m.auth.until
	s.pass(20 * time.Second)
	stamp := s.now.Hold
	e := s.written(Unknown)
	wants(t, "until", s.m.auth.until, before)
	s.skip(time.Second)
	s.seen(s.m.auth.base)
	wants(t, "until after a read of the old record", s.m.auth.until, before)
	s.pass(pause)
	s.written(Unknown) // the second attempt, while the first may still arrive
	s.seen(e.Record)
	wants(t, "until after a read of the first attempt", s.m.auth.until, stamp+lease)
}

// With no other member that could be Primary there is no direct channel.
func TestRule2_WithoutOthersOnlyRenewalsCount(t *testing.T) {
	t.Parallel()
	s := primary(t, "b")
	before := s.m.auth.until
	s.pass(lease - spare - time.Millisecond)
	wants(t, "until", s.m.auth.until, before)
	wants(t, "held", s.m.auth.held, true)
	wants(t, "messages", len(s.sends), 0)
	s.pass(time.Millisecond)
	wants(t, "role", s.m.role, event.RoleSecondary)
}

// At stop the Primary stops: not a moment later, not one earlier.
func TestRule3_AtStop(t *testing.T) {
	t.Parallel()
	s := primary(t)
	until := s.m.auth.until
	s.skip(lease - spare - 1)
	s.step(Tick{})
	wants(t, "role before", s.m.role, event.RolePrimary)
	wants(t, "wake", s.out.Wake, 1)
	s.skip(1)
	s.step(Tick{})
	wants(t, "role at stop", s.m.role, event.RoleSecondary)
	want := Demote{Op: s.demote.Op, Term: 1000, Cause: event.CauseLeaseLost, Until: until}
	if diff := cmp.Diff(want, s.demote); diff != "" {
		t.Errorf("demote mismatch (-want +got):\n%s", diff)
	}
}

// Whatever a Primary waits for, it is woken at its stop.
func TestRule3_IsWokenAtStop(t *testing.T) {
	t.Parallel()
	s := primary(t)
	for range 200 {
		s.step(Tick{})
		if !s.m.auth.held {
			return
		}
		if left := s.m.auth.stop - s.now.Hold; s.out.Wake <= 0 || s.out.Wake > left {
			t.Fatalf("woken in %v, stops in %v", s.out.Wake, left)
		}
		s.skip(s.out.Wake)
	}
	t.Error("never stopped")
}

// Readers compare: what a reader needs for it is in the view.
func TestRule3_TheViewTellsWhenToStop(t *testing.T) {
	t.Parallel()
	s := primary(t)
	v := s.m.View()
	wants(t, "role", v.Role, event.RolePrimary)
	wants(t, "stop", v.Stop, s.m.auth.stop)
	wants(t, "holding", v.Holding, true)
}

// Whoever loses the authority voids all that was sent before: a promise in
// answer to an earlier heartbeat.
func TestRule3_AnEarlierHeartbeatIsVoid(t *testing.T) {
	t.Parallel()
	s := primary(t)
	old := s.sent("a")
	s.skip(lease - spare)
	s.step(Tick{})
	s.step(DemoteDone{Op: s.demote.Op})
	s.seen(s.m.known.seen.Record)
	s.skip(time.Second)
	s.written(Applied) // reclaimed
	until := s.m.auth.until
	wants(t, "held", s.m.auth.held, true)
	s.step(Answered{Op: old.Op, From: "a", Message: s.report(w)})
	wants(t, "until", s.m.auth.until, until)
	wants(t, "votes", s.m.peer("a").vote.given, false)
	wants(t, "stable", s.m.peer("a").stable, false)
}

// … a promise that had counted before.
func TestRule3_AnEarlierPromiseIsVoid(t *testing.T) {
	t.Parallel()
	s := primary(t, "a", "b", "c")
	s.promised("a", w)
	s.m.drop()
	for _, p := range s.m.peers {
		wants(t, "vote of "+p.id, p.vote.given, false)
	}
}

// … and a write, even if a read shows its nonce.
func TestRule3_AnEarlierWriteIsVoid(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	e := s.written(Unknown)
	s.silent()
	s.skip(lease - spare - 20*time.Second)
	s.step(Tick{})
	s.step(DemoteDone{Op: s.demote.Op})
	s.seen(e.Record)
	wants(t, "held", s.m.auth.held, false)
	wants(t, "the next write's term is higher", s.write().Record.Term > e.Record.Term, true)
}

// The host has until `until` to have stopped, or δ when the authority is
// dropped earlier. Until then this node claims nothing.
func TestRule3_NothingIsClaimedWhileTheHostStops(t *testing.T) {
	t.Parallel()
	s := primary(t)
	until := s.m.auth.until
	s.skip(lease - spare)
	s.step(Tick{})
	s.seen(s.m.known.seen.Record)
	s.pass(spare - 1)
	wants(t, "writes while it stops", len(s.writes), 0)
	s.reads = nil
	s.skip(1)
	wants(t, "now", s.now.Hold, until)
	s.m.store.op = 0
	s.step(Tick{})
	wants(t, "writes after", len(s.writes), 1)
}

// A new authority begins with a confirmed write of a higher term.
func TestRule3_ANewAuthorityHasAHigherTerm(t *testing.T) {
	t.Parallel()
	s := lapsed(t)
	term := s.m.known.seen.Record.Term
	s.seen(s.m.known.seen.Record)
	wants(t, "held before the answer", s.m.auth.held, false)
	e := s.written(Applied)
	wants(t, "held", s.m.auth.held, true)
	wants(t, "higher term", e.Record.Term > term, true)
}
