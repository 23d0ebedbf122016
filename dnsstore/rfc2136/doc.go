// Package rfc2136 is a [dnsstore.Store] on an authoritative DNS server: reads
// are queries to the primary master, changes are DNS UPDATE messages with
// prerequisites (RFC 2136), and both are signed with TSIG (RFC 8945).
//
//	store, err := rfc2136.Config{Server: "ns1.example.org"}.Open(dnsstore.Access{
//		FQDN:     "svc.example.org",
//		TSIGName: "failover-key", TSIGAlgorithm: "hmac-sha256", TSIGSecret: secret,
//	})
//
// # Promises
//
//   - Only a message that is signed by our key, over the signature of our very
//     request, and that fits the request, is an answer. Any other message is
//     as if it had never come. This goes for every result, good or bad.
//   - Apply sends one message. If it returns nil, a verified answer said that
//     the server has made the change. [dnsstore.ErrConflict] and
//     [dnsstore.ErrRefused] are returned only if one copy of that message was
//     sent and a verified answer said that nothing was changed.
//   - A message is sent again with the same octets, and only if a second copy
//     cannot undo what came after the first: its condition must be one that
//     the change itself makes false.
//   - A name that is to get records is also required to have no CNAME, because
//     servers drop records beside one and answer NOERROR.
//   - Lookup follows no CNAME and believes no server that is not authoritative
//     for the name.
//   - New does no input or output, and no method outlives its context, whatever
//     the server does.
//
// # What is not promised
//
//   - That a conflict is certain where messages are doubled on the way: of UDP
//     by any network, of TCP by an attacker who sends a captured message ahead
//     of itself. What the first copy has changed is seen by a second look, and
//     the end is then unknown; but not if somebody else has changed it again
//     before that. Whoever reads after a conflict, as groups do, is not misled:
//     a change that was made and is gone is as good as one that was not made.
//   - Several servers. The addresses in Config.Server are those of one primary
//     master. Two servers that share a database are two arbiters: their
//     updates are not serialised, and both of two rivals may win. A secondary
//     that forwards updates may send copies of its own, and answers queries
//     with old data.
//   - That a change is not made after Apply has given up on it. A message can
//     wait in a server for longer than anybody waits for its answer; TSIG's
//     fudge does not bound that. Make changes whose condition is a value that
//     never comes back.
//   - That the server does what it says. A server may answer NOERROR and have
//     skipped a record by policy, or serve old data from a cache. [Store.Probe]
//     looks for that before it matters, [Store.VerifyWrite] after a write.
//   - That PowerDNS tells upper from lower case in a TXT condition. It does
//     not: use values in lower case.
//
// # Errors
//
// Every error of a call is a [*ServerError]. It says what was asked of which
// server, what that server said, and what to do about it. What the caller
// decides by is wrapped:
//
//	condition false      dnsstore.ErrConflict  nothing was changed
//	refused for good     dnsstore.ErrRefused   nothing was changed: clock, zone, policy, frozen
//	not sent             ErrNotSent            nothing was changed: the server is out of reach
//	unknown              dnsstore.ErrUnknown   read before anything else
//	context ended        the cause of the context, beside ErrNotSent or ErrUnknown
//	store closed         ErrClosed, beside ErrNotSent or ErrUnknown
//	server unfit         ErrUnfit              from Probe and VerifyWrite, and from Lookup if old data blocks every change
//
// A wrong key or a wrong secret ends as unknown. The server cannot sign what
// it has to say about that, and whoever is on the way could say it as well. The
// text of the error names the likely mistake.
//
// # Transports
//
// TCP is the default: a new connection for each message, which is sent again
// once, on a second connection, if the first one broke or brought something
// that is no answer. With Config.Net "udp" messages of up to 512 octets go as
// datagrams, each from a port of its own, and are sent up to four times within
// the time there is; larger ones, and queries whose answer is cut off, go over
// TCP. The writes of a group are larger as a rule, since each carries the old
// record and the new one: "udp" is for its reads. A message may be doubled on
// the way, so the data is looked at once more before a condition that did not
// hold is called a conflict. TCP is the better choice wherever there is one.
//
// # Time
//
// A deadline of the context bounds a call; without one [Config.Timeout] does.
// TSIG wants the clocks of client and server to differ by at most the fudge
// (300 s). A server that refuses a message for its time signs what it says, so
// the store corrects itself: it sends the message again, signed by the server's
// clock, and goes on so. [Store.Skew] tells the difference. PowerDNS neither
// signs that refusal nor tells its time: there the clocks must be right.
//
// # The zone
//
// If no zone is given it is found by asking for the SOA of the FQDN and of the
// names above it. If no server is given either, the resolvers of this host are
// asked first, and the primary master is the one that the SOA names. What was
// found is kept until the server says that it is wrong. A server that is
// hidden, or another one than the SOA says, has to be given.
package rfc2136
