package failover

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// FuzzStep feeds a machine whatever comes: any input in any state and order,
// answers to effects that there are and to others, clocks that stand still or
// jump. It must take all of it (law 1), and keep what a single node can keep.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte("create and renew: 1\x10 1\x00 2\x00 0\x20 2\x00"))
	for seed := range byte(24) {
		script := make([]byte, 96)
		for i := range script {
			script[i] = byte(i)*seed + seed*seed + byte(i*i)
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z := newFuzz(t, data)
		for i := 0; i < 400 && len(z.data) > 0 && !z.out.Done; i++ {
			z.advance()
			z.step(z.input())
		}
	})
}

// fuzz is a machine and the bytes that decide what it is told.
type fuzz struct {
	t    *testing.T
	data []byte
	m    *Machine
	now  Now
	out  Output
	open []Effect // that wait for an answer
	last record.Record
	log  []string

	op, events uint64
	role       event.Role
}

func newFuzz(t *testing.T, data []byte) *fuzz {
	z := &fuzz{t: t, data: data, now: Now{Hold: 1, Wait: 1, Wall: time.Unix(1000, 0)}, role: event.RoleNotInGroup}
	nonce := uint64(0)
	flags := z.byte()
	z.m = New(Config{
		Group: "svc.lab.test", Self: member("b"), Run: "b1", Timing: testTiming(w), Bootstrap: Bootstrap(flags % 3),
		Gate: flags&4 != 0, Idle: flags&8 != 0, FailbackAfter: time.Duration(flags&16) * time.Second,
		ProvenDead: func(run string) bool { return flags&32 != 0 && run == "b0" },
		Random:     func() uint64 { nonce++; return nonce },
	}, z.now)
	z.last = rec("a", 7, 3, "a", "b")
	return z
}

func (z *fuzz) byte() byte {
	if len(z.data) == 0 {
		return 0
	}
	b := z.data[0]
	z.data = z.data[1:]
	return b
}

// pick is one of several.
func pick[T any](z *fuzz, all ...T) T { return all[int(z.byte())%len(all)] }

// advance moves the clocks: not at all, to the wake, a little, a lot, or one of
// them only.
func (z *fuzz) advance() {
	d := pick(z, 0, z.out.Wake, time.Nanosecond, time.Second, budget, 20*time.Second, w, 10*w)
	switch z.byte() % 8 {
	case 0:
		z.now.Hold += d // the wall clock was set
	case 1: // the clocks are read late, and go back for this reading
		z.stepAt(Now{}, Tick{})
	default:
		z.now.Hold += d
		z.now.Wait += d
	}
	z.now.Wall = z.now.Wall.Add(d)
}

func (z *fuzz) input() Input {
	switch z.byte() % 8 {
	case 0:
		return pick[Input](z, Tick{}, Stop{}, nil, Forget{ID: uint64(z.byte() % 4)}, Look{}, Skew{Peer: "ns1"})
	case 1:
		return pick[Input](z, Health{}, Health{Healthy: true})
	case 2:
		return Do{ID: uint64(z.byte() % 4), Request: z.request()}
	case 3:
		return Received{Conn: uint64(z.byte()), From: pick(z, "a", "b", "c"), Message: z.message()}
	case 4:
		return pick[Input](z, ReadDone{Op: uint64(z.byte())}, WriteDone{Op: uint64(z.byte()), End: End(z.byte() % 5)},
			Answered{Op: uint64(z.byte()), Message: z.message()}, DemoteDone{Op: uint64(z.byte())}, PromoteDone{Op: uint64(z.byte())})
	default:
		return z.answer()
	}
}

// answer answers one of the effects that wait.
func (z *fuzz) answer() Input {
	if len(z.open) == 0 {
		return Tick{}
	}
	i := int(z.byte()) % len(z.open)
	e := z.open[i]
	z.open = append(z.open[:i:i], z.open[i+1:]...)
	problem := pick(z, "", "", "", "timeout")
	switch e := e.(type) {
	case Read:
		return ReadDone{Op: e.Op, Problem: problem, Seen: z.observation()}
	case Write:
		end := End(z.byte() % 5)
		if end != Conflicted && end != Refused && z.byte()%4 > 0 {
			z.last = e.Record.Clone() // it was applied
		}
		return WriteDone{Op: e.Op, End: end, Token: e.Record.Nonce, Problem: problem}
	case Send:
		return Answered{Op: e.Op, From: e.To.ID, Message: z.message(), Problem: problem}
	case Demote:
		return DemoteDone{Op: e.Op}
	case Promote:
		return PromoteDone{Op: e.Op, Veto: problem}
	case Reply, Finish:
	}
	return Tick{}
}

func (z *fuzz) observation() Observation {
	o := Observation{
		Found: Found(max(0, int(z.byte()%12)-8)), HostRead: z.byte()%4 > 0, Host: pick(z, nil, []string{"192.0.2.9"}, member("b").Addresses()),
	}
	if o.Found == Unread {
		o.Found = Present
	}
	if o.Found == Present {
		o.Record = z.record()
		o.Token = o.Record.Nonce
	}
	return o
}

// record is the last one that was written, mostly, or a changed one.
func (z *fuzz) record() record.Record {
	r := z.last.Clone()
	switch z.byte() % 16 {
	case 0:
		r.Term += uint64(z.byte())
	case 1:
		r.Seq -= uint64(z.byte())
	case 2:
		r.Primary, r.Run, r.By = pick(z, "", "a", "b", "c"), pick(z, "", "a1", "b0", "b1"), pick(z, "a", "b")
	case 3:
		r.Members = r.Members[:int(z.byte())%(len(r.Members)+1)]
	case 4:
		r.Members = append(r.Members, pick(z, member("c"), joining(member("d")), never("e"), member("b")))
	case 5:
		r.AllowedAbsence = pick(z, time.Millisecond, time.Second, time.Hour) // the codec lets no less pass
	case 6:
		r.ReportInterval, r.CheckInterval = pick(z, time.Millisecond, time.Hour), pick(z, time.Millisecond, time.Hour)
	case 7:
		r.Paused, r.Dissolved = z.byte()%2 == 0, z.byte()%4 == 0
	case 8:
		r.Group = pick(z, "00c0ffee", "0badcafe")
	default:
		return r
	}
	r.Nonce = fmt.Sprintf("f%x", len(z.data))
	z.last = r.Clone()
	return r
}

func (z *fuzz) message() Message {
	group := pick(z, z.last.Group, z.last.Group, "0badcafe", "")
	term, seq := z.last.Term+uint64(z.byte()%3)-1, uint64(z.byte()%16)
	switch z.byte() % 8 {
	case 0:
		return Query{Group: group, Fresh: z.byte()%2 == 0}
	case 1:
		return Told{Group: group}
	case 2:
		return Ask{Group: group, Request: z.request()}
	case 3:
		return Verdict{Code: pick(z, "", CodeNotPrimary, CodeNoTarget)}
	case 4:
		return nil
	case 5:
		return Heartbeat{Group: group, Run: "a1", Term: term, Seq: seq}
	default:
		return Report{
			Group: group, Run: pick(z, "", "a1"), Term: term, Seq: seq, Promise: pick(z, 0, w, w, -w, time.Duration(1)<<62),
			Role: pick(z, event.RoleSecondary, event.RolePrimary), Healthy: z.byte()%4 > 0, Read: z.byte()%4 > 0,
			PromisedTo: pick(z, "", "a", "b"), PromisedRun: pick(z, "b0", "b1"), PromisedAgo: pick(z, 0, w, -w),
		}
	}
}

func (z *fuzz) request() Request {
	return Request{
		Verb: pick(z, VerbCreate, VerbJoin, VerbLeave, VerbRemove, VerbDissolve, VerbFailover, VerbForce, VerbPause, VerbResume,
			VerbConfigure, verbYield, ""),
		Target: pick(z, "", "a", "b", "x"), Reason: pick(z, "", "why"), Adopt: z.byte()%2 == 0,
		Timing: pick(z, Timing{}, testTiming(time.Second), testTiming(time.Hour)),
	}
}

func (z *fuzz) step(in Input) { z.stepAt(z.now, in) }

func (z *fuzz) stepAt(now Now, in Input) {
	z.log = append(z.log, fmt.Sprintf("%v/%v %s", now.Hold, now.Wait, DescribeInput(in)))
	z.out = z.m.Step(now, in)
	z.m.View()
	if z.out.Wake < 0 {
		z.fail("wakes in %v", z.out.Wake)
	}
	for _, e := range z.out.Effects {
		z.effect(e)
	}
	for _, e := range z.out.Events {
		z.event(e)
	}
	z.state()
}

func (z *fuzz) effect(e Effect) {
	z.log = append(z.log, "    "+DescribeEffect(e))
	switch e := e.(type) {
	case Reply, Finish:
		return
	case Write:
		if e.Record.Nonce == "" || e.Record.Group == "" && z.last.Group != "" {
			z.fail("writes %s", DescribeRecord(e.Record))
		}
	default:
	}
	op, _ := effectOp(e)
	if op <= z.op {
		z.fail("numbers %d after %d", op, z.op)
	}
	z.op = op
	z.open = append(z.open, e)
}

func (z *fuzz) event(e event.Event) {
	z.log = append(z.log, "    "+DescribeEvent(e))
	z.events++
	if e.Meta().Seq != z.events {
		z.fail("event %d is numbered %d", z.events, e.Meta().Seq)
	}
	if c, ok := e.(event.RoleChange); ok {
		if c.Previous != z.role || c.New == z.role {
			z.fail("goes from %s to %s, and was %s", c.Previous, c.New, z.role)
		}
		z.role = c.New
	}
}

// state is what a single node can keep of the promises.
func (z *fuzz) state() {
	m := z.m
	a := &m.auth
	switch {
	case m.role != z.role:
		z.fail("is %s, and has told %s", m.role, z.role)
	case m.role == event.RolePrimary && !a.held:
		z.fail("is Primary without authority")
	case a.held && m.now.Hold >= a.until:
		z.fail("holds an authority that is over")
	case a.held && a.stop > a.until:
		z.fail("stops %v after its authority", a.stop-a.until)
	case m.mayPromise() && a.held:
		z.fail("may promise as Primary")
	case z.out.Done && a.held:
		z.fail("is done and holds authority")
	case a.held && !z.out.Done && (z.out.Wake == 0 || z.out.Wake > a.stop-m.now.Hold):
		z.fail("is woken in %v, stops in %v", z.out.Wake, a.stop-m.now.Hold)
	}
}

func (z *fuzz) fail(format string, args ...any) {
	z.t.Helper()
	z.t.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, args...), DescribeState(z.m), strings.Join(z.log[max(0, len(z.log)-60):], "\n"))
}
