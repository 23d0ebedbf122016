// Command fencing shows how a database and an object store refuse a Primary
// that writes too late:
//
//	go run .
//
// It runs two nodes of a group in memory, with real time. Both count in a
// SQLite database and in an object behind HTTP. The Primary is stopped after
// [availability.Group.Guard] has said yes and before it writes; the other one
// takes over and counts on; then the first goes on with its writes, and both
// stores refuse them. It exits with 0 only if all of that was seen.
//
// # Why a check is not enough
//
// IsPrimary, Guard and VerifyPrimary are true when they are asked. A process
// that is stopped between the check and the write (SIGSTOP, a long pause of the
// garbage collector, a paused virtual machine) does not know how long it was
// away, and no check on its side can tell it before its next instruction. Only
// what is written to can: it keeps the highest term that it has seen and
// refuses an older one.
//
// # What there is to copy
//
// Package sqlfence does it for SQL databases, in one row of one table; package
// objectfence for object stores with conditional writes, such as S3, Azure Blob
// and Google Cloud Storage. Both are short, and meant to be copied and changed:
// they are examples, without a promise that they stay as they are.
//
// # What is not shown
//
// What is outside such a store is not fenced: a mail that is sent, a request to
// a service that does not know terms. Write those down in the fenced store
// first and send them from there, at least once, with an ID by which the other
// side knows a repetition.
package main
