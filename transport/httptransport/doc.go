// Package httptransport carries the messages of a group as JSON over HTTP or
// HTTPS, signed both ways. A [Transport] is an [http.Handler] that the host
// program mounts on a server of its own; the package opens no port.
//
// # Promises
//
//   - Only a message that was signed with a key of the group, for this node,
//     and was never seen before, reaches the handler. A captured message is of
//     no use to anybody, neither here nor at another node, neither now nor after
//     a restart.
//   - An answer counts only if it was signed for that very request. An answer
//     to an older request, or a request sent back as an answer, is refused.
//   - No clock is compared with another: a wrong one does no harm.
//   - A message is handled at most once by one run of its receiver, if every
//     node of the group knows its address ([Transport.SetAddress]).
//   - Each part of reading a request and writing its answer is bounded in size
//     and, where the host's server lets a handler set deadlines, in time: the
//     server need not have limits of its own but for headers
//     ([http.Server.ReadHeaderTimeout], which ends before a handler begins).
//   - Someone without a key cannot make this node store anything.
//   - Requests go to the address of [transport.Peer] and nowhere else: no proxy
//     of the environment, no redirect, no look-up of a name.
//
// # What is not promised
//
//   - Signatures do not hide a message. HTTPS does.
//   - The key is the group's: a member can speak for another member.
//   - Someone who can hold up the packets between two nodes can hold up their
//     messages, by at most half a minute, or keep them from arriving at all. A
//     heartbeat that comes so late, after its sender's death, puts off a
//     takeover as any other does.
//
// # Use
//
//	t := httptransport.New(httptransport.Config{})
//	mux.Handle(httptransport.Path, t)
//
// and give t to the group, which sets the keys and serves. Until then t answers
// 503. For several groups in one program mount one Transport and give each
// group its [Transport.For].
//
// A path prefix does no harm, nor does a reverse proxy that passes bodies and
// the header Ag-Peer on as they are; where the peers have mounted theirs is
// Config.Path.
//
// # The wire
//
// A request is a POST of the message as JSON ([transport.Message]). The field
//
//	Ag-Peer: v=1;group=…;from=…;to=…;id=…;nonce=…;key=…;mac=…
//
// names the group, the sender and the receiver; a number of the request, 16
// random octets; a nonce that the receiver made, or nothing; the ID of the key;
// and the code: HMAC-SHA256 over
//
//	"availabilitygroup/ag peer v1 request"
//	"POST", "/ag/peer", group, from, to, id, nonce, SHA-256 of the body
//
// each with its length before it, as 8 octets, the most significant one first
// ([transport.Key.MAC]). The path is the constant [Path], wherever a transport
// is mounted. An answer has
//
//	Ag-Peer: v=1;key=…;nonce=…;mac=…
//
// with the ID of the key, a nonce for the sender's next request, and the code
// over
//
//	"availabilitygroup/ag peer v1 answer"
//	status, "/ag/peer"
//	of the request: group, to, from, id, nonce, key, mac, SHA-256 of its body
//	of the answer: nonce, SHA-256 of its body
//
// Texts are as in the field; a code is 32 octets in base64url (RFC 4648 section
// 5) without padding. Digests are octets.
//
// What is covered follows RFC 9421: method and path (section 2.2), the content
// by its digest (section 7.2.8), and in an answer all of the request, its
// signature included (section 2.4), so that each answer belongs to one request.
// Its nonces (section 7.2.2) are the receiver's, as in RFC 9449 section 8, which
// need no clock; each answer brings the next one, as nextnonce does in RFC 7616
// section 3.5, so that an exchange is one round trip. The scheme is not RFC 9421
// itself: its path would be the one on the wire, which a proxy may change, and
// here nothing is to be negotiated.
//
// A request without a nonce, with one that is too old, or signed with a key
// that is not known gets 401 with a fresh nonce, signed with a key of the
// receiver's. The sender then signs once more. That is how a first contact, a
// restart and a change of keys go; the message has not been handled by then.
// A request whose nonce was used gets 409. Errors have problem details (RFC
// 9457) as their body, for people.
//
// # Nonces
//
// A nonce is the time since the receiver's start, made unique, and a code over
// it, the group and the sender, with a key that dies with the process. So
// issuing one stores nothing, and a flood of requests for nonces takes nothing
// away from anybody. Only the use of one, by an authentic request, is stored,
// per sender and at most 4096 of them: beyond that the oldest are taken for
// used. A nonce is good for thirty seconds; its use is remembered for two minutes,
// so that a message that may have been handled is never taken for one that is
// merely old.
//
// # Keys
//
// The group sets the keys, derived from its TSIG secret; keys in the Config are
// used instead, and are then the host's to change ([Transport.SetExplicitKeys]).
// All of them verify. A request is signed with the key that the peer's last
// authentic message used, else with the newest; an answer with the key of its
// request. To change a key without a failed exchange give all nodes, one after
// the other, the new and the old one, then the new one alone.
package httptransport
