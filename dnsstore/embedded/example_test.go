package embedded_test

import (
	"context"
	"fmt"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// A server and a store that speaks to it, in one process.
func Example() {
	secret := embedded.GenerateSecret()
	server, err := embedded.New(embedded.Config{
		Zone: "example.test",
		Keys: []embedded.Key{{Name: "ag-key", Secret: secret}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	stopped := make(chan error)
	go func() { stopped <- server.Run(ctx) }()
	addr, err := server.Addr(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}

	store, err := rfc2136.New(rfc2136.Config{Server: addr, Zone: "example.test", TSIGName: "ag-key", TSIGSecret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := dnsstore.Key{Name: "svc.example.test", Type: "TXT"}
	fmt.Println(store.Apply(ctx, dnsstore.Change{
		If:  []dnsstore.RRSet{{Key: key}},
		Set: []dnsstore.RRSet{{Key: key, Data: []string{`"hello"`}}},
	}))
	set, err := store.Lookup(ctx, key)
	fmt.Println(set.Data, err)

	fmt.Println(store.Close())
	stop()
	fmt.Println(<-stopped)
	// Output:
	// <nil>
	// ["hello"] <nil>
	// <nil>
	// <nil>
}

// A key that may only do what an availability group needs: the record and the
// host record at one name.
func ExampleGrant() {
	_, err := embedded.New(embedded.Config{
		Zone: "example.test",
		Keys: []embedded.Key{{
			Name: "ag-key", Secret: embedded.GenerateSecret(),
			Allow: []embedded.Grant{{Name: "svc.example.test", Types: []string{"A", "AAAA", "TXT"}}},
		}},
	})
	fmt.Println(err)
	// Output: <nil>
}

// All mistakes are reported at once.
func ExampleNew_mistakes() {
	_, err := embedded.New(embedded.Config{
		Zone: "example.test",
		Addr: "localhost",
		Keys: []embedded.Key{{Name: "ag-key", Algorithm: "hmac-md5"}},
	})
	fmt.Println(err)
	// Output:
	// embedded: Addr: address localhost: missing port in address
	// embedded: Keys[0].Algorithm: not one of hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512
	// embedded: Keys[0].Secret: empty
}
