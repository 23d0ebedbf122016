package availability_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

func TestCreateJoinFailoverAndShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		if got := l.primary(); got != "a" {
			t.Fatalf("Primary is %q after Create, want a", got)
		}
		if err := b.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a.IsPrimary() || !b.IsPrimary() {
			t.Fatalf("after a planned failover: %s", l)
		}
		if err := a.Join(t.Context()); !errors.Is(err, availability.ErrInGroup) {
			t.Fatalf("Join of a member: %v, want ErrInGroup", err)
		}
		b.cancel()
		if err := <-b.done; err != nil {
			t.Fatal(err)
		}
		b.done <- nil
		l.wait("a has taken over from the node that stopped", a.IsPrimary)
		l.stop()
	})
}

func TestBootstrapCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.start()
		l.start()
		took := l.wait("one node is Primary", func() bool { return l.primary() != "" })
		if took < time.Minute {
			t.Errorf("created after %v of seen absence, want W", took)
		}
		l.wait("the other is Secondary", func() bool {
			return l.nodes[0].GetNodeState().NodeRole != event.RoleNotInGroup && l.nodes[1].GetNodeState().NodeRole != event.RoleNotInGroup
		})
		l.stop()
	})
}
