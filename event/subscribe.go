package event

import "context"

// Handler is called with each event of a subscription, one at a time and in
// order, on a goroutine of the subscription's own. Its context ends when the
// subscription does or when the group has stopped. A handler that panics is
// recovered, logged and counted; one that hangs delays only itself.
type Handler func(ctx context.Context, e Event)

// Subscriber is what events can be heard from; a group is one.
type Subscriber interface {
	// Subscribe calls h for each event of the kind id, or of every kind for
	// [Any]. It fails for an unknown id and for a nil handler, nothing else.
	// The returned function ends the subscription; it returns after the call
	// of h that is running, unless it is called from h itself, and may be
	// called more than once.
	Subscribe(id ID, h Handler) (unsubscribe func(), err error)
}

// Kind is any one of the event structs.
type Kind interface {
	RoleChange | PrimaryChange | DNSConnectionChange | HeartbeatMethodChange | HeartbeatLoss |
		HeartbeatReturn | AuthorityRisk | MembersChange | ConfigurationChange | PauseChange |
		HealthChange | FailoverResult | Conflict | HostRecordRepair | ClockSkew
	Event
}

// On subscribes h to the events of one type. It panics on a nil h, as
// [net/http.Handle] does, since that is a mistake of the program and not of
// its input.
func On[E Kind](s Subscriber, h func(ctx context.Context, e E)) (unsubscribe func()) {
	if h == nil {
		panic("event: nil handler") //nolint:forbidigo // documented, as http.Handle: the caller's mistake
	}
	var zero E
	unsubscribe, err := s.Subscribe(zero.eventID(), func(ctx context.Context, e Event) {
		if typed, ok := e.(E); ok {
			h(ctx, typed)
		}
	})
	if err != nil { // not reachable with a Subscriber that keeps its contract
		return func() {}
	}
	return unsubscribe
}
