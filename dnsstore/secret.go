package dnsstore

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// redacted is what is printed in the place of a secret.
const redacted = "[secret]"

// Secret is a text that must not be seen: no verb of package fmt, no encoder
// and no logger prints it, wherever in a value it stands. The zero value is no
// secret at all. Secrets are comparable, and safe for concurrent use but for
// UnmarshalText.
//
// The text stays in memory for as long as the program has use for it. Secret
// protects against writing it out by mistake, not against someone who reads
// the memory of the process.
type Secret struct {
	// h is a pointer, and that is the point: where package fmt cannot call the
	// methods of Secret, as in an unexported field, it prints an address.
	h unique.Handle[string]
}

// NewSecret returns text as a secret. An empty text gives the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{h: unique.Make(text)}
}

// Reveal returns the text, empty for the zero Secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.h.Value()
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal tells whether two secrets have the same text. It takes the same time
// for any two of them.
func (s Secret) Equal(other Secret) bool { return s == other }

// String returns a constant, or nothing for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, for every verb and with any flags.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // package fmt's own buffer does not fail
}

// LogValue returns what String does.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns no text and no error, so that every encoder writes an
// empty string.
func (s Secret) MarshalText() ([]byte, error) { return []byte{}, nil }

// UnmarshalText sets the secret to text. An empty text leaves it as it is, so
// that what was written by MarshalText may be read back over it. It never
// fails.
func (s *Secret) UnmarshalText(text []byte) error {
	if len(text) > 0 {
		*s = NewSecret(string(text))
	}
	return nil
}
