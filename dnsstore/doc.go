// Package dnsstore is the contract of the arbiter: a place where a few DNS
// record sets are read and changed atomically, under a condition.
//
// # Promises
//
// Every [Store] keeps them; the suite in package dnsstoretest checks them.
//
//   - A [Change] is made as a whole or not at all, over any number of names
//     and types in it.
//   - A condition holds only if the whole RRset has exactly the stated data:
//     no record more, none less, TXT compared octet for octet and string for
//     string. Order and time to live are no part of it.
//   - After Apply has returned nil, every Lookup sees the change.
//   - Apply returns [ErrConflict] or [ErrRefused] only if nothing of it is
//     there: nothing was changed, or somebody else has changed it since.
//   - Of several changes that are conditional on the same value, at most one
//     is made.
//
// # What is not promised
//
//   - An error that wraps neither sentinel says nothing: the change may have
//     been made, or may be made later, after the call has returned. Read
//     before anything else, and never write the same value twice.
//   - Lookup tells what was true at some moment of the call, nothing about
//     now. Two Lookups are not one: a change may lie between them.
//   - A conflict does not tell what is there instead. Read it. Where a network
//     can double a message, one copy may have been applied and overwritten
//     before the other met the conflict.
//   - Some servers (PowerDNS) take TXT that differ in the case of letters only
//     for equal. Values without capitals are safe everywhere.
//   - Nothing here is a lock or a lease. Who holds what for how long is the
//     business of the caller.
//
// # Data
//
// An RRset's data is text in presentation form (RFC 1035 section 5.1), one
// element per record, as `dig +short` prints it. Addresses stand bare. A TXT
// record is one or more strings in quotes separated by a blank, where a quote
// and a backslash are escaped by a backslash, and an octet outside of the
// printable ASCII by a backslash and three decimal digits. [FormatTXT] and
// [ParseTXT] convert. Data that is not in the one form which FormatTXT and
// netip.Addr.String give is understood, and comes back in that form.
//
// # Use
//
// A program of its own seldom calls a store: it hands a function that opens
// one to its group. A new kind of store implements [Store] and runs the suite.
//
// [NewMemory] is a complete store in memory, for tests and for groups that
// live in one process. Stores that speak to a server are in sub-packages, so
// that whoever needs none of them links none of them.
package dnsstore
