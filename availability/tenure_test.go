package availability_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

func TestRunWhilePrimary_OnlyOnThePrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		running := map[string]uint64{}
		work := func(n *node, id string) {
			_ = n.RunWhilePrimary(t.Context(), func(ctx context.Context, term uint64) error {
				if got, ok := availability.TermFromContext(ctx); !ok || got != term {
					t.Errorf("the context has term %d, %v, want %d", got, ok, term)
				}
				running[id] = term
				<-ctx.Done()
				if !errors.Is(context.Cause(ctx), availability.ErrNotPrimary) {
					t.Errorf("the context ended with %v, want ErrNotPrimary", context.Cause(ctx))
				}
				delete(running, id)
				return ctx.Err()
			})
		}
		go work(a, "a")
		go work(b, "b")
		synctest.Wait()
		if len(running) != 1 || running["a"] == 0 {
			t.Fatalf("running %v, want a only", running)
		}
		first := running["a"]
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(running) != 1 || running["b"] <= first {
			t.Fatalf("running %v after the failover, want b only, with a term above %d", running, first)
		}
		l.stop()
		synctest.Wait()
	})
}

func TestRunWhilePrimary_ReturnsTheErrorOfItsTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		broken := errors.New("broken")
		err := a.RunWhilePrimary(t.Context(), func(context.Context, uint64) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("RunWhilePrimary returned %v, want the error of fn", err)
		}
		l.stop()
		if err := a.RunWhilePrimary(t.Context(), func(context.Context, uint64) error { return nil }); !errors.Is(err, availability.ErrNotRunning) {
			t.Errorf("RunWhilePrimary after Run: %v, want ErrNotRunning", err)
		}
	})
}

func TestOnDemote_EndsBeforeAnybodyElseIsPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := false
		l, a, b := pair(t, func(c *availability.Config) {
			c.OnDemote = func(ctx context.Context, _ availability.Demotion) {
				if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > stopBudget {
					t.Errorf("OnDemote has until %v, want at most δ", deadline)
				}
				time.Sleep(2 * time.Second)
				stopped = true
			}
		})
		event.On(b, func(_ context.Context, e event.RoleChange) {
			if e.New == event.RolePrimary && !stopped {
				t.Error("b is Primary while a's OnDemote runs")
			}
		})
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !stopped || !b.IsPrimary() {
			t.Errorf("stopped %v, %s", stopped, l)
		}
		l.stop()
	})
}

func TestHangingHooks_DelayOnlyThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l, a, b := pair(t, func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { <-release }
		})
		event.On(a, func(context.Context, event.RoleChange) { <-release })
		start := time.Now()
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > stopBudget+time.Second {
			t.Errorf("a failover with a hanging OnDemote took %v, want δ = %v", took, stopBudget)
		}
		if !b.IsPrimary() {
			t.Error("b is not Primary")
		}
		close(release)
		l.stop()
	})
}

func TestBeforePromote_VetoGivesTheRecordBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		l := newLab(t)
		a := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		b := l.start(func(c *availability.Config) {
			c.Bootstrap = availability.BootstrapManual
			c.BeforePromote = func(context.Context, availability.Promotion) error {
				if refuse {
					return errors.New("not ready")
				}
				return nil
			}
		})
		if err := errors.Join(a.Create(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := a.Failover(t.Context()); err == nil {
			t.Error("a failover to a node that refuses succeeded")
		}
		l.wait("a has the role again", a.IsPrimary)
		for _, e := range heard[event.RoleChange](b) {
			if e.New == event.RolePrimary {
				t.Error("b showed a role that its host refused")
			}
		}
		refuse = false
		time.Sleep(2 * failoverPeriod)
		if err := a.Failover(t.Context()); err != nil {
			t.Errorf("failover after the cool-down: %v", err)
		}
		l.stop()
	})
}

func TestHealth_AnUnhealthyPrimaryHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sick atomic.Bool
		l, a, b := pair(t, func(c *availability.Config) {
			if c.NodeID == "a" {
				c.Health = func(context.Context) error {
					if sick.Load() {
						return errors.New("disk full")
					}
					return nil
				}
			}
		})
		time.Sleep(failoverPeriod)
		sick.Store(true)
		took := l.wait("b is Primary", b.IsPrimary)
		if took > 3*reportInterval {
			t.Errorf("the handover of an unhealthy Primary took %v", took)
		}
		if a.GetNodeState().Healthy {
			t.Error("a says healthy")
		}
		if err := b.Failover(t.Context()); !errors.Is(err, availability.ErrNoTarget) {
			t.Errorf("failover to an unhealthy node: %v, want ErrNoTarget", err)
		}
		l.stop()
	})
}
