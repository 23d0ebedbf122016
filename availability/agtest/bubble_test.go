package agtest_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/event"
)

// w is the failover period of a group without an edit.
const w = 5 * time.Second

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// pass lets time pass, and all happen that happens at the end of it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// slow is the timing of hosts that have time: W is a minute.
func slow(_ int, c *availability.Config) { c.Settings.Timing = availability.BlueCatTiming() }

func wantPrimary(t *testing.T, c *agtest.Cluster, want int) {
	t.Helper()
	if got := c.Primary(t.Context()); got != want {
		t.Errorf("node %d is Primary, want %d\n%s", got, want, c)
	}
}

func wantHost(t *testing.T, c *agtest.Cluster, want ...string) {
	t.Helper()
	var addrs []netip.Addr
	for _, a := range want {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if diff := cmp.Diff(addrs, c.HostRecord(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("host record mismatch (-want +got):\n%s", diff)
	}
}

// hear returns the events of one kind that a node has told since, when the
// bubble has settled.
func hear[E event.Kind](c *agtest.Cluster, i int) func() []E {
	var mu sync.Mutex
	var heard []E
	event.On(c.Group(i), func(_ context.Context, e E) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, e)
	})
	return func() []E {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(heard)
	}
}

// changes leaves out the present role, which everybody hears first.
func changes(roles func() []event.RoleChange) []event.RoleChange { return roles()[1:] }

// becomes waits until node i tells that it is Primary, to the instant.
func becomes(t *testing.T, c *agtest.Cluster, i int) event.RoleChange {
	t.Helper()
	told := make(chan event.RoleChange, 100)
	unsubscribe := event.On(c.Group(i), func(_ context.Context, e event.RoleChange) { told <- e })
	defer unsubscribe()
	for {
		select {
		case e := <-told:
			if e.New == event.RolePrimary {
				return e
			}
		case <-time.After(time.Hour):
			t.Fatalf("node %d does not become Primary\n%s", i, c)
		}
	}
}
