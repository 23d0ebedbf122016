package availability_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// silentError is an error without a text.
type silentError struct{}

func (silentError) Error() string { return "" }

// An error of a hook is a veto, whatever its text.
func TestBeforePromote_AnErrorWithoutTextIsAVeto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		a := l.start(func(c *availability.Config) {
			c.Bootstrap = availability.BootstrapManual
			c.BeforePromote = func(context.Context, availability.Promotion) error { return silentError{} }
		})
		if err := a.Create(t.Context()); err == nil || a.IsPrimary() {
			t.Errorf("Create, which the host refuses: %v; Primary %v", err, a.IsPrimary())
		}
		for _, e := range heard[event.RoleChange](a) {
			if e.New == event.RolePrimary {
				t.Error("a role was shown that the host had refused")
			}
		}
		l.stop()
	})
}

// silentStore fails without a word, as long as it is told to.
type silentStore struct {
	dnsstore.Store
	fails *atomic.Bool
}

func (s silentStore) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	if s.fails.Load() {
		return dnsstore.RRSet{}, silentError{}
	}
	return s.Store.Lookup(ctx, k)
}

func (s silentStore) Apply(ctx context.Context, c dnsstore.Change) error {
	if s.fails.Load() {
		return silentError{}
	}
	return s.Store.Apply(ctx, c)
}

// silentTransport fails without a word.
type silentTransport struct{ transport.Transport }

func (silentTransport) Exchange(context.Context, transport.Peer, transport.Message) (transport.Message, error) {
	return transport.Message{}, silentError{}
}

// A store and a transport that fail without a word are as good as any that
// fail: no answer is no answer.
func TestOutage_ErrorsWithoutText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		l, a, b := pair(t, func(c *availability.Config) {
			if c.NodeID == "a" {
				c.Store, c.Transport = silentStore{c.Store, &fails}, silentTransport{c.Transport}
			}
		})
		time.Sleep(95 * time.Second)
		fails.Store(true)
		l.wait("a has stopped", func() bool { return !a.IsPrimary() })
		if s := a.GetNodeState(); s.NodeDNSConnectionState != event.DNSDisconnected {
			t.Errorf("a says that DNS is %s, and it has no answer", s.NodeDNSConnectionState)
		}
		if b.IsPrimary() {
			t.Error("b is Primary before a has stopped")
		}
		l.wait("b has taken over", b.IsPrimary)
		l.stop()
	})
}
