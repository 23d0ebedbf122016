package transport

import (
	"context"
	"errors"
	"fmt"
)

// PeerError is what every error of Exchange is: what was done, with whom, and
// why it failed.
type PeerError struct {
	// Peer is the other node.
	Peer Peer
	// Op is what was done, "exchange".
	Op string
	// Err wraps one of [ErrUnreachable], [ErrUnauthenticated], [ErrRejected]
	// and [ErrInvalidMessage], and the error of the context if that had ended.
	Err error
}

// Error returns the facts in words. It names the node but not its URL.
func (e *PeerError) Error() string {
	return fmt.Sprintf("%s with %.80q: %v", e.Op, e.Peer.ID, e.Err)
}

// Unwrap returns Err.
func (e *PeerError) Unwrap() error { return e.Err }

// Timeout tells whether a deadline had passed.
func (e *PeerError) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// exchangeError wraps the reason of a failed exchange.
func exchangeError(to Peer, err error) error {
	return &PeerError{Peer: to, Op: "exchange", Err: err}
}
