package transporttest_test

import (
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/transporttest"
)

// The test of a transport of one's own.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestTransport(t *testing.T)
		transporttest.Run(t, func(testing.TB) transporttest.Network {
			network := transport.NewMemory() // what is tested
			return transporttest.Network{
				A:       transporttest.Node{Transport: network.Node("a"), Peer: transport.Peer{ID: "a"}},
				B:       transporttest.Node{Transport: network.Node("b"), Peer: transport.Peer{ID: "b"}},
				Nowhere: transport.Peer{ID: "nowhere"},
			}
		})
	}
}
