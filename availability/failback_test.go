package availability_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// A node that is Primary for the second time counts anew for how long a better
// member has been well.
func TestFailbackAfter_CountsInEachTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stable = 5 * time.Minute
		l, a, b := pair(t, func(c *availability.Config) {
			c.FailbackAfter = stable
			if c.NodeID == "b" {
				c.Priority = 50
			}
		})
		for range 2 {
			time.Sleep(4 * stable)
			if err := a.Failover(t.Context(), availability.To("b")); err != nil {
				t.Fatal(err)
			}
			if took := l.wait("a has the role again", a.IsPrimary); took < stable {
				t.Errorf("b handed the role back after %v, want %v", took, stable)
			}
		}
		_ = b
		l.stop()
	})
}
