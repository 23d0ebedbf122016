package availability_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"
)

// named makes a node of another group.
func named(fqdn string, net *transport.Memory) func(*availability.Config) {
	return func(c *availability.Config) {
		c.Settings.GroupFQDN = fqdn
		c.Transport = net.Node(c.NodeID)
		c.Bootstrap = availability.BootstrapManual
	}
}

func TestTwoGroups_DoNotKnowOfEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		one, two := named("one.lab.test", transport.NewMemory()), named("two.lab.test", transport.NewMemory())
		a, b := l.start(one), l.start(one)
		c, d := l.start(two), l.start(two)
		err := errors.Join(a.Create(t.Context()), c.Create(t.Context()), b.Join(t.Context()), d.Join(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * failoverPeriod)
		if !a.IsPrimary() || !c.IsPrimary() {
			t.Fatalf("two groups: %s", l)
		}
		if err := a.Dissolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !c.IsPrimary() || len(c.Info().Members) != 2 {
			t.Errorf("dissolving one group changed the other: %s", l)
		}
		host, err := l.store.Lookup(t.Context(), dnsstore.Key{Name: "one.lab.test", Type: "A"})
		if err != nil || len(host.Data) > 0 {
			t.Errorf("a dissolved group's host record is %v, %v; want none", host.Data, err)
		}
		l.stop()
	})
}

func TestVerbs_OutsideOfRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		c := l.config(0)
		c.Store = l.store
		c.Bootstrap = availability.BootstrapManual
		g, err := availability.New(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Create(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Create before Run: %v, want that it waits as long as its context lasts", err)
		}
		created := make(chan error, 1)
		go func() { created <- g.Create(t.Context()) }()
		run, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(run) }()
		if err := <-created; err != nil {
			t.Errorf("Create that waited for Run: %v", err)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if g.IsPrimary() {
			t.Error("Primary after Run")
		}
		for name, err := range map[string]error{
			"Create": g.Create(t.Context()), "Join": g.Join(t.Context()), "Leave": g.Leave(t.Context()),
			"Dissolve": g.Dissolve(t.Context()), "Failover": g.Failover(t.Context()), "Remove": g.Remove(t.Context(), "b"),
			"Pause": g.Pause(t.Context(), ""), "Resume": g.Resume(t.Context()),
		} {
			if !errors.Is(err, availability.ErrNotRunning) {
				t.Errorf("%s after Run: %v, want ErrNotRunning", name, err)
			}
		}
		if err := g.Run(t.Context()); !errors.Is(err, availability.ErrRunTwice) {
			t.Errorf("second Run: %v, want ErrRunTwice", err)
		}
	})
}

func TestVerbs_RefusedInTheWrongState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		c := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		ctx := t.Context()
		for _, test := range []struct {
			name string
			err  error
			want error
		}{
			{"Create in a group", a.Create(ctx), availability.ErrInGroup},
			{"Create of a second one", c.Create(ctx), availability.ErrGroupExists},
			{"Leave of an outsider", c.Leave(ctx), availability.ErrNotInGroup},
			{"Dissolve by an outsider", c.Dissolve(ctx), availability.ErrNotInGroup},
			{"Failover to nobody", a.Failover(ctx, availability.To("z")), availability.ErrUnknownMember},
			{"Failover to nobody, asked of a Secondary", b.Failover(ctx, availability.To("z")), availability.ErrUnknownMember},
			{"Remove of nobody", b.Remove(ctx, "z"), availability.ErrUnknownMember},
			{"Force while the Primary answers", b.Failover(ctx, availability.Force("try")), availability.ErrPrimaryAlive},
			{"Preconfigure in a group", a.Preconfigure(availability.Settings{GroupFQDN: "x.lab.test"}), availability.ErrInGroup},
		} {
			if !errors.Is(test.err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, test.err, test.want)
			}
		}
		if err := b.Failover(ctx, availability.Force("")); err == nil {
			t.Error("Force without a reason succeeded")
		}
		if err := b.Leave(ctx); err != nil {
			t.Error(err)
		}
		if err := a.Leave(ctx); !errors.Is(err, availability.ErrNoTarget) {
			t.Errorf("Leave of the only member: %v, want ErrNoTarget", err)
		}
		l.stop()
	})
}

func TestForce_TakesAtOnceFromADeadPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.kill(a)
		began := time.Now()
		if err := b.Failover(t.Context(), availability.Force("the machine is on fire")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 10*time.Second || !b.IsPrimary() {
			t.Errorf("forced failover took %v; Primary %v", took, b.IsPrimary())
		}
		l.stop()
	})
}

func TestConfigure_ChangesTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		err := b.Configure(t.Context(), availability.Settings{Timing: availability.FastTiming(), GroupFQDNTTL: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		l.wait("both nodes have the new timings", func() bool {
			return a.Info().Configuration.AllowedAbsenceInterval == 5*time.Second &&
				b.Info().Configuration.AllowedAbsenceInterval == 5*time.Second
		})
		if err := a.Configure(t.Context(), availability.Settings{GroupFQDN: "other.lab.test"}); err == nil {
			t.Error("the name of a group was changed")
		}
		if err := a.Configure(t.Context(), availability.Settings{ExternalIPv4Address: netip.MustParseAddr("192.0.2.99")}); err == nil {
			t.Error("the address of a node in a group was changed")
		}
		time.Sleep(time.Minute)
		l.kill(a)
		took := l.wait("b has taken over", b.IsPrimary)
		if took > 6*time.Second {
			t.Errorf("with W = 5 s the takeover took %v", took)
		}
		l.stop()
	})
}

func TestPreconfigure_ThenCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.NodeID, c.Settings, c.Bootstrap, c.Transport = "", availability.Settings{}, availability.BootstrapManual, nil
		})
		var mistakes *availability.ConfigError
		if err := a.Create(t.Context()); !errors.As(err, &mistakes) {
			t.Fatalf("Create without settings: %v, want a ConfigError", err)
		}
		err := a.Preconfigure(availability.Settings{
			GroupFQDN: "Late.Lab.Test.", ExternalIPv4Address: netip.MustParseAddr("192.0.2.7"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := a.GetNodeState(); s.NodeID != "192.0.2.7" || !a.IsPrimary() {
			t.Errorf("after Create: %+v", s)
		}
		l.stop()
	})
}

func TestSettings_DefaultsAreNotKept(t *testing.T) {
	c := availability.Config{StateDir: t.TempDir(), Store: dnsstore.NewMemory()}
	g, err := availability.New(c)
	if err != nil {
		t.Fatal(err)
	}
	fast := availability.Settings{Timing: availability.Timing{AllowedAbsenceInterval: 5 * time.Second}}
	if err := g.Preconfigure(fast); err != nil {
		t.Fatalf("a short W alone: %v; the other intervals were never set", err)
	}
	again, err := availability.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Info().Configuration; got.AllowedAbsenceInterval != 5*time.Second || got.HealthReportInterval != 1666*time.Millisecond {
		t.Errorf("after a restart: %+v", got.Timing)
	}
}
