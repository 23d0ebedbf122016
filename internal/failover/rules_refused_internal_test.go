package failover

import (
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// barredPrimary is node b as Primary on the promise of a; the server refuses
// what it writes.
func barredPrimary(t *testing.T, edit func(*Config)) *solo {
	t.Helper()
	s := primaryWith(t, edit)
	s.promised("a", w)
	s.pass(s.m.timing().R)
	s.written(Refused)
	wants(t, "DNS", s.m.dns, event.DNSDisconnected)
	return s
}

// lose has that many reads in a row bring no answer.
func (s *solo) lose(reads int) {
	s.t.Helper()
	s.m.store.wanted = true
	s.step(Tick{})
	for i := range reads {
		if i > 0 {
			s.pass(pause)
		}
		s.silent()
	}
}

// A node that stops has nothing to lose: it tries.
func TestRule9_AShutdownGoesOnWhereTheServerRefuses(t *testing.T) {
	t.Parallel()
	s := barredPrimary(t, nil)
	s.promised("a", w)
	s.step(Stop{})
	wants(t, "held", s.m.auth.held, false)
	wants(t, "hands over to", s.m.tasks[0].target.ID, "a")
}

// A handover costs two round trips, and one of the answers before may be lost.
func TestRule9_OneLostAnswerIsNoOutage(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.lose(1)
	s.sends = nil
	s.do(Request{Verb: VerbFailover})
	wants(t, "question", DescribeMessage(s.sent("a").Message), "query group=00c0ffee fresh")
}

// Nobody has asked for a failback: it waits until the store answers.
func TestRule9_NoFailbackWithoutTheStore(t *testing.T) {
	t.Parallel()
	for _, cut := range []bool{false, true} {
		s := primaryWith(t, func(c *Config) { c.FailbackAfter = 5 * pause })
		s.m.auth.base.Members[0].Priority = 101
		s.promised("a", w)
		if cut {
			s.lose(2)
		}
		s.skip(5 * pause)
		s.step(Tick{})
		s.step(Tick{})
		wants(t, "hands over", len(s.m.tasks) > 0, !cut)
		wants(t, "held", s.m.auth.held, true)
	}
}

// An unhealthy one is better gone: a member that reads the record takes over
// after W, if not at once.
func TestRule9_AnUnhealthyPrimaryGoesWithoutTheStore(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.lose(2)
	s.sends = nil
	s.step(Health{Problem: "disk full"})
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	wants(t, "held", s.m.auth.held, false)
}

// Somebody deletes the record while the host of a create is asked: the second
// answer without it ends the authority, as it ends that of any Primary.
func TestRule11_DeletedWhileTheHostIsAsked(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Gate = true })
	s.absent()
	s.do(Request{Verb: VerbCreate})
	s.absent()
	s.written(Applied)
	wants(t, "role while the host is asked", s.m.role, event.RoleNotInGroup)
	for _, later := range []time.Duration{time.Second, s.m.timing().C} {
		s.writes, s.m.store.op = nil, 0
		s.skip(later)
		s.m.store.wanted, s.m.store.must = true, true
		s.step(Tick{})
		s.absent()
	}
	wants(t, "held", s.m.auth.held, false)
	s.step(PromoteDone{Op: s.ask.Op})
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "role", s.m.role, event.RoleNotInGroup)
	wants(t, "found", s.m.known.seen.Found, Absent)
}

// A record into which another Primary's name does not fit could never be taken
// over: the member that would fill it is refused.
func TestRule10_ARecordHasRoomForATakeover(t *testing.T) {
	t.Parallel()
	full := rec("a", 7, 3, "a")
	full.Nonce = "0123456789abcdef"
	for i := 0; ; i++ {
		m := member("c")
		m.ID = strings.Repeat("m", 55) + string(rune('a'+i))
		next := withMember(full.Clone(), m)
		s := newSolo(t, nil)
		s.seen(next)
		s.do(Request{Verb: VerbJoin})
		s.seen(next)
		if s.code() == CodeTooManyMembers {
			_, err := s.m.joined(next).Strings()
			wants(t, "there was room for the member alone", err == nil || strings.Contains(err.Error(), "1200"), true)
			break
		}
		full = next
		taken := next.Clone()
		taken.Primary, taken.By, taken.Term, taken.Seq = m.ID, m.ID, record.MaxNumber, record.MaxNumber
		taken.Run, taken.Paused = "ffffffff", true
		if _, err := s.m.joined(taken).Strings(); err != nil {
			t.Fatalf("member %d was let in, and nobody could take over: %v", i, err)
		}
	}
}

// What is written in time is no failure, though nobody has said yet that he has
// taken it.
func TestRule9_AHandoverThatIsWrittenInTimeIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{false, true} {
		s := primary(t)
		s.promised("a", w)
		s.step(Stop{})
		s.step(DemoteDone{Op: s.demote.Op})
		if written {
			s.written(Applied)
		}
		s.events = nil
		s.skip(spare + 2*budget)
		s.step(Tick{})
		wants(t, "done", s.out.Done, true)
		var results []event.FailoverResult
		for _, e := range s.events {
			if r, ok := e.(event.FailoverResult); ok {
				results = append(results, r)
			}
		}
		wants(t, "results", len(results), 1)
		wants(t, "is a failure", results[0].Problem != "", !written)
	}
}
