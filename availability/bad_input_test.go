package availability_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

func (l *lab) txt() dnsstore.RRSet {
	l.t.Helper()
	set, err := l.store.Lookup(l.t.Context(), dnsstore.Key{Name: "svc.lab.test", Type: "TXT"})
	if err != nil {
		l.t.Fatal(err)
	}
	return set
}

// edit changes the TXT records by hand.
func (l *lab) edit(change func(data []string) []string) {
	l.t.Helper()
	set := l.txt()
	set.Data = change(set.Data)
	if err := l.store.Apply(l.t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{set}}); err != nil {
		l.t.Fatal(err)
	}
}

func TestBadRecords_ChangeNoRoleAndAreNotTouched(t *testing.T) {
	for name, spoil := range map[string]func([]string) []string{
		"of an unknown version":   func(d []string) []string { return []string{strings.Replace(d[0], "ag=1", "ag=2", 1)} },
		"with a broken number":    func(d []string) []string { return []string{strings.Replace(d[0], "seq=", "seq=x", 1)} },
		"twice":                   func(d []string) []string { return append(d, strings.Replace(d[0], "nonce=", "nonce=0", 1)) },
		"with a number too large": func(d []string) []string { return []string{strings.Replace(d[0], "term=", "term=99999999999", 1)} },
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, a, b := pair(t)
				good := l.txt().Data
				l.edit(spoil)
				bad := l.txt().Data
				time.Sleep(10 * failoverPeriod)
				if !a.IsPrimary() || b.IsPrimary() {
					t.Errorf("a bad record changed a role: %s", l)
				}
				if got := l.txt().Data; len(got) != len(bad) || got[0] != bad[0] {
					t.Errorf("a bad record was written over: %v", got)
				}
				if len(heard[event.Conflict](a)) == 0 || a.Stats().BadRecords == 0 {
					t.Errorf("nothing was told or counted: %+v", a.Stats())
				}
				l.edit(func([]string) []string { return good })
				time.Sleep(2 * failoverPeriod)
				if !a.IsPrimary() || len(l.txt().Data) != 1 || l.txt().Data[0] == good[0] {
					t.Errorf("the group did not go on from the mended record: %s", l)
				}
				l.stop()
			})
		})
	}
}

func TestForeignTXT_IsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		const foreign = `"v=spf1 -all" "with \"quotes\" \195\164"`
		l.edit(func(d []string) []string { return append(d, foreign) })
		time.Sleep(2 * failoverPeriod)
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, d := range l.txt().Data {
			found = found || d == foreign
		}
		if !found || len(l.txt().Data) != 2 {
			t.Errorf("the foreign record did not survive: %q", l.txt().Data)
		}
		l.stop()
	})
}

func TestUnknownKeys_AreCarriedAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.edit(func(d []string) []string { return []string{d[0] + ` "colour=green"`} })
		time.Sleep(2 * failoverPeriod)
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !b.IsPrimary() || !strings.Contains(l.txt().Data[0], `"colour=green"`) {
			t.Errorf("a newer version's key was lost: %s", l.txt().Data[0])
		}
		l.stop()
	})
}

func TestForeignGroup_IsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.edit(func(d []string) []string {
			before, after, _ := strings.Cut(d[0], `"group=`)
			theirs := strings.NewReplacer(`"primary=a"`, `"primary=x"`, `"by=a"`, `"by=x"`, `"m=a,`, `"m=x,`, `"m=b,`, `"m=y,`)
			return []string{theirs.Replace(before + `"group=00000000` + after[8:])}
		})
		theirs := l.txt().Data[0]
		l.wait("both are in no group", func() bool {
			return a.GetNodeState().NodeRole == event.RoleNotInGroup && b.GetNodeState().NodeRole == event.RoleNotInGroup
		})
		time.Sleep(10 * failoverPeriod)
		if now := l.txt().Data[0]; now != theirs {
			t.Errorf("the record of another group was changed:\n%s\n%s", theirs, now)
		}
		l.stop()
	})
}

func TestHostRecord_IsSetRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		key := dnsstore.Key{Name: "svc.lab.test", Type: "A"}
		stray := dnsstore.RRSet{Key: key, TTL: time.Minute, Data: []string{"203.0.113.66"}}
		if err := l.store.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{stray}}); err != nil {
			t.Fatal(err)
		}
		took := l.wait("the host record is right", func() bool {
			set, err := l.store.Lookup(t.Context(), key)
			return err == nil && len(set.Data) == 1 && set.Data[0] == "192.0.2.1"
		})
		if took > 2*reportInterval || !a.IsPrimary() {
			t.Errorf("it took %v; %s", took, l)
		}
		l.stop()
	})
}

func TestDeletedRecord_EndsTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.edit(func([]string) []string { return nil })
		l.wait("both are in no group", func() bool {
			return a.GetNodeState().NodeRole == event.RoleNotInGroup && b.GetNodeState().NodeRole == event.RoleNotInGroup
		})
		if s := a.GetNodeState(); s.NodeDNSConnectionState != event.DNSNotApplicable {
			t.Errorf("DNS state %s, want not_applicable", s.NodeDNSConnectionState)
		}
		roles := heard[event.RoleChange](a)
		if last := roles[len(roles)-1]; last.Cause != event.CauseRemovedFromDNS {
			t.Errorf("cause %s", last.Cause)
		}
		time.Sleep(10 * failoverPeriod)
		if data := l.txt().Data; len(data) > 0 {
			t.Errorf("the deleted record came back: %v", data)
		}
		l.stop()
	})
}

func TestBadMessages_AreRefusedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		stranger := l.net.Node("b2")
		before := a.Stats()
		for _, m := range []transport.Message{
			{Group: "svc.lab.test", From: "b", To: "a", Kind: "heartbeat", Body: json.RawMessage(`{"term":1e300}`)},
			{Group: "svc.lab.test", From: "b", To: "a", Kind: "heartbeat", Body: json.RawMessage(`[]`)},
			{Group: "svc.lab.test", From: "b", To: "a", Kind: "heartbeat", Body: json.RawMessage(`{"promise":-1}`)},
			{Group: "svc.lab.test", From: "b", To: "a", Kind: "nonsense", Body: json.RawMessage(`{}`)},
			{Group: "svc.lab.test", From: "b", To: "a", Kind: "heartbeat"},
		} {
			if answer, err := stranger.Exchange(t.Context(), transport.Peer{ID: "a", URL: "http://a"}, m); err == nil {
				t.Errorf("%s %s was answered: %s", m.Kind, m.Body, answer.Body)
			}
		}
		if n := a.Stats().BadMessages - before.BadMessages; n != 5 {
			t.Errorf("%d of 5 bad messages were counted", n)
		}
		time.Sleep(2 * failoverPeriod)
		if !a.IsPrimary() || b.IsPrimary() {
			t.Errorf("bad messages changed a role: %s", l)
		}
		l.stop()
	})
}
