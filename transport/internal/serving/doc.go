// Package serving is the part that the Serve methods of all transports have in
// common: calls come in while Serve runs, they are told when it is to end, and
// it does not return before they have.
//
// # Promises
//
// No call begins before Serve does or after its context ended, and Serve
// returns after the last call has.
//
// # What is not promised
//
// Calls are told to end, not made to: one that does not heed its context holds
// Serve up.
package serving
