package record

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The derivation of the peers' key. Nodes of different versions must agree on
// it, so these never change.
const (
	peerKeyInfo = "availabilitygroup/ag peer v1"
	peerKeySize = 32
)

// PeerKey derives the key that the nodes of a group sign their messages with
// from the TSIG secret, so that nobody has to hand out a second one:
// HKDF-SHA256 (RFC 5869) of the secret's octets, salted with the group's name
// in lower case and without a final dot. secretBase64 is the secret as it
// stands in a key file. The key has 32 octets. An error never holds any part
// of the secret.
func PeerKey(secretBase64, fqdn string) ([]byte, error) {
	secret, err := base64.StdEncoding.DecodeString(secretBase64)
	if err != nil || len(secret) == 0 {
		return nil, errors.New("derive the peers' key: the TSIG secret is not base64")
	}
	salt := strings.ToLower(strings.TrimSuffix(fqdn, "."))
	if salt == "" {
		return nil, errors.New("derive the peers' key: the group has no name")
	}
	key, err := hkdf.Key(sha256.New, secret, []byte(salt), peerKeyInfo, peerKeySize)
	if err != nil {
		return nil, fmt.Errorf("derive the peers' key: %w", err)
	}
	return key, nil
}
