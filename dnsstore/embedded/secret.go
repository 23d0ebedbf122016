package embedded

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/availabilitygroup/ag/dnsstore"
)

// secretSize is the size in octets of a new secret, the output of SHA-256
// (RFC 8945 section 8).
const secretSize = 32

// GenerateSecret returns a new TSIG secret of 256 random bits, in base64.
func GenerateSecret() dnsstore.Secret {
	octets := make([]byte, secretSize)
	_, _ = rand.Read(octets) // never fails
	return dnsstore.NewSecret(base64.StdEncoding.EncodeToString(octets))
}
