// Package agtest runs a whole availability group in the memory of a test, so
// that a program can be tested for what happens to it in one: crashes, planned
// failovers, cut links, a lost name server, clocks that are wrong.
//
// Here three nodes run a program that counts seconds while it is Primary. The
// first Primary crashes, the next one is stopped in order, and none of the two
// minutes passes in real time.
//
//	func TestCounter(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			c, count := agtest.New(t, 3), new([3]atomic.Int64)
//			c.Go(func(ctx context.Context, i int, g *availability.Group) {
//				_ = g.RunWhilePrimary(ctx, counter(&count[i])) // the program
//			})
//			for _, end := range []func(*agtest.Node){(*agtest.Node).Kill, (*agtest.Node).Stop} {
//				p := c.Primary(t.Context())
//				time.Sleep(time.Minute) // which takes no time here
//				end(c.Node(p))
//				if n := count[p].Load(); n < 59 || n > 60 {
//					t.Errorf("node %d has counted to %d, want 60", p, n)
//				}
//			}
//		})
//	}
//
// # Use
//
//	c.Go(program)                      runs it on every node, in each of its runs
//	c.Group(i)                         what the program of node i has
//	c.Primary, c.AwaitRole, c.Await    wait for a condition
//	c.Record, c.HostRecord, c.Store    what is in DNS
//	c.Node(i).Kill, Stop, Restart      a crash, a clean end, a new process
//	c.Node(i).Freeze, Thaw             a process that is stopped for a while
//	c.Node(i).Isolate, Reconnect       a partition
//	c.Node(i).CutStore, HealStore      no name server; c.CutStore for all nodes
//	c.Node(i).Store                    delays, lost answers, refusals
//	c.Node(i).Skew, StepClock          wrong clocks
//	c.Link(i, j).Cut, Heal, Delay      messages of one node to another
//
// The examples of this package are tests that it runs.
//
// # What is promised
//
//   - The nodes are real ones, with the real protocol; only the store and the
//     network below them are in memory. [New] returns when the group is
//     created and all nodes are members of it.
//   - A node that was killed sends nothing from then on, and nobody reaches it;
//     what it has sent before arrives. A frozen one makes no progress until it
//     thaws, while its clocks go on. One that is restarted is a new process.
//   - Faults are independent of each other and are in force when the method
//     returns. Each lasts until it is healed, or the test ends.
//   - Who waits in vain is told why: the test fails with the state of all nodes,
//     their faults, the record and the last events. [Cluster.String] tells the
//     same at any time.
//   - At the end of the test, by its Cleanup, every node is ended and awaited,
//     whatever the faults. Nothing is left running but calls of the program's
//     own hooks and handlers that ignore their contexts.
//   - It works in a bubble of testing/synctest, where a failover takes no time
//     at all and happens to the nanosecond, and outside, where it takes what it
//     takes. [New] has to be called in the bubble, with the bubble's T.
//
// # What is not promised
//
//   - A test cannot end or stop goroutines. A node that was killed or frozen is
//     one for the others, and its hooks are not called; but the program's own
//     goroutines and event handlers run on. After a kill they see what they see
//     in an ordered end: their contexts end, the role is over.
//   - Machines cannot be suspended: a node's monotonic clock never stands still.
//     [Node.Freeze] stops a process, and its clocks go on.
//   - DNS, HTTP, keys and signatures take no part. Package dnsstore/embedded
//     and transport/httptransport have those.
//   - The timers of the store's and the links' delays are those of the test,
//     not of a node's clock.
//
// # Timing
//
// The group has [availability.FastTiming], with which a crash costs five
// seconds. In a bubble any interval will do. Outside, an edit can make it
// shorter, down to an AllowedAbsenceInterval of 500 ms; but a machine that is
// busy with other tests then makes a healthy Primary late, and a test that does
// not expect it fails now and then.
//
// # Concurrency
//
// All methods may be called while others run. As [testing.TB] has it, those
// that can fail the test are for the test's own goroutine: all but the methods
// of [Link], CutStore, HealStore, Store, Go and String, and of a [Node] also
// Kill, Freeze, Thaw, Isolate and Reconnect.
//
// The package imports testing, so it belongs into tests only.
package agtest
