package availability_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// A new group, and what is said where there is one.
func ExampleGroup_Create() {
	ctx, store, network := context.Background(), dnsstore.NewMemory(), transport.NewMemory()
	a, stopA := startExample(exampleConfig("a", "192.0.2.10", store, network))
	defer stopA()
	b, stopB := startExample(exampleConfig("b", "192.0.2.11", store, network))
	defer stopB()
	fmt.Println(a.Create(ctx), a.IsPrimary())
	fmt.Println(errors.Is(b.Create(ctx), availability.ErrGroupExists))
	// Output:
	// <nil> true
	// true
}

// Join returns when the Primary has confirmed the new member.
func ExampleGroup_Join() {
	ctx, store, network := context.Background(), dnsstore.NewMemory(), transport.NewMemory()
	a, stopA := startExample(exampleConfig("a", "192.0.2.10", store, network))
	defer stopA()
	b, stopB := startExample(exampleConfig("b", "192.0.2.11", store, network))
	defer stopB()
	fmt.Println(errors.Is(b.Join(ctx), availability.ErrNoGroup))
	fmt.Println(a.Create(ctx), b.Join(ctx), b.GetNodeState().NodeRole)
	// Output:
	// true
	// <nil> <nil> secondary
}

// A Primary that leaves hands the role over first.
func ExampleGroup_Leave() {
	a, b, stop := examplePair()
	defer stop()
	fmt.Println(a.Leave(context.Background()))
	fmt.Println(a.GetNodeState().NodeRole, b.GetNodeState().NodeRole)
	fmt.Println(errors.Is(b.Leave(context.Background()), availability.ErrNoTarget)) // dissolve the group instead
	// Output:
	// <nil>
	// not_in_group primary
	// true
}

// A member that will not come back.
func ExampleGroup_Remove() {
	a, _, stop := examplePair()
	defer stop()
	fmt.Println(a.Remove(context.Background(), "b"))
	fmt.Println(len(a.Info().Members), errors.Is(a.Remove(context.Background(), "b"), availability.ErrUnknownMember))
	// Output:
	// <nil>
	// 1 true
}

// What a health endpoint tells.
func ExampleGroup_GetNodeState() {
	a, b, stop := examplePair()
	defer stop()
	for _, g := range []*availability.Group{a, b} {
		s := g.GetNodeState()
		fmt.Println(s.NodeID, s.NodeRole, s.PrimaryID, s.NodeDNSConnectionState)
	}
	// Output:
	// a primary a connected
	// b secondary a connected
}

// What happened lately, for whoever looks at 3 a.m.
func ExampleGroup_History() {
	a, _, stop := examplePair()
	defer stop()
	for _, e := range a.History() {
		if change, ok := e.(event.RoleChange); ok {
			fmt.Println(change.Previous, "->", change.New, change.Cause)
		}
	}
	// Output:
	// not_in_group -> primary created
}

// Numbers for a metrics client of your own; package httpapi has them as text.
func ExampleGroup_Stats() {
	a, _, stop := examplePair()
	defer stop()
	s := a.Stats()
	fmt.Println(s.Writes > 0, s.HandlerPanics)
	// Output:
	// true 0
}

// A program that ends with its group.
func ExampleGroup_Done() {
	a, _, stop := examplePair()
	stop()
	<-a.Done()
	fmt.Println(errors.Is(a.Pause(context.Background(), "too late"), availability.ErrNotRunning))
	// Output:
	// true
}
