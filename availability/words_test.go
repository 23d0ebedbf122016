package availability_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

// logged has a node log into notes.
func logged(id string, log *notes) func(*availability.Config) {
	return edited(id, func(c *availability.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) })
}

// lines are the lines of a log that have all of the words.
func (n *notes) lines(words ...string) []string {
	var found []string
	for line := range strings.Lines(n.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			found = append(found, line)
		}
	}
	return found
}

// A reason, or an ID, that no message holds is refused where it is given.
func TestVerbs_RefuseWhatIsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, b := pair(t)
		long := strings.Repeat("x", 1025)
		for name, err := range map[string]error{
			"pause":          b.Pause(t.Context(), long),
			"force":          b.Failover(t.Context(), availability.Force(long)),
			"force, blank":   b.Failover(t.Context(), availability.Force(" \t\n")),
			"failover":       b.Failover(t.Context(), availability.To(long)),
			"remove":         b.Remove(t.Context(), long),
			"remove, by one": b.Remove(t.Context(), long[:64]),
		} {
			if !errors.Is(err, availability.ErrBadRequest) {
				t.Errorf("%s: %v, want ErrBadRequest", name, err)
			}
		}
		if err := b.Remove(t.Context(), long[:63]); !errors.Is(err, availability.ErrUnknownMember) {
			t.Errorf("remove of an ID that may be: %v", err)
		}
		if err := b.Pause(t.Context(), long[:1024]); err != nil {
			t.Errorf("pause with as long a reason as may be: %v", err)
		}
		l.stop()
	})
}

// Who pauses the group says why, here and at the Primary.
func TestPause_LogsItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs := map[string]*notes{"a": {}, "b": {}}
		l, a, b := pair(t, logged("a", logs["a"]), logged("b", logs["b"]))
		for _, n := range []*node{a, b} {
			if err := n.Pause(t.Context(), "why-"+n.GetNodeState().NodeID); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for _, tt := range []struct {
			at, by string
			want   int
		}{{"a", "a", 1}, {"a", "b", 1}, {"b", "b", 1}, {"b", "a", 0}} {
			if got := logs[tt.at].lines("level=INFO", "msg=paused", "by="+tt.by, "reason=why-"+tt.by); len(got) != tt.want {
				t.Errorf("%s has logged the reason of %s %d times, want %d:\n%s", tt.at, tt.by, len(got), tt.want, logs[tt.at])
			}
		}
		l.stop()
	})
}

// A server that reads and does not write has one row of failures, though its
// reads are good.
func TestLog_WritesThatAreRefusedAreOneRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notes{}
		l, a, _ := pair(t, logged("a", log))
		a.faulty.Refuse(dnsstore.ErrRefused)
		time.Sleep(10 * failoverPeriod)
		if got := log.lines("what=write", "failures=1 "); len(got) != 1 {
			t.Errorf("the first failure of a row was logged %d times, want once:\n%s", len(got), strings.Join(got, ""))
		}
		if got := log.lines("what=write", "failures=4 "); len(got) != 1 {
			t.Errorf("the fourth one was logged %d times, want once", len(got))
		}
		a.faulty.Heal()
		l.stop()
	})
}

// Nodes that create their group by themselves do not create one that was
// dissolved, and say so.
func TestBootstrapCreate_SaysThatTheGroupWasDissolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notes{}
		l, a, b := pair(t)
		if err := a.Dissolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := l.start(logged("c", log))
		time.Sleep(10 * failoverPeriod)
		if role := c.GetNodeState().NodeRole; role != event.RoleNotInGroup {
			t.Errorf("c is %s in a group that was dissolved", role)
		}
		if got := log.lines("level=WARN", "was dissolved"); len(got) != 1 {
			t.Errorf("c has said so %d times, want once:\n%s", len(got), log)
		}
		_ = b
		l.stop()
	})
}

// A hook that panics or hangs is named.
func TestLog_NamesHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, release := &notes{}, make(chan struct{})
		l, a, b := pair(t, logged("a", log), edited("a", func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { <-release }
			c.BeforePromote = func(context.Context, availability.Promotion) error { return nil }
		}), edited("b", func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { panic("here") }
		}), logged("b", log))
		a.cancel()
		<-a.Done()
		if got := log.lines("a hook has not returned", "op=OnDemote"); len(got) != 1 {
			t.Errorf("the hook that hangs was named %d times:\n%s", len(got), log)
		}
		l.wait("b is Primary", b.IsPrimary)
		b.cancel()
		<-b.Done()
		if got := log.lines("a hook panicked", "op=OnDemote", "words_test.go"); len(got) != 1 {
			t.Errorf("the panic was logged with its place %d times:\n%s", len(got), log)
		}
		close(release)
		l.stop()
	})
}

// A verb whose context ends before Run says both: what it waited for, and why it
// does no more.
func TestVerbs_BeforeRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c := l.config(0)
	c.Store = l.store
	g, err := availability.New(c)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := g.Pause(ctx, ""); !errors.Is(err, availability.ErrNotRunning) || !errors.Is(err, gone) {
		t.Errorf("Pause: %v, want ErrNotRunning and %v", err, gone)
	}
}
