package agtest

import (
	"context"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// Primary waits until a node is Primary, and returns its number. A node that
// was killed does not count, one that is cut off or frozen does for as long as
// it has authority; to wait for another one use [Cluster.AwaitRole]. It fails
// the test as [Cluster.Await] does.
func (c *Cluster) Primary(ctx context.Context) int {
	c.t.Helper()
	found := 0
	c.Await(ctx, "there is a Primary", func() bool {
		for i, n := range c.nodes {
			if n.runs() && n.group().IsPrimary() {
				found = i
				return true
			}
		}
		return false
	})
	return found
}

// AwaitRole waits until node i runs and has the role. It fails the test as
// [Cluster.Await] does.
func (c *Cluster) AwaitRole(ctx context.Context, i int, role event.Role) {
	c.t.Helper()
	n := c.Node(i)
	c.Await(ctx, "node "+n.String()+" is "+string(role), func() bool {
		return n.runs() && n.group().GetNodeState().NodeRole == role
	})
}

// Await waits until ok, which it asks every thousandth part of a failover
// period, or millisecond if that is longer. It fails the test if ctx ends
// before, or 20 failover periods and 30 s have passed: with what was waited
// for, and what [Cluster.String] tells.
func (c *Cluster) Await(ctx context.Context, what string, ok func() bool) {
	c.t.Helper()
	began, every := c.time.Now(), max(c.period()/1000, time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	for !ok() {
		timer := c.time.Timer(every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			waited := c.time.Now().Sub(began).Round(time.Millisecond)
			c.t.Fatalf("agtest: waited in vain for %v until %s: %v\n%s", waited, what, context.Cause(ctx), c)
		}
	}
}
