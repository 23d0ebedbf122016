package availability_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"
)

// examplePair is a group of two, of which a is Primary.
func examplePair() (a, b *availability.Group, stop func()) {
	ctx, store, network := context.Background(), dnsstore.NewMemory(), transport.NewMemory()
	a, stopA := startExample(exampleConfig("a", "192.0.2.10", store, network))
	b, stopB := startExample(exampleConfig("b", "192.0.2.11", store, network))
	if err := errors.Join(a.Create(ctx), b.Join(ctx)); err != nil {
		fmt.Println(err)
	}
	return a, b, func() { stopB(); stopA() }
}

// A long job asks again right before each thing that cannot be undone.
func ExampleGroup_Guard() {
	a, b, stop := examplePair()
	defer stop()
	ctx, stopped, err := a.PrimaryContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	send := func() {
		term, err := a.Guard(ctx)
		if err != nil {
			fmt.Println("not sent:", err)
			return
		}
		fmt.Println("sent in this term:", term == a.GetNodeState().Term)
	}
	send()
	stopped() // the work is over: a planned failover need not wait for it
	fmt.Println(b.Failover(context.Background()))
	send()
	// Output:
	// sent in this term: true
	// <nil>
	// not sent: availability: the node is not Primary
}

// A context for the work of one tenure.
func ExampleGroup_PrimaryContext() {
	a, b, stop := examplePair()
	defer stop()
	ctx, stopped, err := a.PrimaryContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		<-ctx.Done()
		stopped() // only now is the role handed over
	}()
	term, ok := availability.TermFromContext(ctx)
	fmt.Println(term == a.GetNodeState().Term, ok)
	fmt.Println(b.Failover(context.Background()))
	fmt.Println(context.Cause(ctx))
	// Output:
	// true true
	// <nil>
	// availability: the node is not Primary
}

// Before a maintenance: would a failover work now?
func ExampleGroup_Preflight() {
	a, b, stop := examplePair()
	defer stop()
	fmt.Println("now:", a.Preflight(context.Background()).OK)
	fmt.Println(b.Leave(context.Background()))
	for _, c := range a.Preflight(context.Background()).Checks {
		if !c.OK {
			fmt.Printf("%s: %s; %s\n", c.Name, c.Detail, c.Advice)
		}
	}
	// Output:
	// now: true
	// <nil>
	// members: no member but the Primary may take over; let another node join, with a priority of at least 1
}

// A fresh read of the record, for what must not be done twice.
func ExampleGroup_VerifyPrimary() {
	a, b, stop := examplePair()
	defer stop()
	term, err := a.VerifyPrimary(context.Background())
	fmt.Println(term == a.GetNodeState().Term, err)
	_, err = b.VerifyPrimary(context.Background())
	fmt.Println(err)
	// Output:
	// true <nil>
	// availability: the node is not Primary
}

// While the network is being worked on, nobody takes over by itself.
func ExampleGroup_Pause() {
	a, b, stop := examplePair()
	defer stop()
	fmt.Println(b.Pause(context.Background(), "new switches"))
	fmt.Println(a.GetNodeState().Paused, b.GetNodeState().Paused)
	fmt.Println(b.Resume(context.Background()))
	fmt.Println(a.GetNodeState().Paused, b.GetNodeState().Paused)
	// Output:
	// <nil>
	// true true
	// <nil>
	// false false
}

// New intervals for the whole group, asked of any member.
func ExampleGroup_Configure() {
	a, b, stop := examplePair()
	defer stop()
	slower := availability.Settings{Timing: availability.Timing{AllowedAbsenceInterval: 10 * time.Second}}
	fmt.Println(b.Configure(context.Background(), slower))
	for _, g := range []*availability.Group{a, b} {
		s := g.Info().Configuration
		fmt.Println(s.AllowedAbsenceInterval, s.HealthReportInterval)
	}
	fmt.Println(b.Configure(context.Background(), availability.Settings{GroupFQDN: "other.example.net"}))
	// Output:
	// <nil>
	// 10s 1s
	// 10s 1s
	// availability: wrong configuration: group_fqdn: cannot change while the node is in a group
}

// A program that starts without a configuration is given one, and enters a
// group, at run time.
func ExampleGroup_Preconfigure() {
	c := exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory())
	c.Settings = availability.Settings{}
	g, stop := startExample(c)
	defer stop()
	fmt.Println(g.Create(context.Background()))
	fmt.Println(g.Preconfigure(availability.Settings{
		GroupFQDN:           "app.example.net",
		ExternalIPv4Address: netip.MustParseAddr("192.0.2.10"),
	}))
	fmt.Println(g.Create(context.Background()), g.IsPrimary())
	// Output:
	// availability: wrong configuration: external_ipv4_address: is needed, or external_ipv6_address; group_fqdn: is needed
	// <nil>
	// <nil> true
}

// The end of a group.
func ExampleGroup_Dissolve() {
	a, b, stop := examplePair()
	defer stop()
	fmt.Println(b.Dissolve(context.Background()))
	fmt.Println(b.GetNodeState().NodeRole)
	fmt.Println(a.Leave(context.Background()))
	// Output:
	// <nil>
	// not_in_group
	// leave: availability: the node is in no group: this node is in no group
}
