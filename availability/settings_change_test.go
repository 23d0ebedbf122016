package availability_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
)

// The record names a node whose host has yet to agree: its settings are those of
// the group from then on.
func TestPreconfigure_WhileTheHostIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agree := make(chan struct{})
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.Bootstrap = availability.BootstrapManual
			c.BeforePromote = func(context.Context, availability.Promotion) error { <-agree; return nil }
		})
		created := make(chan error, 1)
		go func() { created <- a.Create(t.Context()) }()
		synctest.Wait()
		refusesToMove(t, a)
		close(agree)
		if err := <-created; err != nil || a.Info().Configuration.GroupFQDN != "svc.lab.test" {
			t.Errorf("Create: %v, in group %q", err, a.Info().Configuration.GroupFQDN)
		}
		l.stop()
	})
}

// The record lists a node that the Primary has yet to confirm.
func TestPreconfigure_WhileTheNodeJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		c := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		l.kill(a)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Join(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Join, with nobody to confirm it: %v", err)
		}
		refusesToMove(t, c)
		if err := c.Preconfigure(availability.Settings{}); err != nil {
			t.Errorf("Preconfigure that changes nothing: %v", err)
		}
		if err := c.Join(t.Context()); err != nil {
			t.Errorf("Join, asked again: %v", err)
		}
		l.heal(a)
		l.stop()
	})
}

func refusesToMove(t *testing.T, n *node) {
	t.Helper()
	err := n.Preconfigure(availability.Settings{GroupFQDN: "other.lab.test"})
	if !errors.Is(err, availability.ErrInGroup) {
		t.Errorf("Preconfigure of another group: %v, want ErrInGroup", err)
	}
	if fqdn := n.Info().Configuration.GroupFQDN; fqdn != "svc.lab.test" {
		t.Errorf("after it the group is %q", fqdn)
	}
}

// A change that the group has refused is no change of the key either.
func TestConfigure_FailsAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l, a, b := pair(t, func(c *availability.Config) {
			c.Store, c.OpenStore = nil, o.open
			c.Settings.TSIGName, c.Settings.TSIGSecret = "key", availability.NewSecret(oldSecret)
		})
		l.cutPeers(a)
		change := availability.Settings{TSIGSecret: availability.NewSecret(newSecret), GroupFQDNTTL: time.Second}
		if err := b.Configure(t.Context(), change); !errors.Is(err, availability.ErrPrimaryUnreachable) {
			t.Fatalf("Configure without the Primary: %v", err)
		}
		first, second := "svc.lab.test key "+oldSecret, "svc.lab.test key "+newSecret
		o.want(t, []string{first, first, second, first}, nil)
		l.heal(a)
		l.stop()
	})
}

// A Secondary may not have read the last change yet: what it does not name
// stays, and what it names is done.
func TestConfigure_OnWhatTheGroupHasNow(t *testing.T) {
	w := func(d time.Duration) availability.Settings {
		return availability.Settings{Timing: availability.Timing{AllowedAbsenceInterval: d}}
	}
	ttl := availability.Settings{GroupFQDNTTL: 3 * time.Second}
	report := availability.Settings{Timing: availability.Timing{HealthReportInterval: 3 * time.Second}}
	for name, tt := range map[string]struct {
		first, then availability.Settings
		want        string
		err         error
	}{
		"another field":     {w(20 * time.Second), ttl, `"w=20s" "r=1s" "c=1s" "ttl=3s"`, nil},
		"what it was":       {w(20 * time.Second), w(10 * time.Second), `"w=10s" "r=1s" "c=1s" "ttl=5s"`, nil},
		"what does not fit": {w(6 * time.Second), report, `"w=6s" "r=1s" "c=1s" "ttl=5s"`, availability.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, a, b := pair(t, func(c *availability.Config) {
					c.Settings.Timing = availability.Timing{AllowedAbsenceInterval: 10 * time.Second, HealthReportInterval: time.Second, HealthCheckInterval: time.Second}
					c.Settings.GroupFQDNTTL = 5 * time.Second
				})
				if err := a.Configure(t.Context(), tt.first); err != nil {
					t.Fatal(err)
				}
				if err := b.Configure(t.Context(), tt.then); !errors.Is(err, tt.err) {
					t.Errorf("Configure: %v, want %v", err, tt.err)
				}
				if got := l.txt().Data[0]; !strings.Contains(got, tt.want) {
					t.Errorf("the record is %s, want %s in it", got, tt.want)
				}
				l.stop()
			})
		})
	}
}

// Of two changes at once neither undoes the other.
func TestConfigure_TwoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := pair(t)
		done := make(chan error)
		for _, s := range []availability.Settings{
			{Timing: availability.Timing{AllowedAbsenceInterval: 2 * time.Minute}}, {GroupFQDNTTL: time.Second},
		} {
			go func() { done <- a.Configure(t.Context(), s) }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		if got := l.txt().Data[0]; !strings.Contains(got, `"w=120s"`) || !strings.Contains(got, `"ttl=1s"`) {
			t.Errorf("the record is %s, want both changes", got)
		}
		l.stop()
	})
}
