package transport

import (
	"context"
	"encoding/json"
	"errors"
)

// Errors that a caller decides by.
var (
	// ErrUnreachable: the peer gave no answer; it may have handled the message.
	ErrUnreachable = errors.New("transport: peer not reachable")
	// ErrUnauthenticated: an answer or a message was not signed by a known key, or was for somebody else.
	ErrUnauthenticated = errors.New("transport: not authenticated")
	// ErrRejected: the peer's handler refused the message.
	ErrRejected = errors.New("transport: rejected by the peer")
)

// Transport carries messages between the nodes of a group. All methods are
// safe for concurrent use.
type Transport interface {
	// Exchange sends one request and returns its one answer. It never retries
	// and returns promptly when ctx ends. After an error the peer may or may
	// not have handled the message. Every error is a [PeerError] that wraps
	// one of ErrUnreachable, ErrUnauthenticated, ErrRejected and
	// ErrInvalidMessage; when ctx has ended it wraps ErrUnreachable and the
	// error of ctx.
	Exchange(ctx context.Context, to Peer, m Message) (Message, error)
	// Serve delivers incoming messages to h, each on a goroutine of its own,
	// until ctx ends; it then waits for the running calls and returns nil. It
	// returns an error if it cannot deliver. It may be called again after it
	// has returned; while it runs, a second call returns ErrServing.
	Serve(ctx context.Context, h Handler) error
}

// Handler handles incoming messages, any number at a time. Only authentic
// messages to this node reach it.
//
// The context ends when Serve's does, and may end when the sender is known to
// have given up. Names that the handler leaves empty in its answer are those
// of the request, turned round. What an error says is told to the sender, who
// gets ErrRejected; if it wraps ErrUnauthenticated, the sender gets that. A
// panic is recovered and is an error too.
type Handler interface {
	HandleMessage(ctx context.Context, m Message) (Message, error)
}

// Peer is where a node is reached.
type Peer struct {
	// ID is the node's ID.
	ID string
	// URL is scheme://address:port, the address an IPv4 one or an IPv6 one in brackets.
	URL string
}

// Message is what nodes say to each other. A transport does not look into
// Body; a receiver refuses a message of another Group or To.
type Message struct {
	// Group is the FQDN of the group, in lower case and without a final dot.
	Group string `json:"group"`
	// From and To are node IDs.
	From string `json:"from"`
	To   string `json:"to"`
	// Kind says what Body is.
	Kind string `json:"kind"`
	// Body is a JSON value of at most MaxBody octets.
	Body json.RawMessage `json:"body,omitempty"`
}

// MaxBody is the largest Body, in octets.
const MaxBody = 16 << 10

// Keyed is implemented by transports that sign. A group calls SetKeys before
// Serve and whenever its TSIG secret changes, newest key first; all of the
// keys verify.
type Keyed interface {
	Transport
	SetKeys(keys ...Key) error
}
