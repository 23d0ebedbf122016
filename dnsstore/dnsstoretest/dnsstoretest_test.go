package dnsstoretest_test

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

func TestRun_Memory(t *testing.T) {
	t.Parallel()
	dnsstoretest.Run(t, func(testing.TB) dnsstore.Store { return dnsstore.NewMemory() })
}

// TestRun_SharedStore runs it on the same data twice, as on a real server.
func TestRun_SharedStore(t *testing.T) {
	t.Parallel()
	shared := dnsstore.NewMemory()
	for range 2 {
		dnsstoretest.Run(t, func(testing.TB) dnsstore.Store { return shared }, dnsstoretest.InZone("zone.example"))
	}
}

// TestRun_Slow lets the contexts of the suite end while calls are under way.
func TestRun_Slow(t *testing.T) {
	t.Parallel()
	dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store {
		tb.Helper()
		f := dnsstoretest.NewFaulty(dnsstore.NewMemory())
		f.Delay(2*time.Millisecond, 2*time.Millisecond)
		return f
	})
}
