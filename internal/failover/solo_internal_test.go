package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// solo drives the machine of node b by hand: the test is its clock, its store
// and its peers.
type solo struct {
	t      testing.TB
	m      *Machine
	now    Now
	out    Output
	reads  []Read  // that wait for their answer
	writes []Write // likewise
	sends  []Send  // likewise
	demote Demote
	ask    Promote
	ends   map[uint64]Finish
	events []event.Event
}

// w is the failover period of all solo tests, and the times that follow.
const (
	w      = time.Minute
	lease  = 45 * time.Second
	spare  = 4500 * time.Millisecond
	budget = 4 * time.Second // U
	pause  = time.Second     // b
)

func newSolo(t testing.TB, edit func(*Config)) *solo {
	t.Helper()
	nonce := uint64(0)
	cfg := Config{
		Group: "svc.lab.test", Self: member("b"), Run: "b1", Timing: testTiming(w),
		Random: func() uint64 { nonce++; return nonce },
	}
	if edit != nil {
		edit(&cfg)
	}
	s := &solo{t: t, now: Now{Hold: time.Hour, Wait: 2 * time.Hour, Wall: time.Unix(1000, 0)}, ends: map[uint64]Finish{}}
	s.m = New(cfg, s.now)
	s.step(Tick{})
	return s
}

func member(id string) record.Member {
	return record.Member{
		ID: id, Scheme: "http", Port: 80, Priority: 100, IPv4: netip.AddrFrom4([4]byte{192, 0, 2, id[0] - 'a' + 1}),
	}
}

// rec is a record of the group with those members that names its writer.
func rec(primary string, term, seq uint64, members ...string) record.Record {
	t := testTiming(w)
	r := record.Record{
		Group: "00c0ffee", Term: term, Seq: seq, Nonce: fmt.Sprintf("%x%x", term, seq), Primary: primary, By: primary, Run: primary + "1",
		AllowedAbsence: t.W, ReportInterval: t.R, CheckInterval: t.C, TTL: t.TTL,
	}
	if primary == "" {
		r.Run, r.By = "", "a"
	}
	for _, id := range members {
		r.Members = append(r.Members, member(id))
	}
	return r
}

// with returns r changed.
func with(r record.Record, edit func(*record.Record)) record.Record {
	r = r.Clone()
	edit(&r)
	return r
}

// step takes one input at the present instant.
func (s *solo) step(in Input) Output {
	s.t.Helper()
	s.out = s.m.Step(s.now, in)
	if s.out.Wake < 0 {
		s.t.Errorf("Wake = %v after %s", s.out.Wake, DescribeInput(in))
	}
	s.events = append(s.events, s.out.Events...)
	for _, e := range s.out.Effects {
		switch e := e.(type) {
		case Read:
			s.reads = append(s.reads, e)
		case Write:
			s.writes = append(s.writes, e)
		case Send:
			s.sends = append(s.sends, e)
		case Demote:
			s.demote = e
		case Promote:
			s.ask = e
		case Finish:
			s.ends[e.ID] = e
		case Reply:
		}
	}
	return s.out
}

// pass lets time pass, waking the machine whenever it asks for it, and at the
// end.
func (s *solo) pass(d time.Duration) {
	s.t.Helper()
	for end := s.now.Wait + d; ; {
		left := end - s.now.Wait
		if s.out.Wake <= 0 || s.out.Wake >= left {
			s.skip(left)
			s.step(Tick{})
			return
		}
		s.skip(s.out.Wake)
		s.step(Tick{})
	}
}

// skip moves the clocks and tells nobody.
func (s *solo) skip(d time.Duration) {
	s.now.Hold += d
	s.now.Wait += d
	s.now.Wall = s.now.Wall.Add(d)
}

// seen answers the read under way with a record.
func (s *solo) seen(r record.Record) {
	s.t.Helper()
	host := []string(nil)
	if x, ok := r.Member(r.Primary); ok {
		host = x.Addresses()
	}
	s.answerRead(ReadDone{Seen: Observation{Found: Present, Record: r, Token: r.Nonce, Host: host, HostRead: true}})
}

// absent answers the read under way: there is no record.
func (s *solo) absent() {
	s.t.Helper()
	s.answerRead(ReadDone{Seen: Observation{Found: Absent, HostRead: true}})
}

// silent answers the read under way with a time-out.
func (s *solo) silent() {
	s.t.Helper()
	s.answerRead(ReadDone{Problem: "timeout"})
}

func (s *solo) answerRead(in ReadDone) {
	s.t.Helper()
	if len(s.reads) != 1 {
		s.t.Fatalf("%d reads are under way, want 1; %s", len(s.reads), DescribeState(s.m))
	}
	in.Op = s.reads[0].Op
	s.reads = nil
	s.step(in)
}

// write returns the write under way.
func (s *solo) write() Write {
	s.t.Helper()
	if len(s.writes) != 1 {
		s.t.Fatalf("%d writes are under way, want 1; %s", len(s.writes), DescribeState(s.m))
	}
	return s.writes[0]
}

// written answers the write under way, and returns it.
func (s *solo) written(end End) Write {
	s.t.Helper()
	e := s.write()
	s.writes = nil
	s.step(WriteDone{Op: e.Op, End: end, Token: e.Record.Nonce})
	return e
}

// sent returns the message under way to a peer, and takes it off the wire.
func (s *solo) sent(to string) Send {
	s.t.Helper()
	i := slices.IndexFunc(s.sends, func(e Send) bool { return e.To.ID == to })
	if i < 0 {
		s.t.Fatalf("nothing is under way to %s; %s", to, DescribeState(s.m))
	}
	e := s.sends[i]
	s.sends = slices.Delete(s.sends, i, i+1)
	return e
}

// report is what a healthy peer answers at present.
func (s *solo) report(promise time.Duration) Report {
	return Report{
		Group: "00c0ffee", Run: "x1", Term: s.m.auth.term, Seq: s.m.auth.seq, Promise: promise,
		Role: event.RoleSecondary, Healthy: true, Read: true,
	}
}

// promised answers the heartbeat under way to a peer with a promise.
func (s *solo) promised(by string, length time.Duration) {
	s.t.Helper()
	s.step(Answered{Op: s.sent(by).Op, From: by, Message: s.report(length)})
}

// unanswered lets the exchange under way with a peer time out.
func (s *solo) unanswered(by string) {
	s.t.Helper()
	s.step(Answered{Op: s.sent(by).Op, From: by, Problem: "timeout"})
}

// hears has the machine take a message, and returns its answer.
func (s *solo) hears(from string, m Message) Message {
	s.t.Helper()
	s.step(Received{Conn: 99, From: from, Message: m})
	for _, e := range s.out.Effects {
		if r, ok := e.(Reply); ok && r.Conn == 99 {
			return r.Message
		}
	}
	return nil
}

// beat has the machine hear a heartbeat, and returns the promise.
func (s *solo) beat(from string, term, seq uint64) time.Duration {
	s.t.Helper()
	r, ok := s.hears(from, Heartbeat{Group: "00c0ffee", Run: from + "1", Term: term, Seq: seq}).(Report)
	if !ok {
		s.t.Fatal("a heartbeat was not answered by a report")
	}
	return r.Promise
}

// do asks for a verb.
func (s *solo) do(r Request) {
	s.t.Helper()
	s.step(Do{ID: 1, Request: r})
}

// code is how the verb ended; "pending" if it has not.
func (s *solo) code() Code {
	e, ok := s.ends[1]
	if !ok {
		return "pending"
	}
	return e.Code
}

// wants compares.
func wants[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// secondary is node b with a as Primary, which it has read just now.
func secondary(t testing.TB, members ...string) *solo {
	t.Helper()
	if len(members) == 0 {
		members = []string{"a", "b"}
	}
	s := newSolo(t, nil)
	s.seen(rec("a", 7, 3, members...))
	wants(t, "role", s.m.role, event.RoleSecondary)
	return s
}

// primary is node b as Primary since this instant: the claim was sent now.
func primary(t testing.TB, members ...string) *solo {
	t.Helper()
	return primaryWith(t, nil, members...)
}

func primaryWith(t testing.TB, edit func(*Config), members ...string) *solo {
	t.Helper()
	if len(members) == 0 {
		members = []string{"a", "b"}
	}
	s := newSolo(t, edit)
	s.seen(rec("", 7, 3, members...))
	s.written(Applied)
	wants(t, "held", s.m.auth.held, true)
	return s
}

// lapsed is node b that was Primary, and whose record is still its own.
func lapsed(t testing.TB, members ...string) *solo {
	t.Helper()
	s := primary(t, members...)
	s.skip(lease - spare)
	s.step(Tick{})
	wants(t, "role", s.m.role, event.RoleSecondary)
	s.step(DemoteDone{Op: s.demote.Op})
	s.sends = nil
	return s
}
