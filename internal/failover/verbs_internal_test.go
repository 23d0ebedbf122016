package failover

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// How a verb ends at once, by the state of the node that is asked.
func TestVerbs_Refused(t *testing.T) {
	t.Parallel()
	outside := func() *solo { s := newSolo(t, nil); s.absent(); return s }
	second := func() *solo { return secondary(t) }
	first := func() *solo { return primary(t) }
	for name, tt := range map[string]struct {
		state   func() *solo
		request Request
		want    Code
	}{
		"no verb":                  {second, Request{}, CodeBadRequest},
		"an unknown verb":          {second, Request{Verb: "dance"}, CodeBadRequest},
		"the machine's own verb":   {second, Request{Verb: verbYield}, CodeBadRequest},
		"create in a group":        {second, Request{Verb: VerbCreate}, CodeInGroup},
		"join in a group":          {second, Request{Verb: VerbJoin}, CodeInGroup},
		"leave outside":            {outside, Request{Verb: VerbLeave}, CodeNotInGroup},
		"dissolve outside":         {outside, Request{Verb: VerbDissolve}, CodeNotInGroup},
		"failover outside":         {outside, Request{Verb: VerbFailover}, CodeNotInGroup},
		"force outside":            {outside, Request{Verb: VerbForce, Reason: "x"}, CodeNotInGroup},
		"pause outside":            {outside, Request{Verb: VerbPause}, CodeNotInGroup},
		"remove outside":           {outside, Request{Verb: VerbRemove, Target: "a"}, CodeNotInGroup},
		"configure outside":        {outside, Request{Verb: VerbConfigure}, CodeNotInGroup},
		"remove nobody":            {first, Request{Verb: VerbRemove, Target: "x"}, CodeUnknownMember},
		"remove the Primary":       {first, Request{Verb: VerbRemove, Target: "b"}, CodeBadRequest},
		"failover to nobody":       {first, Request{Verb: VerbFailover, Target: "x"}, CodeUnknownMember},
		"failover to itself":       {first, Request{Verb: VerbFailover, Target: "b"}, ""},
		"force on the Primary":     {first, Request{Verb: VerbForce}, ""},
		"failover with one member": {func() *solo { return primary(t, "b") }, Request{Verb: VerbFailover}, CodeNoTarget},
		"leave with one member":    {func() *solo { return primary(t, "b") }, Request{Verb: VerbLeave}, CodeNoTarget},
		"while it stops":           {func() *solo { s := first(); s.step(Stop{}); return s }, Request{Verb: VerbPause}, CodeNotRunning},
		"never Primary": {func() *solo {
			s := outside()
			s.m.cfg.Self.Priority = 0
			return s
		}, Request{Verb: VerbCreate}, CodeNoTarget},
		"force, never Primary": {func() *solo {
			s := newSolo(t, nil)
			s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.Members[1].Priority = 0 }))
			return s
		}, Request{Verb: VerbForce, Reason: "x"}, CodeNoTarget},
		"no Primary": {func() *solo {
			s := newSolo(t, nil)
			s.seen(with(rec("", 7, 3, "a", "b"), func(r *record.Record) { r.Members[1].Priority = 0 }))
			return s
		}, Request{Verb: VerbPause}, CodePrimaryUnreachable},
	} {
		s := tt.state()
		s.do(tt.request)
		wants(t, "code: "+name, s.code(), tt.want)
	}
}

// A verb that needs the store gives up when three reads were not answered, if
// somebody waits for it.
func TestVerbs_StoreUnreachable(t *testing.T) {
	t.Parallel()
	for _, v := range []Verb{VerbCreate, VerbJoin} {
		s := newSolo(t, nil)
		s.do(Request{Verb: v})
		for i := range 5 {
			if s.silent(); s.code() != "pending" {
				wants(t, "answers that were waited for", i, 2)
				break
			}
			s.pass(pause)
		}
		wants(t, "code of "+string(v), s.code(), CodeStoreUnreachable)
	}
}

// A create reads the addresses at the name; it does not take a read for an
// answer that could not tell them.
func TestVerbs_CreateReadsTheAddresses(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbCreate, Group: "new.lab.test", Self: member("d"), Timing: testTiming(5 * time.Second)})
	wants(t, "asks for them", s.reads[0].Host, true)
	s.answerRead(ReadDone{Seen: Observation{Found: Absent}})
	wants(t, "writes", len(s.writes), 0)
	s.pass(pause)
	s.absent()
	r := s.written(Applied).Record
	wants(t, "primary", r.Primary, "d")
	wants(t, "w", r.AllowedAbsence, 5*time.Second)
	wants(t, "group of the events", s.events[len(s.events)-1].Meta().Group, "new.lab.test")
}

// The condition of a create includes that there are no addresses, unless there
// are some that it may take.
func TestVerbs_CreateIsConditionalOnTheHostRecord(t *testing.T) {
	t.Parallel()
	own := member("b").Addresses()
	for name, tt := range map[string]struct {
		host   []string
		adopt  bool
		absent bool
	}{
		"none": {nil, false, true}, "none, adopt": {nil, true, false}, "its own": {own, false, false},
		"another's, adopt": {[]string{"192.0.2.77"}, true, false},
	} {
		s := newSolo(t, nil)
		s.absent()
		s.do(Request{Verb: VerbCreate, Adopt: tt.adopt})
		s.answerRead(ReadDone{Seen: Observation{Found: Absent, Host: tt.host, HostRead: true}})
		wants(t, "host absent: "+name, s.write().HostAbsent, tt.absent)
	}
}

// A create by configuration that finds addresses of others says so once.
func TestVerbs_BootstrapFindsAddressesOfOthers(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Bootstrap = BootstrapCreate })
	conflicts := 0
	for s.now.Wait < 2*time.Hour+3*w {
		for len(s.reads) > 0 {
			s.answerRead(ReadDone{Seen: Observation{Found: Absent, Host: []string{"192.0.2.77"}, HostRead: true}})
		}
		s.pass(pause)
	}
	for _, e := range s.events {
		if e.Meta().ID == event.ConflictDetected {
			conflicts++
		}
	}
	wants(t, "conflicts", conflicts, 1)
	wants(t, "writes", len(s.writes), 0)
}

// The record has room for 1,200 octets.
func TestVerbs_TooManyMembers(t *testing.T) {
	t.Parallel()
	r := rec("a", 7, 3, "a")
	r.Nonce, r.Run = "0123456789abcdef", "a1"
	for i := range 12 {
		m := member("c")
		m.ID = fmt.Sprintf("member-%02d-%s", i, strings.Repeat("x", 50))
		r.Members = append(r.Members, m)
	}
	s := newSolo(t, nil)
	s.seen(r)
	s.do(Request{Verb: VerbJoin})
	s.seen(r)
	wants(t, "code", s.code(), CodeTooManyMembers)
	wants(t, "writes", len(s.writes), 0)
}

// Verbs wait in a line of bounded length; the first one is worked on.
func TestVerbs_TooManyWait(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.do(Request{Verb: VerbFailover})
	for i := range maxTasks {
		s.step(Do{ID: uint64(100 + i), Request: Request{Verb: VerbPause}})
	}
	wants(t, "the last", s.ends[uint64(100+maxTasks-1)].Code, CodeBusy)
	wants(t, "the one before", s.ends[uint64(100+maxTasks-2)].ID, 0)
}

// What others may ask a Primary to do, and what only its own host.
func TestVerbs_AskedByAPeer(t *testing.T) {
	t.Parallel()
	ask := func(s *solo, group string, v Verb) Message {
		return s.hears("a", Ask{Group: group, Request: Request{Verb: v, Target: "b"}})
	}
	for _, tt := range []struct {
		state func() *solo
		group string
		verb  Verb
		want  Code
	}{
		{func() *solo { return secondary(t) }, "00c0ffee", VerbPause, CodeNotPrimary},
		{func() *solo { return primaryWith(t, func(c *Config) { c.Gate = true }) }, "00c0ffee", VerbPause, CodeNotPrimary},
		{func() *solo { return primary(t) }, "0badcafe", VerbPause, CodeNotInGroup},
		{func() *solo { return primary(t) }, "00c0ffee", VerbLeave, CodeBadRequest},
		{func() *solo { return primary(t) }, "00c0ffee", VerbForce, CodeBadRequest},
		{func() *solo { return primary(t) }, "00c0ffee", VerbCreate, CodeBadRequest},
		{func() *solo { return primary(t) }, "00c0ffee", verbYield, CodeBadRequest},
		{func() *solo { return primary(t) }, "00c0ffee", VerbFailover, ""},
	} {
		v, ok := ask(tt.state(), tt.group, tt.verb).(Verdict)
		wants(t, "answered", ok, true)
		wants(t, "code of "+string(tt.verb), v.Code, tt.want)
	}
	s := primary(t)
	wants(t, "answered before it is true", ask(s, "00c0ffee", VerbPause), nil)
	s.written(Applied)
	wants(t, "replies when it is", replies(s.out), 1)
	s = primary(t)
	wants(t, "an answer is no request", s.hears("a", Report{}).(Verdict).Code, CodeBadRequest)
}

// A target that answers with a verdict is no target.
func TestVerbs_ATargetThatAnswersWithAVerdict(t *testing.T) {
	t.Parallel()
	s := handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: Verdict{}})
	wants(t, "code", s.code(), CodeNoTarget)
}

// Nobody waits any more: what has not begun is dropped, what has goes on.
func TestVerbs_Forget(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.do(Request{Verb: VerbPause})
	s.step(Forget{ID: 1})
	wants(t, "tasks", len(s.m.tasks), 0)
	s.step(Forget{ID: 1})
	s.step(Forget{ID: 0})
	s = handingOver(t)
	s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
	s.step(Forget{ID: 1})
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "the target is named", s.write().Record.Primary, "a")
	s.writes = nil
	s.step(WriteDone{Op: s.m.store.op, End: Refused})
	wants(t, "answers", len(s.ends), 0)
}

// A change that is refused for good is refused; one that is overtaken by the
// loss of the role, too.
func TestVerbs_AChangeThatFails(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.do(Request{Verb: VerbPause})
	s.written(Refused)
	wants(t, "code", s.code(), CodeRefused)
	s = primary(t)
	s.do(Request{Verb: VerbPause})
	s.skip(lease)
	s.step(Tick{})
	wants(t, "code", s.code(), CodePrimaryUnreachable)
}

// A change that comes while a write is under way is not part of it: it gets a
// write of its own.
func TestVerbs_OneChangeAtATime(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.pass(20 * time.Second)
	s.do(Request{Verb: VerbPause})
	wants(t, "paused", s.written(Applied).Record.Paused, false)
	wants(t, "code", s.code(), "pending")
	wants(t, "paused", s.written(Applied).Record.Paused, true)
	wants(t, "code", s.code(), "")
}

// Every write of unknown end is kept, sixteen at most: then the oldest goes that
// a later one with the same members and timings stands for.
func TestStore_WritesOfUnknownEndAreBounded(t *testing.T) {
	t.Parallel()
	s := primary(t)
	for range 3 * maxTries {
		for len(s.writes) == 0 {
			s.promisedIfAsked("a")
			if s.pass(pause); len(s.reads) > 0 {
				s.seen(s.m.auth.base)
			}
		}
		s.written(Unknown)
		s.seen(s.m.auth.base)
	}
	wants(t, "tries", len(s.m.tries), maxTries)
	for i := range s.m.tries {
		s.m.tries[i].rec.AllowedAbsence = time.Duration(i+1) * time.Second
	}
	wants(t, "tries that all differ", len(s.m.forgotten()), maxTries)
}

// promisedIfAsked answers whatever is under way to a peer.
func (s *solo) promisedIfAsked(by string) {
	s.t.Helper()
	if s.m.peer(by).op != 0 {
		s.sends = nil
		s.step(Answered{Op: s.m.peer(by).op, From: by, Message: s.report(w)})
	}
}

// The addresses of a member, as the host record has them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	m := member("b")
	wants(t, "one", fmt.Sprint(m.Addresses()), "[192.0.2.2]")
	m.IPv6 = ip("2001:db8::1")
	wants(t, "both", fmt.Sprint(m.Addresses()), "[192.0.2.2 2001:db8::1]")
	m.IPv4 = ip("")
	wants(t, "the other", fmt.Sprint(m.Addresses()), "[2001:db8::1]")
}

func ip(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a
}

// There is nothing to join without a record, and with a tombstone.
func TestVerbs_JoinWithoutAGroup(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbJoin})
	s.absent()
	wants(t, "code", s.code(), CodeNoGroup)
	s = newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbJoin})
	s.seen(with(rec("", 7, 3), func(r *record.Record) { r.Dissolved = true }))
	wants(t, "code", s.code(), CodeNoGroup)
}

// A group without a Primary has nobody to tell.
func TestVerbs_JoinWithoutAPrimary(t *testing.T) {
	t.Parallel()
	s := newSolo(t, nil)
	s.absent()
	s.do(Request{Verb: VerbJoin})
	s.seen(rec("", 7, 3, "a"))
	s.written(Applied)
	wants(t, "messages", len(s.sends), 0)
	wants(t, "code", s.code(), "pending")
}

// A member that is handed the role while it leaves takes it, and hands it on.
func TestVerbs_LeaveMeetsAHandover(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.do(Request{Verb: VerbLeave})
	s.written(Conflicted)
	s.seen(with(rec("b", 8, 1, "a", "b"), func(r *record.Record) { r.By = "a" }))
	_, listed := s.write().Record.Member("b")
	wants(t, "listed", listed, true)
	s.written(Applied)
	wants(t, "asks a target", DescribeMessage(s.sent("a").Message), "query group=00c0ffee fresh")
	wants(t, "role", s.m.role, event.RolePrimary)
}

// A dissolve that another node's takeover overtakes has failed.
func TestVerbs_DissolveIsOvertaken(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.do(Request{Verb: VerbDissolve})
	s.step(DemoteDone{Op: s.demote.Op})
	wants(t, "tombstone", s.written(Conflicted).Record.Dissolved, true)
	s.seen(rec("a", 1001, 1, "a", "b"))
	wants(t, "code", s.code(), CodePrimaryUnreachable)
	wants(t, "role", s.m.role, event.RoleSecondary)
}

// A refusal is the answer to the verb that wanted the write, to no other.
func TestVerbs_RefusalsOfOtherWrites(t *testing.T) {
	t.Parallel()
	s := secondary(t) // a takeover
	s.do(Request{Verb: VerbPause})
	s.m.store.op, s.reads = 0, nil
	s.skip(w)
	s.step(Tick{})
	s.written(Refused)
	wants(t, "code of a pause", s.code(), "pending")
	s = handingOver(t) // a renewal
	s.m.store.op, s.reads = 0, nil
	s.skip(20 * time.Second)
	s.step(Tick{})
	s.written(Refused)
	wants(t, "code of a failover", s.code(), "pending")
	s = newSolo(t, func(c *Config) { c.Self.Port = 81 }) // the own entry
	s.seen(rec("a", 7, 3, "a", "b"))
	s.do(Request{Verb: VerbPause})
	wants(t, "port", s.write().Record.Members[1].Port, 81)
	s.written(Refused)
	wants(t, "code of a pause", s.code(), "pending")
	s = secondary(t) // its own
	s.do(Request{Verb: VerbLeave})
	s.written(Refused)
	wants(t, "code of a leave", s.code(), CodeRefused)
}

// Whoever is in no group believes an absence at once.
func TestVerbs_AnAbsenceOutside(t *testing.T) {
	t.Parallel()
	s := newSolo(t, func(c *Config) { c.Bootstrap = BootstrapJoin })
	moved := with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.Members[1].IPv4 = ip("192.0.2.77") })
	s.seen(moved)
	wants(t, "known", s.m.View().Known, true)
	s.pass(2 * pause)
	s.absent()
	wants(t, "known", s.m.View().Known, false)
}
