package availability_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
)

// slowProbe is a store whose server takes its time to be looked at, and none
// for what follows.
type slowProbe struct {
	dnsstore.Store
	takes time.Duration
}

func (s slowProbe) Probe(ctx context.Context, _ string) error {
	select {
	case <-time.After(s.takes):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A probe is a dozen of round trips: it must not take the time of the update
// that follows it, whose end would then be unknown.
func TestCreate_ProbeHasItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		const operation = time.Minute / 15 * 2 / 3 // what one update has
		a := l.start(func(c *availability.Config) {
			c.Bootstrap, c.Store = availability.BootstrapManual, slowProbe{c.Store, 9 * operation}
		})
		if err := a.Create(t.Context()); err != nil {
			t.Errorf("Create after a slow probe: %v", err)
		}
		l.stop()
	})
}

// Why a peer does not answer is told, once and then at every doubling.
func TestLog_PeerDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l, a, _ := pair(t, func(c *availability.Config) {
			if c.NodeID == "a" {
				c.Logger = slog.New(slog.NewTextHandler(&out, nil))
			}
		})
		l.wait("the heartbeats go directly", func() bool { return a.GetNodeState().HeartbeatMethod == "direct" })
		l.net.Cut("a", "b")
		time.Sleep(10 * time.Minute)
		l.stop()
		told := strings.Count(out.String(), `msg="a peer does not answer" peer=b`)
		if told < 2 || told > 12 {
			t.Errorf("told %d times in ten minutes, want the first and the doublings:\n%s", told, out.String())
		}
	})
}
