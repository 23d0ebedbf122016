package embedded_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// A node that joins probes the server while the group writes. Writes that come
// faster than the probe looks are no fault of the server.
func TestProbe_WhileAGroupWrites(t *testing.T) {
	t.Parallel()
	secret := embedded.GenerateSecret()
	server, err := embedded.New(embedded.Config{Zone: "busy.test", Keys: []embedded.Key{{Name: "k", Secret: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	addr, err := server.Addr(ctx)
	if err != nil {
		t.Fatal(err)
	}
	store, err := rfc2136.New(rfc2136.Config{Server: addr, Zone: "busy.test", TSIGName: "k", TSIGSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	writes := make(chan error, 1)
	all.Go(func() {
		defer close(writes)
		value := dnsstore.RRSet{Key: dnsstore.Key{Name: "svc.busy.test", Type: "TXT"}}
		for n := 0; ctx.Err() == nil; n++ {
			next := value
			next.Data = []string{fmt.Sprintf("%q", fmt.Sprint("n=", n))}
			if err := store.Apply(ctx, dnsstore.Change{If: []dnsstore.RRSet{value}, Set: []dnsstore.RRSet{next}}); err != nil && ctx.Err() == nil {
				writes <- err
				return
			}
			value = next
		}
	})
	for range 5 {
		if err := store.Probe(ctx, "svc.busy.test"); err != nil {
			t.Errorf("a probe beside a writer: %v", err)
		}
	}
	cancel()
	if err := <-writes; err != nil {
		t.Errorf("the writer was disturbed: %v", err)
	}
}
