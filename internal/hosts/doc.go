// Package hosts tests a group as it is deployed: real processes on hosts of
// their own, that is in Linux network namespaces, with a real name server, real
// links and real signals.
//
//	sudo go test ./internal/hosts
//	sudo AG_REQUIRE_SERVERS=1 go test -v -run TestHosts_Scenarios/kill ./internal/hosts
//
// # The laboratory
//
// Each scenario has a network of its own: a switch, the hosts a and b with a
// node each, the host of the name server (BIND, for some scenarios also Knot
// and PowerDNS), and a host outside. Any direction between two hosts can be
// cut, and packets can be lost at random. Nodes are processes of examples/node.
// Where a scenario needs a program with a clock that can be set, or one that
// writes by itself, the test binary runs itself again: that program uses the
// public API alone.
//
// Two watch. The observer asks every node for its state every few
// milliseconds, on the node's own host, where no scenario cuts anything: what
// two nodes have said must not mean that both were Primary at one instant, nor
// that two were Primary in one term. It knows when it asked and when it was
// answered, so what it reports is certain. The ledger, on the host outside,
// takes writes that carry a term from each Primary, and refuses a term older
// than the highest it has seen: no write of an older term is accepted after a
// newer one, and a term has one writer. How often it had to refuse is counted:
// that is what terms are for.
//
// Under load, the nodes are processes of examples/workflow, and two clients on
// the host outside send them requests through the name of the group, whatever
// happens: one that knows the name alone and keeps its address for the TTL, and
// one of package agclient. Each request has an ID, which the program writes to
// the ledger with the term.
//
// # Promises
//
//   - Nothing outside of the namespaces is touched: no interface, route or
//     table of the machine. The namespaces have no names. They end with the
//     test and with what runs in them, also if the test is killed.
//   - Each scenario ends with one Primary, or with what the protocol says, and
//     the time that took is compared with the bound that follows from the
//     group's intervals. Both are attributes of the test: prove.<scenario>.
//   - Under load, no request is served twice, none that was refused is served,
//     and each answer says what the ledger has. A planned failover, and an
//     ordered restart, loses none.
//   - TestHosts_Bites shows that the watchers report what they are for: two
//     servers for one name, a node whose lease is too long, a writer with an old
//     term; and that a way that is cut is. TestHosts_LoadBites shows that lost
//     requests are found.
//
// # What is not promised
//
// The tests run on Linux, as root, with ip and nft. Without these they are
// skipped and say so, or fail if AG_REQUIRE_SERVERS is 1 and they run as root.
// A bound is that of a machine which runs a process that is ready at once. The
// test measures by how much its own machine is late, and allows for that.
//
// With AG_NIGHTLY=1 there are scenarios that take minutes.
package hosts
