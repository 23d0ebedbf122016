package httptransport

import (
	"crypto/hmac"
	"fmt"
	"slices"

	"github.com/availabilitygroup/ag/transport"
)

// keyring is keys with their IDs, newest first. It is never changed.
type keyring []namedKey

type namedKey struct {
	id  string
	key transport.Key
}

func newKeyring(keys []transport.Key) (keyring, error) {
	var ring keyring
	for i, key := range keys {
		if key.IsZero() {
			return nil, fmt.Errorf("httptransport: key %d of %d is the zero key", i+1, len(keys))
		}
		ring = append(ring, namedKey{id: key.ID(), key: key})
	}
	return ring, nil
}

// pick returns the first key with an ID, else the newest, else the zero
// namedKey.
func (r keyring) pick(id string) namedKey {
	i := slices.IndexFunc(r, func(k namedKey) bool { return k.id == id })
	switch {
	case i >= 0:
		return r[i]
	case len(r) > 0:
		return r[0]
	}
	return namedKey{}
}

// verify returns the key that made a code. IDs are short, so several keys may
// have the same one.
func (r keyring) verify(id string, code []byte, sign func(transport.Key) [macSize]byte) (namedKey, bool) {
	for _, k := range r {
		if k.id != id {
			continue
		}
		want := sign(k.key)
		if hmac.Equal(want[:], code) {
			return k, true
		}
	}
	return namedKey{}, false
}
