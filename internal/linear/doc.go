// Package linear tests that every store is what the protocol takes it for: a
// register that is read and changed as if one call were made after the other.
//
//	go test ./internal/linear
//	AG_REQUIRE_SERVERS=1 go test -race ./internal/linear
//	AG_NIGHTLY=1 go test -timeout 30m ./internal/linear
//
// # How
//
// Several clients read and write a few registers at once, each through a
// network that delays, loses and doubles what passes it, while the server is
// killed and started again. A recorder notes when each call was made, when it
// returned, and with what. Porcupine then looks for an order of the calls that
// explains all answers. If there is none, the store has broken its promise, and
// the test fails with the history in its log and as a page in its artifacts
// (go test -artifacts).
//
// # What is checked
//
// A register is a name: its TXT, A and AAAA sets, each with its data or absent.
// A write replaces all three in one change, on condition of the whole TXT set
// as it was seen, and now and then of the addresses too. So the state of the
// model holds all of them, and a read of any one must agree with it: a change
// of which one half is seen without the other is found as a read that no order
// explains. Half of the registers have their TXT at a name of its own. A
// condition may also be asked alone.
//
// A call of Apply ends in one of these ways, and each says something different
// to the model:
//
//   - applied: it was made, at some moment of the call, and its conditions held;
//   - conflict: it was not made, and at some moment of the call a condition did
//     not hold;
//   - conflict, where messages are doubled on the way (UDP, and an attacker who
//     sends copies ahead of what he has captured): as before, or it was made,
//     and another change has replaced it before the call returned;
//   - refused: it was never made and never will be;
//   - unknown: it was made at some moment after it was called, even long after
//     its caller gave up on it, if its conditions held then; or never.
//
// A read that fails says nothing.
//
// A run must have had successes, conflicts and unknown ends, or it fails: it
// would have shown nothing. Stores with planted faults show that the check
// finds them.
//
// # What is not checked
//
//   - Values are never written twice, except that stores without a network in
//     front of them have registers deleted and created again. Behind a network
//     that doubles messages nobody may do so (see package rfc2136), and groups
//     do not.
//   - Times to live are no part of a register.
//   - That calls end, and how soon, is for package dnsstoretest.
//   - Killing a process does not test a loss of power.
package linear
