package dnsstoretest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

// The test of a store of one's own.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		dnsstoretest.Run(t, func(testing.TB) dnsstore.Store {
			return dnsstore.NewMemory() // the store that is tested
		}, dnsstoretest.InZone("zone.example"))
	}
}

// The answer to a change is lost: whoever made it must read to know its end.
func ExampleNewFaulty() {
	store := dnsstoretest.NewFaulty(dnsstore.NewMemory())
	key := dnsstore.Key{Name: "svc.lab.test", Type: "TXT"}
	change := dnsstore.Change{
		If:  []dnsstore.RRSet{{Key: key}},
		Set: []dnsstore.RRSet{{Key: key, TTL: time.Minute, Data: []string{`"primary=a"`}}},
	}

	store.LoseAnswers(1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := store.Apply(ctx, change)
	fmt.Println("unknown:", errors.Is(err, dnsstore.ErrUnknown))

	present, err := store.Lookup(context.Background(), key)
	fmt.Println(present.Data, err)
	// Output:
	// unknown: true
	// ["primary=a"] <nil>
}
