package agtest_test

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/transporttest"
)

// A node's way to the store is a store.
func TestStore_Conforms(t *testing.T) {
	t.Parallel()
	var store dnsstore.Store
	agtest.New(t, 1, func(_ int, c *availability.Config) { store = c.Store })
	dnsstoretest.Run(t, func(testing.TB) dnsstore.Store { return store })
}

// A node's way to the others is a transport. The group goes without.
func TestTransport_Conforms(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, func(t testing.TB) transporttest.Network {
		t.Helper()
		var nodes [2]transporttest.Node
		agtest.New(t, 2, func(i int, c *availability.Config) {
			nodes[i] = transporttest.Node{Transport: c.Transport, Peer: transport.Peer{ID: c.NodeID, URL: "https://" + c.NodeID}}
			c.Transport = nil
			c.Settings.HealthReportInterval = 20 * time.Millisecond // b joins the sooner
			c.Settings.HealthCheckInterval = 20 * time.Millisecond
		})
		return transporttest.Network{A: nodes[0], B: nodes[1], Nowhere: transport.Peer{ID: "z", URL: "https://z"}}
	})
}
