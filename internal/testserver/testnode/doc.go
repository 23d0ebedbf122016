// Package testnode is what the tests of running nodes have in common: a client
// that asks a node for its state, an observer that asks all of them again and
// again and judges whether two were ever Primary at one instant, a measure of
// how late the machine is, and a list of the processes that have not ended.
//
// # What is promised
//
//   - What the observer calls rivals cannot both be right: it counts only what
//     is certain of each node, whatever the machine did meanwhile.
//
// # What is not promised
//
//   - That it sees two Primaries which were that for less than the time between
//     two questions.
//
// It is for the tests of this module. The functions that take a testing.TB end
// the test when they cannot do what they are for.
//
//	o := testnode.NewObserver()
//	o.Watch(ctx, "a", func(ctx context.Context) (testnode.State, error) { return client.State(ctx, url) })
//	…
//	o.Stop()
//	wrong := o.Judge()
package testnode
