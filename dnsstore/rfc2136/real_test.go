package rfc2136_test

import (
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver"
)

type starter func(testing.TB, ...testserver.Option) *testserver.Server

func realServers() map[string]starter {
	return map[string]starter{
		"BIND": testserver.BIND, "Knot": testserver.Knot, "PowerDNS": testserver.PowerDNS, "CoreDNS": testserver.CoreDNS,
	}
}

func TestReal_Suite(t *testing.T) {
	t.Parallel()
	for name, start := range realServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			var options []dnsstoretest.Option
			if name == "PowerDNS" {
				options = append(options, dnsstoretest.IgnoresCase())
			}
			dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store {
				return open(tb, server, rfc2136.Config{})
			}, options...)
		})
	}
}

func open(tb testing.TB, server *testserver.Server, c rfc2136.Config) *rfc2136.Store {
	tb.Helper()
	c.Server = server.Addr
	store, err := c.Open(server.Key("hmac-sha256").Access("svc." + server.Zone))
	if err != nil {
		tb.Fatal(err)
	}
	return store.(*rfc2136.Store)
}
