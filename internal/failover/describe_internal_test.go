package failover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

func full() record.Record {
	r := rec("a", 7, 3, "a", "b", "c")
	r.Members[1].Joining, r.Members[2].Priority = true, 0
	r.Paused, r.Dissolved, r.Extra = true, true, []string{"x=1", "y=2"}
	return r
}

const fullText = "record group=00c0ffee term=7 seq=3 nonce=73 primary=a run=a1 by=a w=1m0s r=20s c=30s ttl=30s " +
	"paused dissolved members=a,b+,c! extra=x=1,y=2"

func lines(texts ...string) string { return strings.Join(texts, "\n") }

func TestDescribeInput(t *testing.T) {
	t.Parallel()
	report := Report{
		Group: "00c0ffee", Run: "a1", Term: 7, Seq: 3, Primary: "a", Promise: w, Role: event.RoleSecondary,
		PromisedTo: "a", PromisedRun: "a1", PromisedAgo: time.Second,
	}
	var got []string
	for _, in := range []Input{
		Tick{},
		ReadDone{Op: 1, Seen: Observation{Found: Present, Record: full(), HostRead: true, Host: []string{"192.0.2.1", "2001:db8::1"}}},
		ReadDone{Op: 1, Seen: Observation{Found: Absent, HostRead: true}},
		ReadDone{Op: 1, Seen: Observation{Found: Unusable, Problem: "two\nrecords"}},
		ReadDone{Op: 1},
		ReadDone{Op: 1, Problem: "timeout"},
		WriteDone{Op: 2, End: Applied},
		WriteDone{Op: 2, End: Unknown, Problem: "timeout"},
		WriteDone{Op: 2, End: Conflicted},
		WriteDone{Op: 2, End: Refused, Problem: "not allowed"},
		Received{Conn: 3, From: "a", Message: Heartbeat{Group: "00c0ffee", Run: "a1", Term: 7, Seq: 3}},
		Received{Conn: 3, From: "a", Message: Query{Group: "00c0ffee", Fresh: true}},
		Received{Conn: 3, From: "a", Message: Told{}},
		Received{Conn: 3, From: "a", Message: Ask{Group: "00c0ffee", Request: Request{
			Verb: VerbConfigure, Timing: Timing{W: w, R: 1, C: 2, TTL: 3}, Reason: "because",
		}}},
		Received{Conn: 3, From: "a"},
		Answered{Op: 4, From: "a", Message: report},
		Answered{Op: 4, From: "a", Problem: "timeout"},
		Answered{Op: 4, From: "a", Message: Verdict{}},
		Answered{Op: 4, From: "a", Message: Verdict{Code: CodeNoTarget, Text: "why"}},
		DemoteDone{Op: 5},
		PromoteDone{Op: 6},
		PromoteDone{Op: 6, Veto: "no"},
		Do{ID: 7, Request: Request{Verb: VerbCreate, Group: "svc.lab.test", Self: member("a"), Adopt: true}},
		Do{ID: 7, Request: Request{Verb: VerbRemove, Target: "c"}},
		Forget{ID: 7},
		Look{},
		Health{Healthy: true},
		Health{Problem: "disk full"},
		Skew{Peer: "ns1", Ahead: -time.Second},
		Stop{},
		nil,
	} {
		got = append(got, DescribeInput(in))
	}
	want := lines(
		"tick",
		"read-done op=1 present "+fullText+" host=192.0.2.1,2001:db8::1",
		"read-done op=1 absent host=-",
		"read-done op=1 unusable: two records",
		"read-done op=1 unread", "read-done op=1 failed: timeout",
		"write-done op=2 applied", "write-done op=2 unknown: timeout", "write-done op=2 conflicted",
		"write-done op=2 refused: not allowed",
		"received conn=3 from=a heartbeat group=00c0ffee run=a1 term=7 seq=3",
		"received conn=3 from=a query group=00c0ffee fresh",
		"received conn=3 from=a told group=-",
		"received conn=3 from=a ask group=00c0ffee configure w=1m0s r=1ns c=2ns ttl=3ns: because",
		"received conn=3 from=a nothing",
		"answered op=4 from=a report group=00c0ffee run=a1 term=7 seq=3 primary=a role=secondary promise=1m0s "+
			"unhealthy unread promised=a/a1 ago=1s",
		"answered op=4 from=a failed: timeout",
		"answered op=4 from=a verdict done", "answered op=4 from=a verdict refused no_target: why",
		"demote-done op=5", "promote-done op=6 agreed", "promote-done op=6 vetoed: no",
		"do id=7 create group=svc.lab.test self=a adopt",
		"do id=7 remove target=c",
		"forget id=7", "look", "healthy", "unhealthy: disk full", "skew peer=ns1 ahead=-1s", "stop", "nothing",
	)
	if diff := cmp.Diff(want, lines(got...)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestDescribeEffect(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range []Effect{
		Read{Op: 1, Host: true, Within: 2 * time.Second},
		Read{Op: 1, Within: 2 * time.Second},
		Write{Op: 2, Record: full(), HostAbsent: true, Within: time.Second},
		Write{Op: 2, Within: time.Second},
		Send{Op: 3, To: member("a"), Message: Told{Group: "00c0ffee"}, Within: time.Second},
		Reply{Conn: 4, Message: Verdict{}},
		Demote{Op: 5, Term: 7, Cause: event.CauseLeaseLost, Until: time.Hour},
		Promote{Op: 6, Term: 7, Cause: event.CauseHandover, Previous: "a", Within: time.Minute},
		Finish{ID: 7},
		Finish{ID: 7, Code: CodeInGroup, Text: "why"},
		nil,
	} {
		got = append(got, DescribeEffect(e))
	}
	want := lines(
		"read op=1 host within=2s", "read op=1 within=2s",
		"write op=2 "+fullText+" host-absent within=1s",
		"write op=2 record group=- term=0 seq=0 nonce=- primary=- run=- by=- w=0s r=0s c=0s ttl=0s members=- within=1s",
		"send op=3 to=a told group=00c0ffee within=1s",
		"reply conn=4 verdict done",
		"demote op=5 term=7 cause=lease_lost next=- until=1h0m0s",
		"promote op=6 term=7 cause=handover previous=a within=1m0s",
		"finish id=7 done", "finish id=7 refused in_group: why", "nothing",
	)
	if diff := cmp.Diff(want, lines(got...)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestDescribeEvent(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	var got []string
	ids := map[event.ID]bool{}
	for _, e := range []event.Event{
		event.RoleChange{Header: event.Header{ID: event.NodeRoleChanged}, New: event.RolePrimary, Cause: event.CauseCreated},
		event.PrimaryChange{Header: event.Header{ID: event.PrimaryChanged}, Previous: "a"},
		event.DNSConnectionChange{Header: event.Header{ID: event.DNSConnectionChanged}, Previous: event.DNSConnected, New: event.DNSDisconnected, Problem: "timeout"},
		event.HeartbeatMethodChange{Header: event.Header{ID: event.HeartbeatMethodChanged}, Previous: event.HeartbeatDirect, New: event.HeartbeatDNS},
		event.HeartbeatLoss{Header: event.Header{ID: event.HeartbeatLost}, Peer: "a"},
		event.HeartbeatReturn{Header: event.Header{ID: event.HeartbeatRestored}, Peer: "a"},
		event.AuthorityRisk{Header: event.Header{ID: event.AuthorityAtRisk, At: at}, Until: at.Add(1500 * time.Millisecond)},
		event.MembersChange{Header: event.Header{ID: event.MembersChanged}, Members: []string{"a", "b"}, Joining: []string{"c", "d"}},
		event.MembersChange{},
		event.ConfigurationChange{Header: event.Header{ID: event.ConfigurationChanged}, Fields: []string{"x", "y"}},
		event.PauseChange{Header: event.Header{ID: event.PauseChanged}, Paused: true},
		event.PauseChange{},
		event.HealthChange{Header: event.Header{ID: event.HealthChanged}, Healthy: true},
		event.HealthChange{Problem: "disk full"},
		event.FailoverResult{Header: event.Header{ID: event.FailoverFinished}, From: "a", To: "b", Cause: event.CauseForced, Reason: "because"},
		event.FailoverResult{From: "a", Cause: event.CauseHandover, Problem: "no"},
		event.Conflict{Header: event.Header{ID: event.ConflictDetected}, Problem: "two"},
		event.HostRecordRepair{Header: event.Header{ID: event.HostRecordRepaired}, Set: []string{"192.0.2.1", "2001:db8::1"}},
		event.ClockSkew{Header: event.Header{ID: event.ClockSkewDetected}, Peer: "ns1", Ahead: time.Minute},
		nil,
	} {
		got = append(got, DescribeEvent(e))
		if e != nil {
			ids[e.Meta().ID] = true
		}
	}
	want := lines(
		"role - -> primary (created)", "primary a -> -", "dns connected -> disconnected: timeout", "heartbeats direct -> dns",
		"hears nothing of a", "hears a again", "authority at risk, 1.5s left", "members a,b joining c,d", "members -",
		"configuration x,y", "paused", "resumed", "healthy", "unhealthy: disk full",
		"failover a -> b (forced): because", "failover a -> - (handover) failed: no", "conflict: two",
		"host record - -> 192.0.2.1,2001:db8::1", "the clock of ns1 is 1m0s ahead", "nothing",
	)
	if diff := cmp.Diff(want, lines(got...)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	for _, id := range event.IDs() {
		wants(t, "described: "+string(id), ids[id], true)
	}
}

func TestDescribeState(t *testing.T) {
	t.Parallel()
	for want, state := range map[string]func() *solo{
		"not_in_group hold=1h0m0s wait=2h0m0s; read=0/0 heard=0/0 quiet=2h0m0s; unread": func() *solo { return newSolo(t, nil) },
		"secondary hold=1h0m0s wait=2h0m0s; read=7/3 heard=7/4 quiet=2h0m0s; promised a/a1 until=2h1m0s": func() *solo {
			s := secondary(t)
			s.beat("a", 7, 4)
			return s
		},
		"primary hold=1h0m20s wait=2h0m20s; read=1000/1 heard=1000/1 quiet=2h0m0s; " +
			"authority term=1000 seq=2 stop=1h0m40.5s until=1h0m45s; writes of unknown end 1": func() *solo {
			s := primary(t)
			s.pass(20 * time.Second)
			return s
		},
		"not_in_group hold=1h0m0s wait=2h0m0s; read=1000/1 heard=1000/1 quiet=2h0m0s; " +
			"authority term=1000 seq=1 stop=1h0m40.5s until=1h0m45s hidden; task create step=3 of 1": func() *solo {
			s := newSolo(t, func(c *Config) { c.Gate = true })
			s.absent()
			s.do(Request{Verb: VerbCreate})
			s.absent()
			s.written(Applied)
			return s
		},
		"secondary hold=1h0m0s wait=2h0m0s; read=1000/1 heard=1000/1 quiet=2h0m0s; " +
			"task failover step=4 of 1; unread absent older unhealthy cooling demoting stopping": func() *solo {
			s := handingOver(t)
			s.step(Answered{Op: s.sent("a").Op, From: "a", Message: s.fresh("a")})
			s.m.known.fresh, s.m.known.absent, s.m.known.older, s.m.healthy = false, true, true, false
			s.m.cool.until, s.m.stopping = s.now.Wait+1, true
			return s
		},
	} {
		if diff := cmp.Diff(want, DescribeState(state().m)); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
	}
}
