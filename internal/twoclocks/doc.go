// Package twoclocks makes times whose wall reading and monotonic reading have
// moved apart, as those of a machine do whose clock is set while it runs. The
// time package has no function for that. It is for tests, and for agtest, which
// only tests link.
//
//	step, ok := twoclocks.Stepped(time.Now(), time.Hour) // somebody has set the clock
//
// # What is promised
//
//   - Whether this version of Go keeps a time as this package believes is
//     checked before and after each write: what is not ok is returned as it was.
//
// # What is not promised
//
//   - Other years than 1885 to 2157: a time with a monotonic reading has no room
//     for them.
package twoclocks
