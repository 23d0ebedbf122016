// Package zone is one DNS zone as a value: what it answers to a query, whether
// the prerequisites of an UPDATE hold in it, and what it is after an UPDATE
// (RFC 2136 section 3). It knows no socket, file, clock or key.
//
// A [Zone] never changes once it is made; [Zone.With] makes the next one. So
// any number of goroutines may read one, and nobody sees half of an update.
// [Zone.Update] does not apply anything either: it tells what would change, as
// a list that [Encode] turns into bytes for a journal and [Decode] back. What
// is replayed after a crash is therefore the outcome of an update, not the
// update, and does not depend on the rules that led to it.
//
// Making the next zone costs time in proportion to the number of names. That
// is meant for some thousands of names, not for a registry.
package zone
