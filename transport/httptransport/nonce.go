package httptransport

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// The life of a nonce.
const (
	// nonceLife bounds how long a request can be held up and still count: a
	// heartbeat of a Primary that has died puts a takeover off. A sender that
	// says something less often than that, which is more seldom than by default,
	// asks for a nonce first: that is one request more, answered by 401.
	nonceLife = 30 * time.Second
	// nonceKept is how long the use of one is remembered.
	nonceKept = 2 * time.Minute
	// signAgainWithin is how long after its first request an exchange may send
	// another. A request that was handled had a nonce younger than nonceLife,
	// so whatever comes within this time finds its use remembered, and is told
	// that it was handled, not that it is old. Half of the difference is room
	// for the two clocks.
	signAgainWithin = (nonceKept - nonceLife) / 2
)

// ticket is when a nonce was made: the time since the start of the process,
// pushed on where needed so that no two are equal. Nobody can push it ahead of
// the clock by making nonces: that takes longer than the nanosecond it gains.
type ticket uint64

// age returns how long before now a ticket was made.
func (k ticket) age(now ticket) time.Duration {
	if k > now {
		return 0
	}
	return time.Duration(now - k)
}

// nonceCode is how many octets of a code a nonce has.
const nonceCode = 16

// mint makes nonces and knows its own. It stores none.
type mint struct {
	key   transport.Key // dies with the process, and all nonces with it
	now   func() time.Time
	start time.Time

	mu   sync.Mutex // guards the following
	last ticket
}

func newMint(now func() time.Time) (*mint, error) {
	key, err := transport.NewKey(randomOctets(transport.MinKey))
	return &mint{key: key, now: now, start: now()}, err
}

// clock returns the present as a ticket, never earlier than before.
func (m *mint) clock() ticket {
	since := m.now().Sub(m.start)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = max(m.last, ticket(max(since, 0)))
	return m.last
}

// issue makes a nonce for a sender.
func (m *mint) issue(group, sender string) string {
	m.clock()
	m.mu.Lock()
	m.last++
	k := m.last
	m.mu.Unlock()
	octets := binary.BigEndian.AppendUint64(nil, uint64(k))
	code := m.code(octets, group, sender)
	return base64.RawURLEncoding.EncodeToString(append(octets, code...))
}

// open returns the ticket of a nonce that this mint made for the sender.
func (m *mint) open(nonce, group, sender string) (ticket, bool) {
	if len(nonce) != base64.RawURLEncoding.EncodedLen(8+nonceCode) { // decoding would skip line breaks
		return 0, false
	}
	octets, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil {
		return 0, false
	}
	if !hmac.Equal(m.code(octets[:8], group, sender), octets[8:]) {
		return 0, false
	}
	return ticket(binary.BigEndian.Uint64(octets)), true
}

func (m *mint) code(ticket []byte, group, sender string) []byte {
	sum := m.key.MAC("availabilitygroup/ag peer v1 nonce", string(ticket), group, sender)
	return sum[:nonceCode]
}
