package agtest_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

func TestNew_IsAGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 3)
		wantPrimary(t, c, 0)
		wantHost(t, c, "192.0.2.1")
		if !slices.Contains(c.Record(), "primary=a") {
			t.Errorf("the record is %q, want a to be its Primary", c.Record())
		}
		for i := range 3 {
			c.Await(t.Context(), "all know all", func() bool { return len(c.Group(i).Info().Members) == 3 })
		}
		got := c.Group(2).Info().Configuration
		if got.GroupFQDN != agtest.FQDN || got.Timing != availability.FastTiming() {
			t.Errorf("the group is %+v", got)
		}
	})
}

// What an edit sets is used, and the numbers are those of the nodes.
func TestNew_Edits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		vetoed := make(chan availability.Promotion, 100)
		c := agtest.New(t, 2, slow,
			func(i int, c *availability.Config) {
				c.NodeID = []string{"left", "right"}[i]
				c.Settings.GroupFQDN = "Other.lab.test."
				c.Settings.ExternalIPv6Address = netip.MustParseAddr("2001:db8::1")
				if i == 1 {
					c.BeforePromote = func(_ context.Context, p availability.Promotion) error {
						vetoed <- p
						return errors.New("not ready")
					}
				}
			})
		wantHost(t, c, "192.0.2.1", "2001:db8::1")
		if !slices.Contains(c.Record(), "primary=left") || !slices.Contains(c.Record(), "w=60s") {
			t.Errorf("the record is %q", c.Record())
		}
		c.Node(0).Kill()
		if p := <-vetoed; p.Previous != "left" {
			t.Errorf("the veto was asked about %+v", p)
		}
		c.Node(0).Restart()
		wantPrimary(t, c, 0)
	})
}

// What an edit makes for the test, such as a directory, is there until the last
// node has ended.
func TestNew_OutlivedByWhatEditsMake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var c *agtest.Cluster
		c = agtest.New(t, 2, func(i int, _ *availability.Config) {
			t.Cleanup(func() {
				err := c.Group(i).Pause(context.WithoutCancel(t.Context()), "test")
				if !errors.Is(err, availability.ErrNotRunning) {
					t.Errorf("Pause of node %d: %v, want ErrNotRunning", i, err)
				}
			})
		})
	})
}

// Nodes that find the group by themselves are awaited, those without a
// transport too.
func TestNew_Bootstrap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2, func(_ int, c *availability.Config) {
			c.Bootstrap, c.Transport = availability.BootstrapCreate, nil
		})
		c.Primary(t.Context())
		for i := range 2 {
			if s := c.Group(i).GetNodeState(); s.NodeRole == event.RoleNotInGroup || s.HeartbeatMethod == event.HeartbeatDirect {
				t.Errorf("node %d: %+v", i, s)
			}
		}
	})
}

// A program runs on every node, and again on one that is started again.
func TestCluster_Go(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 3)
		c.Node(2).Stop()
		began, ended := make(chan int, 10), make(chan int, 10)
		c.Go(func(ctx context.Context, i int, g *availability.Group) {
			if g != c.Group(i) {
				t.Errorf("node %d has the group of another run", i)
			}
			began <- i
			<-ctx.Done()
			ended <- i
		})
		want := func(of chan int, want ...int) {
			t.Helper()
			synctest.Wait()
			var got []int
			for range len(of) {
				got = append(got, <-of)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("it is nodes %v, want %v", got, want)
			}
		}
		want(began, 0, 1)
		c.Node(0).Kill()
		want(ended, 0)
		c.Node(1).Stop()
		want(ended, 1)
		c.Node(2).Restart()
		want(began, 2)
		c.Node(0).Restart()
		want(began, 0)
		c.Node(0).Restart()
		want(ended, 0)
		want(began, 0)
	})
}

// A change by hand is made at the store below the faults.
func TestCluster_StoreIsBelowTheFaults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 1)
		if err := c.Group(0).Pause(t.Context(), "test"); err != nil || !strings.Contains(c.String(), ", the group is paused\n") {
			t.Errorf("the report of a paused group (%v) is %s", err, c)
		}
		c.CutStore()
		key := dnsstore.Key{Name: agtest.FQDN, Type: "TXT"}
		if err := c.Store().Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{{Key: key}}}); err != nil {
			t.Fatal(err)
		}
		if got := c.Record(); len(got) > 0 || !strings.Contains(c.String(), "\nrecord: none\n") {
			t.Errorf("the record is %q, want none\n%s", got, c)
		}
		c.HealStore()
		c.AwaitRole(t.Context(), 0, event.RoleNotInGroup)
	})
}

// In real time it is the same group, and a failover takes what it takes.
func TestCluster_RealTime(t *testing.T) {
	t.Parallel()
	c := agtest.New(t, 3)
	worked := make(chan int, 100)
	c.Go(func(ctx context.Context, i int, g *availability.Group) {
		_ = g.RunWhilePrimary(ctx, func(context.Context, uint64) error {
			worked <- i
			return nil
		})
	})
	awaitWork := func(by int) {
		t.Helper()
		c.Await(t.Context(), "the work is done by "+c.Node(by).String(), func() bool {
			for range len(worked) {
				if <-worked == by {
					return true
				}
			}
			return false
		})
	}
	awaitWork(0)
	c.Node(0).Stop()
	next := c.Primary(t.Context())
	awaitWork(next)
	c.Node(next).Kill()
	last := c.Primary(t.Context())
	awaitWork(last)
	c.Node(0).Restart()
	c.AwaitRole(t.Context(), 0, event.RoleSecondary)
}

// A test may end with any fault in force.
func TestCluster_EndsWithFaults(t *testing.T) {
	end := func(t *testing.T) {
		c := agtest.New(t, 4)
		c.Node(0).Freeze()
		c.Node(0).Kill()
		c.Node(0).Restart()
		c.Node(1).Freeze()
		c.Node(2).Isolate()
		c.Node(2).Store().ApplyLate(1, 100*w)
		c.Node(3).Stop()
		c.Link(0, 1).Delay(100 * w)
		c.CutStore()
	}
	t.Run("bubble", func(t *testing.T) { bubble(t, end) })
	t.Run("real time", func(t *testing.T) {
		t.Parallel()
		end(t)
	})
}
