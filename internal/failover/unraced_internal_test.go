//go:build !race

package failover

// raced: the race detector is at work, and everything takes ten times as long.
const raced = false
