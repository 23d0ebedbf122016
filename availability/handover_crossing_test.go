package availability_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// The target of a handover leaves while the Primary stops its work for it. The
// record must not name a node that is no member.
func TestFailover_ToAMemberThatLeavesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t, func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { time.Sleep(2 * time.Second) }
		})
		time.Sleep(failoverPeriod)
		failed := make(chan error, 1)
		go func() { failed <- a.Failover(t.Context(), availability.To("b")) }()
		time.Sleep(time.Second) // a has asked b, and stops its work
		if err := b.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for !a.IsPrimary() && time.Since(began) < failoverPeriod {
			if text := l.txt().Data[0]; strings.Contains(text, "primary=b") && !strings.Contains(text, "m=b") {
				t.Fatalf("the record names b, who has left: %s", text)
			}
			synctest.Wait()
			time.Sleep(10 * time.Millisecond)
		}
		t.Logf("Failover: %v; Primary again after %v", <-failed, time.Since(began))
		l.stop()
	})
}
