package dnsstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// A value is changed by whoever still sees the old one.
func Example() {
	ctx := context.Background()
	key := dnsstore.Key{Name: "svc.example.com", Type: "TXT"}
	value := func(text string) dnsstore.RRSet {
		return dnsstore.RRSet{Key: key, TTL: 30 * time.Second, Data: []string{dnsstore.FormatTXT([]string{text})}}
	}
	var store dnsstore.Store = dnsstore.NewMemory()

	err := store.Apply(ctx, dnsstore.Change{
		If:  []dnsstore.RRSet{{Key: key}}, // there is none yet
		Set: []dnsstore.RRSet{value("primary=a")},
	})
	fmt.Println("a:", err)

	seen, err := store.Lookup(ctx, key)
	fmt.Println("there is:", seen.Data, err)
	change := dnsstore.Change{If: []dnsstore.RRSet{seen}, Set: []dnsstore.RRSet{value("primary=b")}}
	fmt.Println("b:", store.Apply(ctx, change))
	change.Set = []dnsstore.RRSet{value("primary=c")}
	fmt.Println("c came too late:", errors.Is(store.Apply(ctx, change), dnsstore.ErrConflict))
	// Output:
	// a: <nil>
	// there is: ["primary=a"] <nil>
	// b: <nil>
	// c came too late: true
}

func ExampleNewMemory() {
	store := dnsstore.NewMemory()
	absent, err := store.Lookup(context.Background(), dnsstore.Key{Name: "svc.example.com", Type: "A"})
	fmt.Println(len(absent.Data), err)
	// Output: 0 <nil>
}

func ExampleNewSecret() {
	access := dnsstore.Access{FQDN: "svc.example.com", TSIGSecret: dnsstore.NewSecret("c2VjcmV0")}
	fmt.Printf("%+v\n", access)
	fmt.Println(access.TSIGSecret.Reveal())
	// Output:
	// {FQDN:svc.example.com TSIGName: TSIGAlgorithm: TSIGSecret:[secret]}
	// c2VjcmV0
}

func ExampleFormatTXT() {
	fmt.Println(dnsstore.FormatTXT([]string{"ag=1", `say "hi"`}))
	// Output: "ag=1" "say \"hi\""
}

func ExampleParseTXT() {
	strs, err := dnsstore.ParseTXT(`"ag=1" "say \"hi\""`)
	fmt.Println(len(strs), strs[1], err)
	// Output: 2 say "hi" <nil>
}

func ExampleCanonical() {
	fmt.Println(dnsstore.Canonical("SVC.Example.COM."))
	// Output: svc.example.com
}
