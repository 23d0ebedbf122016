package agtest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/event"
)

// observed is a test that is watched as it fails.
type observed struct {
	testing.TB
	failure string
}

func (o *observed) Helper() {}

func (o *observed) Errorf(format string, args ...any) { o.failure += fmt.Sprintf(format, args...) }

func (o *observed) Fatalf(format string, args ...any) {
	o.Errorf(format, args...)
	runtime.Goexit()
}

// fails runs what has to fail, and returns the text.
func fails(t *testing.T, do func(t *observed)) string {
	t.Helper()
	o := &observed{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(o)
	}()
	<-done
	if o.failure == "" {
		t.Error("it did not fail")
	}
	return o.failure
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(t *observed)
		want string
	}{
		"no nodes":          {func(t *observed) { agtest.New(t, 0) }, "0 nodes, want 1 to 26"},
		"too many nodes":    {func(t *observed) { agtest.New(t, 27) }, "27 nodes, want 1 to 26"},
		"no such node":      {func(t *observed) { agtest.New(t, 2).Node(2) }, "node 2, there are 0 to 1"},
		"no such group":     {func(t *observed) { agtest.New(t, 2).Group(-1) }, "node -1, there are 0 to 1"},
		"no such link":      {func(t *observed) { agtest.New(t, 2).Link(0, 2) }, "node 2, there are 0 to 1"},
		"clock at rest":     {func(t *observed) { agtest.New(t, 1).Node(0).Skew(0) }, "a rate of 0"},
		"clock at no rate":  {func(t *observed) { agtest.New(t, 1).Node(0).Skew(math.NaN()) }, "a rate of NaN"},
		"step to long past": {func(t *observed) { agtest.New(t, 1).Node(0).StepClock(-120 * 365 * 24 * time.Hour) }, "2000-01-01 00:00:00 +0000 UTC, cannot be stepped by -1051200h0m0s"},
		"no name": {func(t *observed) {
			agtest.New(t, 2, func(_ int, c *availability.Config) { c.NodeID = "" })
		}, "node 0 has no NodeID"},
		"bad settings": {func(t *observed) {
			agtest.New(t, 2, func(i int, c *availability.Config) { c.Settings.ExternalPort, c.Priority = 80, 100000*i })
		}, "agtest: node 1 (b): availability: wrong configuration: priority: must be at most 65535"},
		"one ID for two": {func(t *observed) {
			agtest.New(t, 2, func(_ int, c *availability.Config) { c.NodeID = "x" })
		}, "node 1 (x) does not get into the group: join: availability: the group has a member of this ID: "},
		"never a member": {func(t *observed) {
			agtest.New(t, 2, func(i int, c *availability.Config) {
				if c.Bootstrap = availability.BootstrapJoin; i == 0 {
					c.Priority = -1
				}
			})
		}, "waited in vain for 2m10s until node 0 (a) is a member: context deadline exceeded\nnode 0 (a): not_in_group\n"},
		"in vain for a short time": {func(t *observed) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			agtest.New(t, 1).Await(ctx, "pigs fly", func() bool { return false })
		}, "waited in vain for 1s until pigs fly: context deadline exceeded\nnode 0 (a): primary, "},
		"role": {func(t *observed) {
			c := agtest.New(t, 2)
			c.Node(1).Stop()
			c.AwaitRole(t.Context(), 1, event.RoleSecondary)
		}, "until node 1 (b) is secondary: context deadline exceeded\nnode 0 (a): primary, "},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				if got := fails(t, tt.do); !strings.Contains(got, tt.want) {
					t.Errorf("it failed with %q, want %q in it", got, tt.want)
				}
			})
		})
	}
}

// An error of Run fails the test that stops the node, and is in the report.
func TestNode_StopTellsTheError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		locked := func(_ int, c *availability.Config) { c.StateDir = dir }
		report := ""
		got := fails(t, func(t *observed) {
			c := agtest.New(t, 1, locked)
			ended := make(chan struct{}, 2)
			c.Go(func(ctx context.Context, _ int, _ *availability.Group) {
				<-ctx.Done()
				ended <- struct{}{}
			})
			c.Node(0).Stop()
			agtest.New(t, 1, locked) // has the directory now
			c.Node(0).Restart()
			if synctest.Wait(); len(ended) != 2 {
				t.Errorf("%d runs of the program have ended, want 2", len(ended))
			}
			c.Node(0).Stop()
			report = c.String()
		})
		if want := "agtest: Run of node 0 (a): availability: the state directory is in use: "; !strings.HasPrefix(got, want) {
			t.Errorf("it failed with %q, want %q", got, want)
		}
		if want := "node 0 (a): Run has failed: availability: the state directory is in use: "; !strings.HasPrefix(report, want) {
			t.Errorf("the report is %q, want it to begin with %q", report, want)
		}
	})
}

// Who waits for a Primary that does not come is told how all nodes are, which
// faults they have, what the record says and what has happened.
func TestReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := fails(t, func(t *observed) {
			c := agtest.New(t, 6, func(i int, c *availability.Config) {
				switch i {
				case 2:
					c.BeforePromote = func(context.Context, availability.Promotion) error { return errors.New("the disk is full") }
				case 3:
					c.Health = func(context.Context) error { return errors.New("out of memory") }
				case 4, 5:
					c.Priority = -1
				}
			})
			pass(time.Minute)
			c.Node(4).Stop()
			c.Node(5).Freeze()
			c.Node(1).Isolate()
			c.Node(2).StepClock(-time.Hour)
			c.Node(2).Skew(1.1)
			c.Link(2, 3).Delay(time.Millisecond)
			c.Node(0).Kill()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			c.Primary(ctx)
		})
		state, events, _ := strings.Cut(got, "\nlast events:\n")
		state = regexp.MustCompile(`( group=| nonce=| run=| at=|term[ =])[^ ,]+`).ReplaceAllString(state, "$1…")
		state = regexp.MustCompile(`heartbeats \w+, the last one \S+ ago`).ReplaceAllString(state, "heartbeats …")
		if diff := cmp.Diff(wantState, state); diff != "" {
			t.Errorf("state mismatch (-want +got):\n%s", diff)
		}
		for _, want := range []string{
			` c: failover a -> c \(primary_lost\) failed: vetoed by the host: the disk is full\n`,
			`\t +(8|9|10)(\.\d+)?s ago  c: the clock of the DNS server is (59m59|1h0m0)\S*s ahead\n`,
			` d: hears nothing of a\n`, ` d: unhealthy: out of memory\n`,
		} {
			if !regexp.MustCompile(want).MatchString(events) {
				t.Errorf("no %q in the events:\n%s", want, events)
			}
		}
		if told := regexp.MustCompile(`\t +[0-9.]+m?s ago  a:.*`).FindString(events); told != "" {
			t.Errorf("a was dead when it told %q", told)
		}
		if n := strings.Count(events, "\n"); n != 19 {
			t.Errorf("%d events, want 20:\n%s", n+1, events)
		}
	})
}

// A node that has heard nobody since its start has no last heartbeat.
func TestReport_NoHeartbeatYet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2, func(i int, c *availability.Config) { c.Priority = -i })
		c.Node(1).Kill()
		c.Node(0).Stop()
		c.Node(1).Restart()
		c.AwaitRole(t.Context(), 1, event.RoleSecondary)
		want := regexp.MustCompile(`(?m)^node 1 \(b\): secondary, .*, DNS connected, no heartbeat yet$`)
		if got := c.String(); !want.MatchString(got) {
			t.Errorf("the report does not say so:\n%s", got)
		}
	})
}

const wantState = `agtest: waited in vain for 10s until there is a Primary: context deadline exceeded
node 0 (a): killed
	faults: its messages to b are lost
node 1 (b): secondary, term …, Primary a, DNS disconnected, heartbeats …
	faults: cut off from the store; its messages to a, c, d, e, f are lost
node 2 (c): secondary, term …, Primary nobody, DNS connected, heartbeats …
	faults: its link to d takes 1ms; its messages to b are lost; its clocks run at a rate of 1.1; its wall clock was stepped by -1h0m0s
node 3 (d): secondary, term …, Primary nobody, DNS connected, heartbeats …, not healthy
	faults: its messages to b are lost
node 4 (e): stopped
	faults: its messages to b are lost
node 5 (f): frozen, secondary, term …, Primary a, DNS connected, heartbeats …
	faults: its messages to b are lost
record: ag=1 group=… term=… seq=1 nonce=… primary=- run=… by=c at=… w=5s r=1s c=1s ttl=2500ms ` +
	`m=a,https,443,100,192.0.2.1, m=b,https,443,100,192.0.2.2, m=c,https,443,100,192.0.2.3, ` +
	`m=d,https,443,100,192.0.2.4, m=e,https,443,0,192.0.2.5, m=f,https,443,0,192.0.2.6,`
