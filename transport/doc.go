// Package transport carries messages between the nodes of a group: one
// request, one answer. Here are the interface, the key that messages are
// signed with, and a network in memory; package httptransport carries messages
// over HTTP, and package transporttest is the suite that every transport must
// pass.
//
// # Promises
//
//   - A message reaches the handler of the node it is addressed to, and no
//     other, and only if it is authentic.
//   - An answer that Exchange returns was given to that very request, never to
//     an earlier one.
//   - A message that was sent once is handled at most once by one run of its
//     receiver, whatever the network does. (The Duplicate hook of [Memory]
//     breaks this on purpose.)
//   - Exchange returns promptly when its context ends.
//
// # What is not promised
//
//   - An error of Exchange does not say that the message was not handled.
//   - Messages that overlap in time may be handled in any order.
//   - A key belongs to the whole group: whoever holds it can speak for any of
//     its nodes. Messages are signed, not encrypted; for secrecy use HTTPS.
//
// # Use
//
// The node that is asked serves:
//
//	err := t.Serve(ctx, handler)
//
// and the node that asks exchanges:
//
//	answer, err := t.Exchange(ctx, peer, transport.Message{Group: group, From: "a", To: "b", Kind: "ping"})
//	switch {
//	case errors.Is(err, transport.ErrUnreachable): // no answer
//	case errors.Is(err, transport.ErrUnauthenticated): // wrong key, or wrong peer
//	case errors.Is(err, transport.ErrRejected): // it said no
//	}
//
// # Writing a transport
//
// Check messages with [Message.Check] before they are sent and after they have
// come in, call the handler through [Deliver], wrap errors in a [PeerError],
// and run the suite of package transporttest. A transport that signs is also
// [Keyed]; one that does not know whom it serves is [Addressed].
package transport
