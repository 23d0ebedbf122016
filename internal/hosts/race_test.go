//go:build linux && race

package hosts_test

// slower is by how much fewer requests are sent under the race detector, for
// which clients and the ledger cost several times as much.
const slower = 4
