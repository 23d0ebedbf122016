package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// TestConformance runs the suite of all stores over the wire: the real client
// against this server.
func TestConformance(t *testing.T) {
	for network, disk := range map[string]bool{"tcp": false, "udp": true} {
		t.Run(fmt.Sprintf("%s disk=%t", network, disk), func(t *testing.T) {
			c := testConfig()
			c.Zone = "lab.test"
			if disk {
				c.Dir = filepath.Join(t.TempDir(), "zone")
			}
			s := start(t, c)
			dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store {
				tb.Helper()
				return openStore(tb, rfc2136.Config{Server: s.addr, Zone: "lab.test", Net: network})
			})
		})
	}
}

// TestConformance_Policy: the suite passes with a key that may do no more than
// it needs.
func TestConformance_Policy(t *testing.T) {
	c := testConfig()
	c.Zone = "lab.test"
	c.Keys[0].Allow = []embedded.Grant{{Name: "lab.test", Subtree: true, Types: []string{"TXT", "A", "AAAA", "CNAME"}}}
	s := start(t, c)
	dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store {
		tb.Helper()
		return openStore(tb, rfc2136.Config{Server: s.addr, FQDN: "svc.lab.test"})
	})
}

func openStore(tb testing.TB, c rfc2136.Config) dnsstore.Store {
	tb.Helper()
	c.TSIGName, c.TSIGSecret = keyName, dnsstore.NewSecret(secret)
	s, err := rfc2136.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
