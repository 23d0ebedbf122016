package record_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/record"
)

const secret = "c2VjcmV0IG9mIHRoZSBncm91cCwgMzIgb2N0ZXRzISE=" // base64 of "secret of the group, 32 octets!!"

// The key is part of the wire: nodes of different versions must derive the
// same. The value was computed by hand with HMAC-SHA256 per RFC 5869 §2.
func TestPeerKey_Vector(t *testing.T) {
	t.Parallel()
	const want = "3cf6c2763d122ec8785dbe446fdc7cd660e472a24f9ecc35233ffbebf262d9ba"
	key, err := record.PeerKey(secret, "gw.example.net")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(key); got != want {
		t.Errorf("PeerKey = %s, want %s", got, want)
	}
}

func TestPeerKey_NameIsCanonical(t *testing.T) {
	t.Parallel()
	a, errA := record.PeerKey(secret, "gw.example.net")
	b, errB := record.PeerKey(secret, "GW.Example.Net.")
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("keys of one name in two spellings differ: %x, %x (%v, %v)", a, b, errA, errB)
	}
	other, err := record.PeerKey(secret, "gw2.example.net")
	if err != nil || bytes.Equal(a, other) {
		t.Errorf("two groups have one key (%v)", err)
	}
}

func TestPeerKey_Errors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ secret, fqdn string }{
		{"", "gw.example.net"}, {"hunter2!", "gw.example.net"}, {"c2VjcmV0", ""}, {"c2VjcmV0", "."},
	} {
		key, err := record.PeerKey(c.secret, c.fqdn)
		if err == nil || key != nil {
			t.Errorf("PeerKey(%q, %q) = %x, %v, want an error", c.secret, c.fqdn, key, err)
			continue
		}
		if c.secret != "" && strings.Contains(err.Error(), c.secret) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}
