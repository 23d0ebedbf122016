package rfc2136_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// dials collects what a store connects to, and lets nothing through but what
// is in the table.
func dials(table map[string]string, got *[]string) func(*rfc2136.Config) {
	return func(c *rfc2136.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			*got = append(*got, network+" "+address)
			if to, ok := table[address]; ok {
				return new(net.Dialer).DialContext(ctx, network, to)
			}
			return nil, errors.New("refused")
		}
	}
}

func TestServer_AddressesAreTriedInTurn(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	for _, c := range []struct {
		server string
		table  map[string]string
		want   []string
	}{
		{"192.0.2.1", map[string]string{"192.0.2.1:53": f.addr}, []string{"192.0.2.1:53"}},
		{"192.0.2.1:5300", map[string]string{"192.0.2.1:5300": f.addr}, []string{"192.0.2.1:5300"}},
		{"2001:db8::1", map[string]string{"[2001:db8::1]:53": f.addr}, []string{"[2001:db8::1]:53"}},
		{"[2001:DB8::1]:5300", map[string]string{"[2001:db8::1]:5300": f.addr}, []string{"[2001:db8::1]:5300"}},
		{"192.0.2.1, 192.0.2.2:5300,192.0.2.3", map[string]string{"192.0.2.3:53": f.addr}, []string{"192.0.2.1:53", "192.0.2.2:5300", "192.0.2.3:53"}},
		{"192.0.2.1,192.0.2.2", map[string]string{"192.0.2.1:53": f.addr}, []string{"192.0.2.1:53"}},
		{"NS1.lab.test.:5300", map[string]string{"192.0.2.7:5300": f.addr}, []string{"192.0.2.7:5300"}},
		{"gone.lab.test,ns1.lab.test,192.0.2.7", map[string]string{"192.0.2.7:53": f.addr}, []string{"192.0.2.7:53"}},
	} {
		for _, network := range []string{"tcp", "udp"} {
			var got []string
			s := f.store(t, dials(c.table, &got), func(config *rfc2136.Config) {
				config.Server, config.Net = c.server, network
				config.Resolver = hostsResolver(t, map[string]string{"ns1.lab.test.": "192.0.2.7"})
			})
			if err := s.Apply(t.Context(), swap()); err != nil {
				t.Errorf("%s: Apply returned %v", c.server, err)
			}
			var want []string
			for _, address := range c.want {
				want = append(want, network+" "+address)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: addresses mismatch (-want +got):\n%s", c.server, diff)
			}
		}
	}
}

// An address that may have got the request is the last that is tried, unless
// the system says that nobody is there.
func TestServer_NoOtherAddressAfterTheRequestMayHaveArrived(t *testing.T) {
	t.Parallel()
	silent := newFake(t, func(*call) {})
	broken := newFake(t, func(c *call) { _ = c.conn.Close() })
	gone := newFake(t, nil)
	gone.stop()
	once := dnsstore.Change{Set: swap().Set} // two copies would do harm
	for _, c := range []struct {
		network string
		first   *fake
		change  dnsstore.Change
		want    int // messages to the second address
	}{
		{"udp", silent, swap(), 0},
		{"tcp", silent, swap(), 0},
		{"tcp", broken, swap(), 0},
		{"tcp", gone, swap(), 1},
		{"udp", gone, swap(), 1},
		{"tcp", gone, once, 1},
		{"udp", gone, once, 0}, // the refusal may be forged
	} {
		second := newFake(t, always(dns.RcodeSuccess))
		s := second.store(t, func(config *rfc2136.Config) {
			config.Server, config.Net = c.first.addr+","+second.addr, c.network
		})
		patience := 10 * time.Second
		if c.want == 0 { // nothing comes, and that is waited for
			patience = 300 * time.Millisecond
		}
		err := s.Apply(within(t, patience), c.change)
		if (err == nil) != (c.want == 1) {
			t.Errorf("%s: Apply returned %v", c.network, err)
		}
		if n := len(second.got()); n != c.want {
			t.Errorf("%s: %d messages to the second address, want %d", c.network, n, c.want)
		}
	}
}

// An address from which nothing comes at all gets only its share of the time,
// and from then on it is not the first to be tried.
func TestServer_DeadAddressLeavesTimeForTheNext(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	dead := 0
	s := f.store(t, func(c *rfc2136.Config) {
		c.Server = "192.0.2.1,192.0.2.2," + f.addr
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != f.addr {
				dead++
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	})
	for range 3 {
		if err := s.Apply(within(t, 6*time.Second), swap()); err != nil {
			t.Errorf("Apply returned %v", err)
		}
	}
	if dead != 2 {
		t.Errorf("dead addresses were tried %d times, want each once", dead)
	}
}

// The resolvers of a host may fail together with what it is there to replace.
func TestServer_KnownAddressesSurviveTheResolver(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	var down atomic.Bool
	var asked atomic.Int32
	working := hostsResolver(t, map[string]string{"ns1.lab.test.": "127.0.0.1"})
	_, port, err := net.SplitHostPort(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	s := f.store(t, func(c *rfc2136.Config) {
		c.Server = "ns1.lab.test:" + port
		c.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			asked.Add(1)
			if down.Load() {
				return nil, errors.New("no resolver here")
			}
			return working.Dial(ctx, network, address)
		}}
	})
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	first := asked.Load()
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load() - first; n != 0 {
		t.Errorf("the resolver was asked %d times more for a fresh address, want 0", n)
	}
	rfc2136.ForgetAge(s)
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Errorf("the resolver is down: Apply returned %v", err)
	}
	if asked.Load() == first {
		t.Error("the resolver was not asked again for an old address")
	}
}

func TestServer_NamesTheAddressItSpokeTo(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeServerFailure))
	gone := newFake(t, nil)
	gone.stop()
	err := f.store(t, func(c *rfc2136.Config) { c.Server = gone.addr + "," + f.addr }).Apply(t.Context(), swap())
	failed, ok := errors.AsType[*rfc2136.ServerError](err)
	if !ok || failed.Server != f.addr || !strings.Contains(err.Error(), f.addr) {
		t.Errorf("Apply returned %v, want the address %s in it", err, f.addr)
	}
	if slices.Contains(sentinels(err), "ErrNotSent") {
		t.Errorf("Apply returned %v", err)
	}
}
