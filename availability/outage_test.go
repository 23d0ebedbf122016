package availability_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// W, L and the stop budget of the default settings.
const (
	failoverPeriod = time.Minute
	lease          = 45 * time.Second
	stopBudget     = 4500 * time.Millisecond
	reportInterval = 20 * time.Second
)

func TestCrash_TakeoverAtQuietPlusW(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		time.Sleep(95 * time.Second)
		last := b.GetNodeState().LastHeartbeatTime
		l.kill(a)
		l.wait("b has taken over", b.IsPrimary)
		if took := time.Since(last); took < failoverPeriod || took > failoverPeriod+time.Second {
			t.Errorf("b took over %v after the last heartbeat, want at W = %v, never earlier, at most 3 round trips later", took, failoverPeriod)
		}
		l.stop()
	})
}

func TestCutOffFromBothChannels_StopsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		time.Sleep(95 * time.Second)
		until := a.GetNodeState().AuthorityUntil
		l.kill(a)
		cut := time.Now()
		l.wait("a has stopped", func() bool { return !a.IsPrimary() })
		if since := time.Since(cut); since > lease-stopBudget {
			t.Errorf("a said primary for %v after it was cut off, want at most L − δ = %v", since, lease-stopBudget)
		}
		if now := time.Now(); now.After(until.Add(10 * time.Millisecond)) {
			t.Errorf("a stopped %v after AuthorityUntil", now.Sub(until))
		}
		if b.IsPrimary() {
			t.Error("b is Primary before a has stopped")
		}
		l.wait("a has told it", func() bool {
			roles := heard[event.RoleChange](a)
			return roles[len(roles)-1].Cause == event.CauseLeaseLost
		})
		l.wait("b has taken over", b.IsPrimary)
		l.heal(a)
		l.wait("a is Secondary to b", func() bool { return a.GetNodeState().PrimaryID == "b" })
		l.stop()
	})
}

func TestDNSOutage_ChangesNoRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		time.Sleep(95 * time.Second)
		a.faulty.Cut()
		b.faulty.Cut()
		for range 600 {
			time.Sleep(time.Second)
			if !a.IsPrimary() || b.IsPrimary() {
				t.Fatalf("a DNS outage changed a role: %s", l)
			}
		}
		for _, n := range l.nodes {
			if s := n.GetNodeState(); s.NodeDNSConnectionState != event.DNSDisconnected {
				t.Errorf("%s says DNS is %s in an outage", s.NodeID, s.NodeDNSConnectionState)
			}
		}
		a.faulty.Heal()
		b.faulty.Heal()
		l.wait("both are connected again", func() bool {
			return a.GetNodeState().NodeDNSConnectionState == event.DNSConnected &&
				b.GetNodeState().NodeDNSConnectionState == event.DNSConnected
		})
		time.Sleep(5 * failoverPeriod)
		if !a.IsPrimary() {
			t.Error("a lost the role after the outage")
		}
		if n := len(heard[event.DNSConnectionChange](a)); n != 3 {
			t.Errorf("a told %d changes of the DNS connection, want connected, disconnected, connected", n)
		}
		l.stop()
	})
}

func TestPeerOutage_ChangesNoRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		time.Sleep(95 * time.Second)
		l.cutPeers(a)
		for range 600 {
			time.Sleep(time.Second)
			if !a.IsPrimary() || b.IsPrimary() {
				t.Fatalf("a peer outage changed a role: %s", l)
			}
		}
		for _, n := range l.nodes {
			if s := n.GetNodeState(); s.HeartbeatMethod != event.HeartbeatDNS {
				t.Errorf("%s says heartbeats go over %s", s.NodeID, s.HeartbeatMethod)
			}
		}
		if age := time.Since(b.GetNodeState().LastHeartbeatTime); age > 2*reportInterval {
			t.Errorf("b heard of a %v ago, though a renews in DNS every %v", age, reportInterval)
		}
		if lost := heard[event.HeartbeatLoss](b); len(lost) > 0 {
			t.Errorf("b told lost heartbeats though they came over DNS: %+v", lost)
		}
		l.heal(a)
		l.wait("heartbeats go directly again", func() bool {
			return a.GetNodeState().HeartbeatMethod == event.HeartbeatDirect && b.GetNodeState().HeartbeatMethod == event.HeartbeatDirect
		})
		l.stop()
	})
}

func TestSlowStore_ChangesNoRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		a.faulty.Delay(time.Second, time.Second)
		b.faulty.Delay(time.Second, time.Second)
		l.cutPeers(a)
		for range 600 {
			time.Sleep(time.Second)
			if !a.IsPrimary() || b.IsPrimary() {
				t.Fatalf("a server that answers in 2 s changed a role: %s", l)
			}
		}
		l.stop()
	})
}

func TestLostAnswers_AreReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.cutPeers(a)
		for range 60 {
			a.faulty.LoseAnswers(1)
			time.Sleep(reportInterval)
			if !a.IsPrimary() || b.IsPrimary() {
				t.Fatalf("lost answers changed a role: %s", l)
			}
		}
		if s := a.Stats(); s.Unknown < 20 {
			t.Errorf("only %d writes of unknown end", s.Unknown)
		}
		l.stop()
	})
}
