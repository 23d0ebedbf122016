package availability_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
)

var errNoKey = errors.New("no key")

// keyed opens a store for whoever has a key.
func keyed(below dnsstore.Store) func(dnsstore.Access) (dnsstore.Store, error) {
	return func(a dnsstore.Access) (dnsstore.Store, error) {
		if a.TSIGName == "" {
			return nil, errNoKey
		}
		return below, nil
	}
}

// An operator saves the name and the address, restarts the program, and gives it
// the key then.
func TestRun_WithSettingsThatOpenNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		bare := func(c *availability.Config) {
			c.Settings, c.Bootstrap, c.StateDir = availability.Settings{}, availability.BootstrapManual, dir
			c.NodeID, c.Transport = "a", nil
			c.OpenStore, c.Store = keyed(c.Store), nil
		}
		l := newLab(t)
		a := l.start(bare)
		synctest.Wait()
		if err := a.Preconfigure(availability.Settings{
			GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("192.0.2.1"),
		}); err != nil {
			t.Fatal(err)
		}
		a.cancel()
		<-a.Done()
		again := l.start(bare)
		err := again.Create(t.Context())
		if !errors.Is(err, errNoKey) || !errors.Is(err, availability.ErrBadRequest) || errors.Is(err, availability.ErrStoreUnreachable) {
			t.Errorf("Create without a key: %v, want ErrBadRequest that says so", err)
		}
		key := availability.Settings{TSIGName: "key", TSIGSecret: availability.NewSecret(oldSecret)}
		if err := errors.Join(again.Preconfigure(key), again.Create(t.Context())); err != nil || !again.IsPrimary() {
			t.Errorf("Create with a key: %v, Primary: %t", err, again.IsPrimary())
		}
		l.stop()
	})
}

// Where the node cannot wait for an operator, Run says it at once.
func TestRun_WithoutAStoreThatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := newLab(t)
		a := l.start(func(c *availability.Config) { c.Bootstrap, c.StateDir = availability.BootstrapManual, dir })
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.cancel()
		<-a.Done()
		run := func(edit func(*availability.Config)) error {
			c := l.config(0)
			c.OpenStore = keyed(l.store)
			edit(&c)
			g, err := availability.New(c)
			if err != nil {
				t.Fatal(err)
			}
			return g.Run(t.Context())
		}
		for name, err := range map[string]error{
			"bootstrap": run(func(*availability.Config) {}),
			"a member":  run(func(c *availability.Config) { c.Bootstrap, c.StateDir = availability.BootstrapManual, dir }),
		} {
			if !errors.Is(err, errNoKey) {
				t.Errorf("%s: Run: %v, want %v", name, err, errNoKey)
			}
		}
		l.stop()
	})
}

// What opens no store is told from a server that cannot be had.
func TestOpenStore_WhatItsErrorsMean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			err, want error
		}{
			"a mistake":         {errNoKey, availability.ErrBadRequest},
			"no network":        {&net.OpError{Op: "dial", Net: "udp", Err: errNoKey}, availability.ErrStoreUnreachable},
			"no time":           {context.DeadlineExceeded, availability.ErrStoreUnreachable},
			"no right":          {dnsstore.ErrRefused, availability.ErrStoreUnreachable},
			"nothing, no error": {nil, nil},
		} {
			l := newLab(t)
			a := l.start(func(c *availability.Config) {
				c.Bootstrap, c.Store = availability.BootstrapManual, nil
				c.OpenStore = func(dnsstore.Access) (dnsstore.Store, error) { return nil, tt.err }
			})
			err := a.Create(t.Context())
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("%s: Create: %v, want %v", name, err, tt.want)
			}
			l.stop()
		}
	})
}
