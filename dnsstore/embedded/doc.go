// Package embedded is an authoritative DNS server for one zone, inside the
// process: for development, tests and the quickstart. It speaks the real
// protocol on real sockets, so that what was tried against it is the same
// thing that runs against BIND or Knot: UPDATE with prerequisites (RFC 2136),
// signed by TSIG (RFC 8945), over UDP and TCP.
//
// # Promises
//
//   - An UPDATE is applied as a whole or not at all. One whose prerequisites
//     fail, whose signature does not verify, or which names anything that its
//     key may not change, changes nothing.
//   - Of several UPDATEs that are conditional on the same value, at most one
//     is applied. They are taken one after the other.
//   - With [Config.Dir], an UPDATE is on the disk before its answer leaves.
//     After kill -9 or a loss of power every acknowledged one is still there;
//     one that was not acknowledged may be. If the disk refuses, the answer is
//     SERVFAIL and the zone is as before.
//   - A query that is received after an UPDATE was answered sees its outcome,
//     and never half of one.
//   - An UPDATE without a signature is refused. A signed request gets a signed
//     answer, queries too.
//   - All goroutines end before [Server.Run] returns.
//
// # What is not promised
//
//   - A server inside one of the nodes that it arbitrates between is a single
//     point of failure: the group cannot outlive that process. Use it where
//     that does not matter, and a real name server everywhere else.
//   - There is one zone and one server: no secondaries, transfers (AXFR and
//     IXFR are refused), NOTIFY, DNSSEC or wildcards.
//   - It is not made for the open internet. Anybody who reaches it may ask
//     it; there is no rate limit per client.
//   - It is made for some thousands of names, all in memory.
//   - Within the time that a signature is valid (300 s for most clients) the
//     same octets may be sent again by whoever saw them, as with every server.
//     Prerequisites make that harmless, see package rfc2136.
//
// # Use
//
//	server, err := embedded.New(embedded.Config{
//		Zone: "example.test",
//		Keys: []embedded.Key{{Name: "ag-key", Secret: embedded.GenerateSecret()}},
//	})
//	…
//	go server.Run(ctx)
//	addr, err := server.Addr(ctx) // waits until it serves: "127.0.0.1:40123"
//
// [New] checks and does nothing; Run binds, serves and blocks until ctx ends.
// Programs that are to find the zone again give a Dir and a fixed Addr.
// Tools work against it too:
//
//	dig @127.0.0.1 -p 40123 -y hmac-sha256:ag-key:SECRET svc.example.test TXT
//
// # What it keeps and answers
//
// A zone holds A, AAAA, CAA, CNAME, MX, NS, PTR, SOA, SRV and TXT records; an
// UPDATE that adds another type is REFUSED. The rules for CNAME, SOA and the
// NS of the apex are those of RFC 2136 section 3.4.2: what they forbid is
// passed over, with NOERROR. RRs of a set have one time to live, that of the
// last one added. The serial number goes up by one with each change; an UPDATE
// that changes nothing leaves it.
//
// Answers are minimal, spelled as the question is, and never longer than 512
// octets over UDP, or 1232 for a client that says it takes that (RFC 6891);
// longer ones are empty and have TC set. Requests may have up to 65535 octets
// over either. Names outside of the zone are REFUSED.
//
// # Files
//
// The directory has zone.journal, which is a snapshot of the zone and the
// changes since, each with a checksum; zone.journal.new, while the former is
// rewritten; and lock, which keeps a second server out. A journal that was cut
// off in its last entry is mended; one that is damaged elsewhere is an error,
// since it had acknowledged changes.
package embedded
