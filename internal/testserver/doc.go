// Package testserver starts real authoritative DNS servers for tests: BIND,
// Knot, PowerDNS and CoreDNS, each a process of its own on loopback, on a free
// port, in a directory of its own, without root. With [WithNetwork] a server is
// on a host of its own, as far as the kernel can make one.
//
//	s := testserver.BIND(t)
//	store, err := rfc2136.Config{Server: s.Addr}.Open(s.Key("hmac-sha256").Access("svc.lab.test"))
//
// # Promises
//
//   - When a function returns, the server answers for the SOA of each of its
//     zones over UDP and over TCP.
//   - The zone lab.test takes updates from three keys, one for each of
//     hmac-sha256, hmac-sha384 and hmac-sha512, for every name and type. An
//     update survives Kill and Start. The keys are new for each server.
//   - The server ends with the test, whatever state it is in, and so does its
//     directory. A test that fails has the end of the server's log in its own.
//
// # What is not promised
//
//   - A test is skipped if its server is not installed, unless the environment
//     variable AG_REQUIRE_SERVERS is 1: then it fails.
//   - CoreDNS is not looked for in PATH, since a common CoreDNS lacks the
//     plugin. AG_COREDNS names the program; if AG_BUILD_COREDNS is 1 it is
//     built from the module internal/coredns, which takes a while.
//   - Servers differ, as real ones do. Nothing here hides it.
//
// The methods of a [Server] are for one goroutine at a time; its fields and
// Log are for any. They end the test if they fail, so they are called on the
// goroutine of the test.
package testserver
