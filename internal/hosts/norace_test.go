//go:build linux && !race

package hosts_test

// slower is by how much fewer requests are sent.
const slower = 1
