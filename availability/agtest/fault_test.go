package agtest_test

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/event"
)

func TestLink_OneWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		direct := func() bool { return c.Group(1).GetNodeState().HeartbeatMethod == event.HeartbeatDirect }
		c.Await(t.Context(), "heartbeats are direct", direct)
		c.Link(0, 1).Cut()
		c.Await(t.Context(), "heartbeats go through DNS", func() bool { return !direct() })
		c.Link(0, 1).Heal()
		c.Await(t.Context(), "heartbeats are direct again", direct)

		unanswered := c.Group(0).Stats().Unanswered
		c.Link(1, 0).Cut()
		c.Await(t.Context(), "answers are lost", func() bool { return c.Group(0).Stats().Unanswered > unanswered })
		received := c.Group(1).Stats().Received
		c.Await(t.Context(), "requests arrive", func() bool { return c.Group(1).Stats().Received > received })
		wantPrimary(t, c, 0)
	})
}

func TestLink_Delay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		c.Link(0, 1).Delay(50 * time.Millisecond)
		c.Link(1, 0).Delay(30 * time.Millisecond)
		began := time.Now()
		if err := c.Group(0).Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 80*time.Millisecond {
			t.Errorf("the role was handed over in %v", took)
		}
	})
}

// A Primary that is cut off from everything stops before another one starts,
// and is Secondary when it is back.
func TestNode_Isolate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		pass(w + w/10) // between two heartbeats
		received := c.Group(0).Stats().Received
		c.Node(0).Isolate()
		lost := hear[event.RoleChange](c, 0)
		taken := becomes(t, c, 1)
		got := lost()
		if last := got[len(got)-1]; last.New != event.RoleSecondary || !last.At.Before(taken.At) {
			t.Errorf("a has stopped like this: %+v; b has started at %v", last, taken.At)
		}
		if got := c.Group(0).Stats().Received; got != received {
			t.Errorf("an isolated node has received %d messages", got-received)
		}
		if s := c.Group(0).GetNodeState(); s.NodeDNSConnectionState != event.DNSDisconnected {
			t.Errorf("an isolated node reaches the store: %+v", s)
		}
		c.Link(0, 1).Delay(time.Minute)
		c.Node(0).Reconnect()
		c.Await(t.Context(), "a is Secondary to b and hears it", func() bool {
			s := c.Group(0).GetNodeState()
			return s.PrimaryID == "b" && s.HeartbeatMethod == event.HeartbeatDirect && s.NodeDNSConnectionState == event.DNSConnected
		})
		if err := c.Group(1).Failover(t.Context(), availability.To("a")); err != nil {
			t.Errorf("a is not reached: %v", err)
		}
	})
}

// While nobody reaches the store the Primary goes on as long as all answer it.
func TestCluster_CutStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		lost := func(i int) bool { return c.Group(i).GetNodeState().NodeDNSConnectionState == event.DNSDisconnected }
		c.CutStore()
		c.Await(t.Context(), "DNS is lost", func() bool { return lost(0) && lost(1) })
		pass(10 * w)
		wantPrimary(t, c, 0)
		c.Link(0, 1).Cut()
		c.Await(t.Context(), "the Primary has stopped", func() bool { return !c.Group(0).IsPrimary() })
		c.HealStore()
		c.Await(t.Context(), "DNS is back", func() bool { return !lost(0) && !lost(1) })
		c.Primary(t.Context())
	})
}

// A planned failover whose writes are made but not answered comes true.
func TestNode_StoreLosesAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		c.Node(0).Store().LoseAnswers(1)
		if err := c.Group(0).Failover(t.Context(), availability.To("b")); err != nil {
			t.Errorf("Failover: %v", err)
		}
		c.AwaitRole(t.Context(), 1, event.RolePrimary)
		if calls := c.Node(0).Store().Calls(); calls.Applies == 0 {
			t.Error("the node's calls do not go through its Store")
		}
	})
}
