// Package e2e tests a whole group from outside: real processes of
// examples/node, a real name server, real sockets, real signals.
//
//	go test ./internal/e2e
//	AG_REQUIRE_SERVERS=1 go test -race ./internal/e2e
//
// Each test has a BIND of its own (see internal/testserver) and nodes of its
// own on 127.0.0.1 and 127.0.0.2. The nodes reach each other through a relay
// of the test, so that it can cut them off from each other, and knows when the
// last heartbeat went over. With -race the nodes are built with the race
// detector, too.
//
// # What every test checks
//
// An outside observer asks every node for its state every few milliseconds,
// and at the end of each test compares: what two nodes have said must not mean
// that both were Primary at one instant, nor that two were Primary in one
// term. The observer knows when it asked and when it was answered, so what it
// reports is certain; it cannot be wrong because the machine was slow.
//
// No node may print the TSIG secret, a panic or a report of the race detector,
// and no process outlives its test.
//
// # Time
//
// Bounds that the protocol promises never to be passed the wrong way (nobody
// takes over too early, a Primary that is cut off stops in time) are checked
// strictly. How soon something happens is measured, logged, and checked with
// an allowance for a busy machine.
//
// The tests run on Linux: they need the addresses of 127.0.0.0/8, and signals.
// Without BIND they are skipped, or fail if AG_REQUIRE_SERVERS is 1.
package e2e
