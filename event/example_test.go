package event_test

import (
	"context"
	"fmt"

	"github.com/availabilitygroup/ag/event"
)

// announcer is the smallest Subscriber: it tells one event to whoever asks for
// its kind. A program has an availability.Group in its place.
type announcer struct{ next event.Event }

func (a announcer) Subscribe(id event.ID, h event.Handler) (func(), error) {
	if id == a.next.Meta().ID {
		h(context.Background(), a.next)
	}
	return func() {}, nil
}

func ExampleOn() {
	group := announcer{next: event.RoleChange{
		Header:   event.Header{ID: event.NodeRoleChanged, Node: "gw-a", Term: 7},
		Previous: event.RoleSecondary, New: event.RolePrimary, Cause: event.CausePrimaryLost,
	}}

	unsubscribe := event.On(group, func(_ context.Context, e event.RoleChange) {
		fmt.Printf("%s: %s -> %s (%s, term %d)\n", e.Node, e.Previous, e.New, e.Cause, e.Term)
	})
	defer unsubscribe()

	// Output: gw-a: secondary -> primary (primary_lost, term 7)
}
