package testserver_test

import (
	"io"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver"
)

// TestConformance shows that the promises of package dnsstore hold on real
// servers, through the real client, over each protocol and with each kind of
// key.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ network, algorithm string }{
		{"tcp", "hmac-sha256"},
		{"udp", "hmac-sha512"},
	} {
		for name, start := range starters() {
			t.Run(name+" "+c.network+" "+c.algorithm, func(t *testing.T) {
				t.Parallel()
				s := start(t)
				var options []dnsstoretest.Option
				if name == "PowerDNS" { // its comparison of TXT is SQL's
					options = append(options, dnsstoretest.IgnoresCase())
				}
				dnsstoretest.Run(t, opener(s, c.network, c.algorithm), options...)
			})
		}
	}
}

// opener opens stores on a server, as a group does.
func opener(s *testserver.Server, network, algorithm string) func(testing.TB) dnsstore.Store {
	return func(tb testing.TB) dnsstore.Store {
		tb.Helper()
		store, err := rfc2136.Config{Server: s.Addr, Net: network}.Open(s.Key(algorithm).Access("svc.lab.test"))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if c, ok := store.(io.Closer); ok {
				if err := c.Close(); err != nil {
					tb.Errorf("close: %v", err)
				}
			}
		})
		return store
	}
}
