package availability_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"
)

// opener opens stores over one memory, and keeps what it was asked for.
type opener struct {
	below *dnsstore.Memory

	mu     sync.Mutex
	fail   error // guarded by mu
	opened []string
	closed []string
}

type openedStore struct {
	dnsstore.Store
	o    *opener
	name string
}

func (s *openedStore) Close() error {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	s.o.closed = append(s.o.closed, s.name)
	return nil
}

func (o *opener) open(a dnsstore.Access) (dnsstore.Store, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return nil, o.fail
	}
	name := a.FQDN + " " + a.TSIGName + " " + a.TSIGSecret.Reveal()
	o.opened = append(o.opened, name)
	return &openedStore{Store: o.below, o: o, name: name}, nil
}

func (o *opener) set(fail error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = fail
}

// want compares what was opened and closed so far.
func (o *opener) want(t *testing.T, opened, closed []string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if diff := cmp.Diff(opened, o.opened); diff != "" {
		t.Errorf("opened: mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(closed, o.closed); diff != "" {
		t.Errorf("closed: mismatch (-want +got):\n%s", diff)
	}
}

const (
	oldSecret = "b2xkIHNlY3JldCBvZiAzMiBvY3RldHMgb3IgbW9yZSE="
	newSecret = "bmV3IHNlY3JldCBvZiAzMiBvY3RldHMgb3IgbW9yZSE="
)

// A program without a configuration is given one by its operator, and makes a
// group in a store that is opened then, with the key of then; a new key opens
// it anew. Whatever was opened is closed in the end.
func TestOpenStore_AtRunTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.Settings, c.Bootstrap = availability.Settings{}, availability.BootstrapManual
			c.Store, c.OpenStore = nil, o.open
		})
		synctest.Wait()
		o.want(t, nil, nil)
		mistakes := &availability.ConfigError{}
		if err := a.Create(t.Context()); !errors.As(err, &mistakes) {
			t.Errorf("Create without settings: %v", err)
		}
		s := availability.Settings{
			GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("192.0.2.1"),
			TSIGName: "key", TSIGSecret: availability.NewSecret(oldSecret),
		}
		if err := a.Preconfigure(s); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("no such server")
		o.set(broken)
		if err := a.Create(t.Context()); !errors.Is(err, broken) || a.IsPrimary() {
			t.Errorf("Create without a store: %v, want %v", err, broken)
		}
		o.set(nil)
		if err := a.Create(t.Context()); err != nil || !a.IsPrimary() {
			t.Fatalf("Create: %v", err)
		}
		first, second := "svc.lab.test key "+oldSecret, "svc.lab.test key "+newSecret
		o.want(t, []string{first}, nil)
		if err := a.Configure(t.Context(), availability.Settings{TSIGSecret: availability.NewSecret(newSecret)}); err != nil {
			t.Errorf("Configure: %v", err)
		}
		o.want(t, []string{first, second}, nil)
		if err := a.Preconfigure(s); !errors.Is(err, availability.ErrInGroup) {
			t.Errorf("Preconfigure within a group: %v", err)
		}
		if _, err := a.VerifyPrimary(t.Context()); err != nil {
			t.Errorf("VerifyPrimary with the new key: %v", err)
		}
		l.stop()
		o.want(t, []string{first, second}, []string{first, second})
	})
}

// A node whose new key cannot be used goes on with the old one.
func TestOpenStore_ANewKeyThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.Store, c.OpenStore = nil, o.open
			c.Settings.TSIGName, c.Settings.TSIGSecret = "key", availability.NewSecret(oldSecret)
		})
		l.wait("a is Primary", a.IsPrimary)
		broken := errors.New("no such key")
		o.set(broken)
		err := a.Configure(t.Context(), availability.Settings{TSIGSecret: availability.NewSecret(newSecret)})
		if !errors.Is(err, broken) {
			t.Errorf("Configure: %v, want %v", err, broken)
		}
		if _, err := a.VerifyPrimary(t.Context()); err != nil || !a.IsPrimary() {
			t.Errorf("after the failure: VerifyPrimary %v, Primary %t", err, a.IsPrimary())
		}
		l.stop()
		o.want(t, []string{"svc.lab.test key " + oldSecret}, []string{"svc.lab.test key " + oldSecret})
	})
}

// Several groups, made at run time, live side by side over one store.
func TestOpenStore_SeveralGroupsAtRunTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l := newLab(t)
		names := []string{"one.lab.test", "two.lab.test", "three.lab.test"}
		for i, name := range names {
			n := l.start(func(c *availability.Config) {
				c.NodeID, c.Settings.GroupFQDN = "a", name
				c.Settings.ExternalIPv4Address = netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})
				c.Bootstrap, c.Transport = availability.BootstrapManual, nil
				c.Store, c.OpenStore = nil, o.open
			})
			if err := n.Create(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for i, n := range l.nodes {
			if info := n.Info(); !n.IsPrimary() || info.Configuration.GroupFQDN != names[i] {
				t.Errorf("%s: %+v", names[i], info)
			}
		}
		l.stop()
	})
}

// A Primary that VerifyPrimary finds out stops at once, not at its next renewal.
func TestVerifyPrimary_TheGroupLooksToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.cutPeers(a)
		if err := b.Failover(t.Context(), availability.Force("a is dead, they say")); err != nil {
			t.Fatal(err)
		}
		if !a.IsPrimary() {
			t.Fatal("a knows already")
		}
		if _, err := a.VerifyPrimary(t.Context()); !errors.Is(err, availability.ErrNotPrimary) {
			t.Errorf("VerifyPrimary: %v", err)
		}
		synctest.Wait()
		if a.IsPrimary() {
			t.Error("a goes on")
		}
		l.heal(a)
		l.stop()
	})
}

// VerifyPrimary believes the record, nothing else.
func TestVerifyPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		outside := l.start(func(c *availability.Config) {
			c.Settings.GroupFQDN, c.Bootstrap = "other.lab.test", availability.BootstrapManual
		})
		synctest.Wait()
		verify := func(name string, n *node, want error) {
			t.Helper()
			term, err := n.VerifyPrimary(t.Context())
			if !errors.Is(err, want) || (want == nil) != (term == n.GetNodeState().Term && term > 0) {
				t.Errorf("%s: %d, %v, want %v", name, term, err, want)
			}
		}
		verify("on the Primary", a, nil)
		verify("on the Secondary", b, availability.ErrNotPrimary)
		verify("outside", outside, availability.ErrNotInGroup)
		a.faulty.Fail(errors.New("connection refused"))
		verify("without the store", a, availability.ErrStoreUnreachable)
		a.faulty.Fail(nil)
		k := dnsstore.Key{Name: "svc.lab.test", Type: "TXT"}
		was, err := l.store.Lookup(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.store.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{{Key: k}}}); err != nil {
			t.Fatal(err)
		}
		verify("with the record deleted", a, availability.ErrNotPrimary)
		if err := l.store.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{was}}); err != nil {
			t.Fatal(err)
		}
		a.faulty.Cut()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.VerifyPrimary(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		a.faulty.Heal()
		l.stop()
		verify("after Run", a, availability.ErrNotPrimary)
	})
}

// A verb that opens a store while Run ends finds that it has ended, and closes
// what it has opened.
func TestOpenStore_WhileRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l := newLab(t)
		release := make(chan struct{})
		a := l.start(func(c *availability.Config) {
			c.Bootstrap = availability.BootstrapManual
			c.Store, c.OpenStore = nil, func(a dnsstore.Access) (dnsstore.Store, error) {
				if a.FQDN == "other.lab.test" {
					<-release
				}
				return o.open(a)
			}
		})
		synctest.Wait()
		if err := a.Preconfigure(availability.Settings{GroupFQDN: "other.lab.test"}); err != nil {
			t.Fatal(err)
		}
		created := make(chan error, 1)
		go func() { created <- a.Create(t.Context()) }()
		synctest.Wait()
		l.stop()
		close(release)
		if err := <-created; !errors.Is(err, availability.ErrNotRunning) {
			t.Errorf("Create: %v, want ErrNotRunning", err)
		}
		both := []string{"svc.lab.test  ", "other.lab.test  "}
		o.want(t, both, both)
	})
}

// particular is a transport for one group only.
type particular struct{ transport.Transport }

func (particular) SetAddress(group, _ string) error {
	if group != "svc.lab.test" {
		return errors.New("this transport is for another group")
	}
	return nil
}

// A store that was opened is closed if the transport will not have the group.
func TestOpenStore_WithoutItsTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opener{below: dnsstore.NewMemory()}
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.Bootstrap, c.Store, c.OpenStore = availability.BootstrapManual, nil, o.open
			c.Transport = particular{c.Transport}
		})
		synctest.Wait()
		if err := a.Preconfigure(availability.Settings{GroupFQDN: "other.lab.test"}); err != nil {
			t.Fatal(err)
		}
		if err := a.Create(t.Context()); err == nil {
			t.Error("Create of a group that the transport is not for succeeded")
		}
		o.want(t, []string{"svc.lab.test  ", "other.lab.test  "}, []string{"other.lab.test  "})
		l.stop()
	})
}
