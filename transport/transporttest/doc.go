// Package transporttest is the suite that every [transport.Transport] must
// pass. A transport's own test calls [Run]:
//
//	func TestTransport(t *testing.T) {
//		transporttest.Run(t, func(t testing.TB) transporttest.Network {
//			// start what it needs, stop it with t.Cleanup
//			return transporttest.Network{A: …, B: …, Nowhere: …}
//		})
//	}
//
// # Promises
//
// What the suite checks is what the comments of package transport say: one
// request and one answer, the kinds of errors, refusal of messages to others,
// contexts, concurrency, the life of Serve, the limits of a body.
//
// # What is not promised
//
// The suite does not attack the transport: that nobody can forge, alter or
// replay a message is for the transport's own tests, which know the wire. It
// runs in real time and waits for conditions, never for a duration.
package transporttest
