package rfc2136_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// serve runs a name server for example.test with one key. A program has a real
// one.
func serve() (addr string, secret dnsstore.Secret, stop func()) {
	secret = embedded.GenerateSecret()
	server, err := embedded.New(embedded.Config{
		Zone: "example.test", Keys: []embedded.Key{{Name: "failover-key", Secret: secret}},
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Run(ctx) }()
	addr, err = server.Addr(ctx)
	if err != nil {
		panic(err)
	}
	return addr, secret, func() {
		cancel()
		if err := <-stopped; err != nil {
			panic(err)
		}
	}
}

// A group is given the method Open; it fills in the key and the name.
func ExampleConfig_Open() {
	addr, secret, stop := serve()
	defer stop()

	open := rfc2136.Config{Server: addr}.Open
	store, err := open(dnsstore.Access{FQDN: "svc.example.test", TSIGName: "failover-key", TSIGSecret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := store.Lookup(context.Background(), dnsstore.Key{Name: "svc.example.test", Type: "TXT"})
	fmt.Println(len(set.Data), err)
	// Output: 0 <nil>
}

// All mistakes are reported at once, and no server is spoken to.
func ExampleNew() {
	_, err := rfc2136.New(rfc2136.Config{
		Server:        "ns1.example.org:domain",
		Zone:          "example.org",
		FQDN:          "svc.example.net",
		TSIGName:      "failover-key",
		TSIGAlgorithm: "hmac-md5",
	})
	fmt.Println(err)
	// Output:
	// rfc2136: TSIGAlgorithm: "hmac-md5" is none of hmac-sha256, hmac-sha384, hmac-sha512
	// rfc2136: TSIGSecret: empty
	// rfc2136: Server: "ns1.example.org:domain": port "domain" is not a number from 1 to 65535
	// rfc2136: Zone: "example.org" does not hold the FQDN "svc.example.net"
}

// Two rivals want to write on the same condition: one of them does.
func ExampleStore_Apply() {
	addr, secret, stop := serve()
	defer stop()
	store, err := rfc2136.New(rfc2136.Config{
		Server: addr, Zone: "example.test", TSIGName: "failover-key", TSIGSecret: secret,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()

	record := dnsstore.Key{Name: "svc.example.test", Type: "TXT"}
	for _, node := range []string{"gw-a", "gw-b"} {
		err := store.Apply(context.Background(), dnsstore.Change{
			If:  []dnsstore.RRSet{{Key: record}}, // there is none
			Set: []dnsstore.RRSet{{Key: record, Data: []string{`"primary=` + node + `"`}}},
		})
		switch {
		case err == nil:
			fmt.Println(node, "has written")
		case errors.Is(err, dnsstore.ErrConflict):
			fmt.Println(node, "has lost")
		case errors.Is(err, dnsstore.ErrRefused):
			fmt.Println(node, "is not allowed to:", err) // tell the operator
		default:
			fmt.Println(node, "does not know:", err) // read before anything else
		}
	}
	// Output:
	// gw-a has written
	// gw-b has lost
}

// Whoever is about to depend on a server can find out whether it may.
func ExampleStore_Probe() {
	addr, secret, stop := serve()
	defer stop()
	store, err := rfc2136.New(rfc2136.Config{Server: addr, Zone: "example.test", TSIGName: "failover-key", TSIGSecret: secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	fmt.Println(store.Probe(context.Background(), "svc.example.test"))
	// Output: <nil>
}
