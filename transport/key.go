package transport

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// MinKey is the least length of a key, in octets.
const MinKey = 32

// Key is what messages are signed with. Its octets cannot be got out again: no
// verb of package fmt, no encoder and no logger prints them, wherever in a
// value the key stands. The zero value is no key. Keys are comparable and safe
// for concurrent use.
//
// The octets stay in memory for as long as the program has use for them. Key
// protects against writing them out by mistake, not against someone who reads
// the memory of the process.
type Key struct {
	// h is a pointer, and that is the point: where package fmt cannot call the
	// methods of Key, as in an unexported field, it prints an address.
	h unique.Handle[string]
}

// NewKey returns a key of at least [MinKey] octets. They are copied. A key
// should come from a random source or from a key derivation function, never
// from a password.
func NewKey(octets []byte) (Key, error) {
	if len(octets) < MinKey {
		return Key{}, fmt.Errorf("transport: a key of %d octets: at least %d are needed", len(octets), MinKey)
	}
	return Key{h: unique.Make(string(octets))}, nil
}

// IsZero tells whether there is no key.
func (k Key) IsZero() bool { return k == Key{} }

// Equal tells whether two keys have the same octets. It takes the same time
// for any two of them.
func (k Key) Equal(other Key) bool { return k == other }

// MAC returns the HMAC-SHA256 (RFC 2104) of a domain and parts, each with its
// length before it, so that no two lists of parts have the same input. The
// domain says what the parts are: a code of one domain proves nothing in
// another. Compare codes with [hmac.Equal]. The zero Key is a key that
// everybody knows.
func (k Key) MAC(domain string, parts ...string) [sha256.Size]byte {
	var octets string
	if !k.IsZero() {
		octets = k.h.Value()
	}
	input := appendPart(make([]byte, 0, 512), domain) // room for a message of this module
	for _, part := range parts {
		input = appendPart(input, part)
	}
	mac := hmac.New(sha256.New, []byte(octets))
	_, _ = mac.Write(input) // a hash.Hash never returns an error
	return [sha256.Size]byte(mac.Sum(nil))
}

func appendPart(b []byte, part string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(part))), part...)
}

// ID returns a short name of the key, 8 hexadecimal digits, "none" for the
// zero Key. It is no secret: it tells nothing of the octets but whether a
// guess of all of them is right, as every code made with the key does. Two
// keys may have the same ID; it is a hint.
func (k Key) ID() string {
	if k.IsZero() {
		return "none"
	}
	sum := k.MAC("availabilitygroup/ag key id")
	return hex.EncodeToString(sum[:4])
}

// String returns the ID in words.
func (k Key) String() string { return "[key " + k.ID() + "]" }

// GoString returns what String does.
func (k Key) GoString() string { return k.String() }

// Format writes what String returns, for every verb and with any flags.
func (k Key) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, k.String()) // package fmt's own buffer does not fail
}

// LogValue returns what String does.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns what String does, and no error. There is no way back.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
