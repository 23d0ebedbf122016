package agtest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/event"
)

// counter is a program that counts seconds while it is Primary.
func counter(n *atomic.Int64) func(ctx context.Context, term uint64) error {
	return func(ctx context.Context, _ uint64) error {
		for tick := time.Tick(time.Second); ; n.Add(1) {
			select {
			case <-tick:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// A crash and a planned failover, in virtual time. Only the Primary works.
func ExampleNew() {
	inTest(func(t *testing.T) { // func TestCounter(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, count := agtest.New(t, 3), new([3]atomic.Int64)
			c.Go(func(ctx context.Context, i int, g *availability.Group) {
				_ = g.RunWhilePrimary(ctx, counter(&count[i])) // the program
			})
			for _, end := range []func(*agtest.Node){(*agtest.Node).Kill, (*agtest.Node).Stop} {
				p := c.Primary(t.Context())
				time.Sleep(time.Minute) // which takes no time here
				end(c.Node(p))
				if n := count[p].Load(); n < 59 || n > 60 {
					t.Errorf("node %d has counted to %d, want 60", p, n)
				}
			}
		})
	})
}

// Outside of a bubble it is the same, in real time: a planned failover is over
// at once, a crash takes five seconds.
func ExampleNew_realTime() {
	inTest(func(t *testing.T) {
		c := agtest.New(t, 2, func(i int, c *availability.Config) {
			c.Priority = 200 - 100*i
		})
		c.Node(0).Stop()
		t.Logf("the client of node %d is asked", c.Primary(t.Context()))
	})
}

// A hook refuses the role; the test sees what comes of it.
func ExampleNew_edit() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 3, func(i int, c *availability.Config) {
				if i == 1 {
					c.BeforePromote = func(context.Context, availability.Promotion) error {
						return errors.New("the data is too old")
					}
				}
			})
			c.Node(0).Kill()
			c.AwaitRole(t.Context(), 2, event.RolePrimary)
		})
	})
}

// A process that comes back with its state directory is Primary again at once,
// without it another node is after the failover period.
func ExampleNode_Restart() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 2, func(_ int, c *availability.Config) { c.StateDir = t.TempDir() })
			c.Node(0).Restart()
			if p := c.Primary(t.Context()); p != 0 {
				t.Errorf("node %d is Primary", p)
			}
		})
	})
}

// A Primary that is cut off from everything stops before another node starts.
func ExampleNode_Isolate() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 2)
			work, done, err := c.Group(0).PrimaryContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			c.Node(0).Isolate()
			c.AwaitRole(t.Context(), 1, event.RolePrimary)
			if work.Err() == nil {
				t.Error("two nodes work")
			}
			c.Node(0).Reconnect()
			c.Await(t.Context(), "a knows the new Primary", func() bool {
				return c.Group(0).GetNodeState().PrimaryID == "b"
			})
		})
	})
}

// A wall clock that is set forward looks like a suspension: the Primary stops,
// and takes the role back in a new term.
func ExampleNode_StepClock() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 2)
			before := c.Group(0).GetNodeState().Term
			c.Node(0).StepClock(time.Hour)
			if c.Group(0).IsPrimary() {
				t.Error("a is Primary by an authority that may be over")
			}
			c.AwaitRole(t.Context(), 0, event.RolePrimary)
			if after := c.Group(0).GetNodeState().Term; after <= before {
				t.Errorf("term %d comes after %d", after, before)
			}
		})
	})
}

// The name server is away; the Primary goes on as long as the others answer it.
func ExampleCluster_CutStore() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 3)
			c.CutStore()
			time.Sleep(time.Minute)
			if !c.Group(0).IsPrimary() {
				t.Error("a has stopped")
			}
			c.Link(1, 0).Cut() // what b answers is lost
			c.Await(t.Context(), "a has stopped", func() bool { return !c.Group(0).IsPrimary() })
		})
	})
}

// A process that was stopped for a minute asks for its role and is told the
// truth.
func ExampleNode_Freeze() {
	inTest(func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := agtest.New(t, 2)
			c.Node(0).Freeze()
			time.Sleep(time.Minute)
			if c.Group(0).IsPrimary() || !c.Group(1).IsPrimary() {
				t.Error(c)
			}
			c.Node(0).Thaw()
		})
	})
}
