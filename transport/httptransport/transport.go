package httptransport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// Transport carries messages over HTTP: those that come in as an http.Handler,
// those that go out as a client. It is the transport of one group, or the
// mount of several: then each has its For. All methods are safe for concurrent
// use.
type Transport struct {
	path    string
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
	clients *clients
	nonces  *mint
	stats   counters
	problem error  // of the Config
	rest    *group // what For has not been called for

	mu       sync.Mutex // guards the following
	explicit keyring
	groups   map[string]*group
}

var (
	_ transport.Keyed     = (*Transport)(nil)
	_ transport.Addressed = (*Transport)(nil)
)

// For returns the transport of one group, for programs that are in several:
// the groups have one mount, and share connections where they may. It is
// [transport.Keyed] and [transport.Addressed], and the same one for the same
// group. Case and a final dot do not matter.
func (t *Transport) For(groupFQDN string) transport.Transport {
	name := strings.ToLower(strings.TrimSuffix(groupFQDN, "."))
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.groups[name]
	if g == nil {
		g = newGroup(t, name)
		t.groups[name] = g
	}
	return g
}

// route returns who takes the messages of a group.
func (t *Transport) route(name string) *group {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.groups[name]; g != nil {
		return g
	}
	return t.rest
}

// open tells whether anybody serves.
func (t *Transport) open() bool {
	if t.rest.desk.Open() {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range t.groups {
		if g.desk.Open() {
			return true
		}
	}
	return false
}

// SetExplicitKeys sets the keys of all groups, newest first, in the place of
// those in the Config. With none, the keys of SetKeys count again. It returns
// an error for a zero key, and then changes nothing.
func (t *Transport) SetExplicitKeys(keys ...transport.Key) error {
	ring, err := newKeyring(keys)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.explicit = ring
	return nil
}

func (t *Transport) explicitKeys() keyring {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.explicit
}

// SetKeys sets the keys, newest first, unless there are explicit ones. It
// returns an error if there is no key at all then, for a zero key, and for a
// mistake in the Config.
func (t *Transport) SetKeys(keys ...transport.Key) error { return t.rest.SetKeys(keys...) }

// SetAddress sets which group and node messages must be for. Until it is
// called those for any are delivered, and the handler must look.
func (t *Transport) SetAddress(groupFQDN, node string) error {
	return t.rest.SetAddress(groupFQDN, node)
}

// Serve delivers messages to h that come in through ServeHTTP. It returns an
// error at once if there is no key, for a mistake in the Config, and
// [transport.ErrServing] if it is running already.
func (t *Transport) Serve(ctx context.Context, h transport.Handler) error {
	return t.rest.Serve(ctx, h)
}

// Exchange sends m to the address of a peer. It costs one round trip, two at
// the first contact, after a pause of half a minute and after a change of keys.
func (t *Transport) Exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	return t.rest.Exchange(ctx, to, m)
}

// CloseIdleConnections closes the connections to peers that are not in use.
// Those that stay unused are closed after a while anyway.
func (t *Transport) CloseIdleConnections() { t.clients.closeIdle() }

// checkName tells whether a group and a node can be served.
func checkName(groupFQDN, node string) error {
	probe := transport.Message{Group: groupFQDN, From: node, To: node}
	if err := probe.Check(); err != nil {
		return fmt.Errorf("httptransport: set address: %w", err)
	}
	return nil
}

// errNoKeys: nothing can be signed.
var errNoKeys = errors.New("httptransport: no keys")
