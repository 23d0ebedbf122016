package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

var (
	// ErrNotSent: the message that could have changed something has not left
	// this host, so nothing was changed.
	ErrNotSent = errors.New("rfc2136: not sent")
	// ErrClosed: the store was closed before or during the call.
	ErrClosed = errors.New("rfc2136: store is closed")
	// ErrUnfit is dnsstore.ErrUnfit: the server was reached and answered, but
	// not as an arbiter has to. A group must not be built on it.
	ErrUnfit = dnsstore.ErrUnfit
)

// NoAnswer is the Rcode of a [ServerError] if no answer was accepted.
const NoAnswer = -1

// ServerError is why a call has failed, as fully as it is known. It is the
// error of every method that speaks to a server.
type ServerError struct {
	// Op is the method: "lookup", "apply", "probe" or "verify".
	Op string
	// Name is what the call was about, a name and for a lookup a type.
	Name string
	// Server is the address that was last spoken to, or what was to be tried.
	Server string
	// Zone is the zone, without the final dot; empty if it is not known.
	Zone string
	// Rcode is the response code of the verified answer (RFC 6895 section
	// 2.3), NoAnswer if there was none.
	Rcode int
	// TSIGError is the error in the signature of the verified answer (16
	// BADSIG, 17 BADKEY, 18 BADTIME), 0 for none.
	TSIGError int
	// Copies is how many copies of a message may have reached the server.
	Copies int
	// Skew is the server's time minus this host's if the clocks are the
	// reason, else 0.
	Skew time.Duration
	// Advice says in words what is probably wrong and what to do. It may quote
	// what messages said that could not be verified.
	Advice string
	// Err is what to decide by (see the package comment), and the cause.
	Err error
}

// Error returns all of it in one line. It has no secret in it.
func (e *ServerError) Error() string {
	var b strings.Builder
	b.WriteString("rfc2136: " + e.Op)
	if e.Name != "" {
		b.WriteString(" " + e.Name)
	}
	if e.Server != "" {
		b.WriteString(" at " + e.Server)
	}
	if e.Zone != "" {
		b.WriteString(" (zone " + e.Zone + ")")
	}
	if e.Rcode != NoAnswer {
		b.WriteString(": " + rcodeText(e.Rcode))
	}
	if e.TSIGError != 0 {
		b.WriteString(" with " + tsigErrorText(e.TSIGError))
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Advice != "" {
		b.WriteString(": " + e.Advice)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *ServerError) Unwrap() error { return e.Err }

// Timeout tells whether the call ended because its time was over.
func (e *ServerError) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// because joins a sentinel with the cause. Either may be nil.
func because(sentinel, cause error) error {
	switch {
	case sentinel == nil:
		return cause
	case cause == nil:
		return sentinel
	}
	return fmt.Errorf("%w: %w", sentinel, cause)
}
