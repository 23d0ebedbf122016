// Package event is the vocabulary of an availability group: the roles a node
// can have, the causes of a change, and the events that tell a host program
// about it.
//
// # Promises
//
//   - Every event is a plain value: it may be kept, copied and read by any
//     number of goroutines.
//   - A subscriber hears the events of its subscription one at a time and in
//     order; [Header.Seq] rises by at least one from each event to the next.
//   - A new subscriber of [NodeRoleChanged] or [Any] hears the present role
//     first, as a [RoleChange] whose Previous is empty.
//   - Role changes are never dropped, however slow the handler is.
//
// # What is not promised
//
//   - A handler does not run at the instant of the change. Code that must know
//     the role now asks the group, it does not remember the last event.
//   - Other events than role changes are dropped, oldest first, from the queue
//     of a subscriber that falls more than 256 events behind. They are counted.
//
// # Use
//
//	unsubscribe := event.On(group, func(ctx context.Context, e event.RoleChange) {
//		log.Print(e.Previous, " -> ", e.New, ": ", e.Cause)
//	})
//	defer unsubscribe()
//
// The package knows nobody: it imports nothing but the standard library.
package event
