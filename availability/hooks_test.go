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

// The health turns after three equal answers in a row, each due every R/2; one
// that hangs or panics is an error, and delays nothing else.
func TestHealth_RisesAndFalls(t *testing.T) {
	for name, sick := range map[string]func(ctx context.Context) error{
		"an error": func(context.Context) error { return errors.New("disk full") },
		"a hang":   func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
		"a panic":  func(context.Context) error { panic("no disk") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ill atomic.Bool
				l, a, _ := pair(t, func(c *availability.Config) {
					c.Health = func(ctx context.Context) error {
						if ill.Load() && c.NodeID == "a" {
							return sick(ctx)
						}
						return nil
					}
				})
				healthy := func() bool { return a.GetNodeState().Healthy }
				time.Sleep(failoverPeriod)
				ill.Store(true)
				time.Sleep(reportInterval)
				if !healthy() {
					t.Error("unhealthy after two answers")
				}
				l.wait("a is unhealthy", func() bool { return !healthy() })
				l.wait("b is Primary", l.nodes[1].IsPrimary)
				ill.Store(false)
				time.Sleep(reportInterval)
				if healthy() {
					t.Error("healthy again after two answers")
				}
				l.wait("a is healthy", healthy)
				if err := a.Failover(t.Context()); err != nil {
					t.Errorf("Failover to a healthy node: %v", err)
				}
				l.stop()
			})
		})
	}
}

// An unhealthy node leaves a dead Primary's place to others, and takes it when
// it is well.
func TestHealth_AnUnhealthyNodeDoesNotTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ill atomic.Bool
		ill.Store(true)
		l, a, b := pair(t, func(c *availability.Config) {
			if c.NodeID == "b" {
				c.Health = func(context.Context) error {
					if ill.Load() {
						return errors.New("disk full")
					}
					return nil
				}
			}
		})
		l.wait("b is unhealthy", func() bool { return !b.GetNodeState().Healthy })
		l.kill(a)
		time.Sleep(5 * failoverPeriod)
		if b.IsPrimary() {
			t.Error("an unhealthy node has taken over")
		}
		ill.Store(false)
		l.wait("b is Primary", b.IsPrimary)
		l.heal(a)
		l.stop()
	})
}

// Hooks that panic change nothing for anybody else: a BeforePromote that does
// is a veto, an OnDemote or a handler that does has ended.
func TestHooks_ThatPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		l, a, b := pair(t, func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { panic("demote") }
			if c.NodeID == "b" {
				c.BeforePromote = func(context.Context, availability.Promotion) error {
					if broken.Load() {
						panic("promote")
					}
					return nil
				}
			}
		})
		event.On(a, func(context.Context, event.RoleChange) { panic("handler") })
		broken.Store(true)
		if err := a.Failover(t.Context()); err == nil {
			t.Error("a failover to a node that panics succeeded")
		}
		l.wait("a has the role again", a.IsPrimary)
		broken.Store(false)
		time.Sleep(2 * failoverPeriod)
		began := time.Now()
		if err := a.Failover(t.Context()); err != nil || !b.IsPrimary() {
			t.Errorf("Failover: %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("a panic has delayed the failover: %v", took)
		}
		if a.Stats().HandlerPanics == 0 || b.Stats().HandlerPanics == 0 {
			t.Errorf("panics are not counted: %d, %d", a.Stats().HandlerPanics, b.Stats().HandlerPanics)
		}
		l.stop()
	})
}

// A verb whose caller gives up returns at once, and leaves a state that the
// next one can go on from.
func TestVerbs_ThatAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.cutPeers(b)
		for name, verb := range map[string]func(ctx context.Context) error{
			"pause":    func(ctx context.Context) error { return b.Pause(ctx, "work") },
			"failover": func(ctx context.Context) error { return b.Failover(ctx) },
			"remove":   func(ctx context.Context) error { return b.Remove(ctx, "x") },
			"dissolve": b.Dissolve,
			"configure": func(ctx context.Context) error {
				return b.Configure(ctx, availability.Settings{GroupFQDNTTL: 7 * time.Second})
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			began := time.Now()
			err := verb(ctx)
			cancel()
			if took := time.Since(began); took > 10*time.Millisecond || err == nil {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		}
		l.heal(b)
		l.wait("heartbeats go directly", func() bool { return a.GetNodeState().HeartbeatMethod == event.HeartbeatDirect })
		if a.GetNodeState().Paused || !a.IsPrimary() {
			t.Errorf("what was given up came true: %s", l)
		}
		if err := b.Failover(t.Context()); err != nil || !b.IsPrimary() {
			t.Errorf("Failover after it: %v", err)
		}
		l.stop()
	})
}

// What is true already succeeds again, but for what makes a group or enters or
// leaves one.
func TestVerbs_Twice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		c := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		ttl := availability.Settings{GroupFQDNTTL: 7 * time.Second}
		for _, verb := range []struct {
			name string
			do   func(ctx context.Context) error
			want error
		}{
			{"pause", func(ctx context.Context) error { return b.Pause(ctx, "work") }, nil},
			{"resume", b.Resume, nil},
			{"configure", func(ctx context.Context) error { return b.Configure(ctx, ttl) }, nil},
			{"failover", func(ctx context.Context) error { return b.Failover(ctx, availability.To("b")) }, nil},
			{"create", func(ctx context.Context) error { return c.Create(ctx) }, availability.ErrGroupExists},
			{"join", c.Join, availability.ErrInGroup},
			{"remove", func(ctx context.Context) error { return a.Remove(ctx, "c") }, availability.ErrUnknownMember},
			{"leave", a.Leave, availability.ErrNotInGroup},
			{"dissolve", b.Dissolve, availability.ErrNotInGroup},
		} {
			first, second := verb.do(t.Context()), verb.do(t.Context())
			if verb.name == "create" {
				first = nil
			}
			if first != nil || !errors.Is(second, verb.want) {
				t.Errorf("%s: %v, then %v, want %v", verb.name, first, second, verb.want)
			}
		}
		l.stop()
	})
}
