package availability_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// exampleConfig is a node of a group in memory; a program has
// rfc2136.Config{…}.Open and httptransport.New(…) in the place of these.
func exampleConfig(id, address string, store dnsstore.Store, network *transport.Memory) availability.Config {
	return availability.Config{
		NodeID: id,
		Settings: availability.Settings{
			GroupFQDN:           "app.example.net",
			ExternalIPv4Address: netip.MustParseAddr(address),
			Timing:              availability.FastTiming(),
		},
		Store:     store,
		Transport: network.Node(id),
	}
}

// startExample runs a group until the returned function is called.
func startExample(c availability.Config) (*availability.Group, func()) {
	g, err := availability.New(c)
	if err != nil {
		fmt.Println(err)
		return nil, func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return g, func() {
		cancel()
		if err := <-done; err != nil {
			fmt.Println(err)
		}
	}
}

// All mistakes of a configuration are told at once, by the field's JSON key.
func ExampleNew() {
	_, err := availability.New(availability.Config{
		Settings: availability.Settings{
			GroupFQDN:      "app..example.net",
			ExternalScheme: "gopher",
			Timing:         availability.Timing{AllowedAbsenceInterval: 10 * time.Second, HealthReportInterval: 9 * time.Second},
		},
		Store: dnsstore.NewMemory(),
	})
	if mistakes, ok := errors.AsType[*availability.ConfigError](err); ok {
		for _, f := range mistakes.Fields {
			fmt.Println(f.Field)
		}
	}
	// Output:
	// external_scheme
	// group_fqdn
	// health_report_interval
}

// Two nodes make a group, and the role moves by plan.
func ExampleGroup_Failover() {
	ctx, store, network := context.Background(), dnsstore.NewMemory(), transport.NewMemory()
	a, stopA := startExample(exampleConfig("a", "192.0.2.10", store, network))
	defer stopA()
	b, stopB := startExample(exampleConfig("b", "192.0.2.11", store, network))
	defer stopB()

	fmt.Println(a.Create(ctx), b.Join(ctx))
	fmt.Println("a is", a.GetNodeState().NodeRole, "and b is", b.GetNodeState().NodeRole)
	fmt.Println(b.Failover(ctx))
	fmt.Println("a is", a.GetNodeState().NodeRole, "and b is", b.GetNodeState().NodeRole)

	host, _ := store.Lookup(ctx, dnsstore.Key{Name: "app.example.net", Type: "A"})
	fmt.Println("app.example.net is", host.Data)
	// Output:
	// <nil> <nil>
	// a is primary and b is secondary
	// <nil>
	// a is secondary and b is primary
	// app.example.net is [192.0.2.11]
}

// A subscriber hears the present role first, and then each change.
func ExampleGroup_Subscribe() {
	g, stop := startExample(exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory()))
	defer stop()
	roles := make(chan event.RoleChange, 2)
	unsubscribe, err := g.Subscribe(event.NodeRoleChanged, func(_ context.Context, e event.Event) {
		if change, ok := e.(event.RoleChange); ok {
			roles <- change
		}
	})
	if err != nil {
		fmt.Println(err)
	}
	defer unsubscribe()
	first := <-roles
	fmt.Printf("%q -> %q\n", first.Previous, first.New)
	fmt.Println(g.Create(context.Background()))
	second := <-roles
	fmt.Printf("%q -> %q: %s\n", second.Previous, second.New, second.Cause)
	// Output:
	// "" -> "not_in_group"
	// <nil>
	// "not_in_group" -> "primary": created
}

// Work that only the Primary may do gets a context that ends with the role,
// and the term for whatever it writes to.
func ExampleGroup_RunWhilePrimary() {
	g, stop := startExample(exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory()))
	defer stop()
	working := make(chan uint64)
	go func() {
		_ = g.RunWhilePrimary(context.Background(), func(ctx context.Context, term uint64) error {
			working <- term
			<-ctx.Done()
			return nil
		})
	}()
	fmt.Println(g.Create(context.Background()))
	fmt.Println("works in this term:", <-working == g.GetNodeState().Term)
	// Output:
	// <nil>
	// works in this term: true
}

// A request is served on the Primary only; the check is made at each request.
func ExampleGroup_IsPrimary() {
	g, stop := startExample(exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory()))
	defer stop()
	serve := func() string {
		if !g.IsPrimary() {
			return "503"
		}
		return "200"
	}
	fmt.Println(serve())
	fmt.Println(g.Create(context.Background()))
	fmt.Println(serve())
	// Output:
	// 503
	// <nil>
	// 200
}

// What a dashboard shows.
func ExampleGroup_Info() {
	g, stop := startExample(exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory()))
	defer stop()
	fmt.Println(g.Create(context.Background()))
	for _, m := range g.Info().Members {
		fmt.Println(m.ID, m.Role, m.URL, m.Priority)
	}
	// Output:
	// <nil>
	// a primary https://192.0.2.10:443 100
}

// A secret shows nowhere but where it is asked for.
func ExampleNewSecret() {
	secret := availability.NewSecret("c2VjcmV0IG9jdGV0cyBvZiBhIFRTSUcga2V5IQ==")
	fmt.Printf("%v %+v %q\n", secret, secret, secret)
	fmt.Println(len(secret.Reveal()))
	// Output:
	// [secret] [secret] [secret]
	// 40
}
