package httptransport

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/internal/serving"
)

// group is the transport of one group, or of any that has no own.
type group struct {
	mount *Transport
	name  string // of the one group; empty: any
	desk  serving.Desk[transport.Handler]
	peers peers

	mu      sync.Mutex // guards the following
	ring    keyring
	address address
}

// address is whom messages must be for; empty: anybody.
type address struct{ group, node string }

var (
	_ transport.Keyed     = (*group)(nil)
	_ transport.Addressed = (*group)(nil)
)

func newGroup(mount *Transport, name string) *group {
	return &group{mount: mount, name: name, address: address{group: name}}
}

// SetKeys is documented at Transport.
func (g *group) SetKeys(keys ...transport.Key) error {
	if g.mount.problem != nil {
		return g.mount.problem
	}
	ring, err := newKeyring(keys)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.ring = ring
	g.mu.Unlock()
	if len(g.keys()) == 0 {
		return errNoKeys
	}
	return nil
}

// keys returns the keys that count.
func (g *group) keys() keyring {
	if explicit := g.mount.explicitKeys(); len(explicit) > 0 {
		return explicit
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ring
}

// SetAddress is documented at Transport.
func (g *group) SetAddress(groupFQDN, node string) error {
	if err := checkName(groupFQDN, node); err != nil {
		return err
	}
	if g.name != "" && g.name != groupFQDN {
		return fmt.Errorf("httptransport: the transport for group %q cannot serve group %q", g.name, groupFQDN)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.address = address{group: groupFQDN, node: node}
	return nil
}

func (g *group) servedAddress() address {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.address
}

// Serve is documented at Transport.
func (g *group) Serve(ctx context.Context, h transport.Handler) error {
	switch {
	case g.mount.problem != nil:
		return g.mount.problem
	case h == nil:
		return errors.New("httptransport: serve: nil handler")
	case len(g.keys()) == 0:
		return errNoKeys
	case !g.desk.Serve(ctx, h):
		return transport.ErrServing
	}
	return nil
}

// sign returns the field of an answer.
func (g *group) sign(k namedKey, to requestField, status int, body []byte) answerField {
	f := answerField{keyID: k.id, nonce: g.mount.nonces.issue(to.group, to.from)}
	f.mac = encodeMAC(f.code(k.key, to, status, body))
	return f
}

// spent tells whether the nonce of a request was used before, or perhaps.
func (g *group) spent(f requestField) bool {
	k, ok := g.mount.nonces.open(f.nonce, f.group, f.from)
	return ok && g.peers.spent(f.from, k, g.mount.nonces.clock())
}

// redeem uses the nonce of an authentic request.
func (g *group) redeem(f requestField) verdict {
	k, ok := g.mount.nonces.open(f.nonce, f.group, f.from)
	if !ok {
		return stale
	}
	return g.peers.use(f.from, k, g.mount.nonces.clock())
}
