package transport_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
)

func newKey(t testing.TB, octets string) transport.Key {
	t.Helper()
	key, err := transport.NewKey([]byte(octets))
	if err != nil {
		t.Fatalf("NewKey: %v", err)
	}
	return key
}

var (
	_ fmt.Formatter  = transport.Key{}
	_ fmt.GoStringer = transport.Key{}
	_ slog.LogValuer = transport.Key{}
)

func TestNewKey_Length(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 31, 32, 33, 64, 65, 1000} {
		key, err := transport.NewKey(make([]byte, length))
		if ok := length >= transport.MinKey; (err == nil) != ok || key.IsZero() == ok {
			t.Errorf("NewKey of %d octets: got %v, error %v, want ok %v", length, key, err, ok)
		}
	}
}

func TestNewKey_Copies(t *testing.T) {
	t.Parallel()
	octets := bytes.Repeat([]byte("a"), transport.MinKey)
	key, err := transport.NewKey(octets)
	if err != nil {
		t.Fatal(err)
	}
	before := key.MAC("x")
	octets[0] = 'b'
	if key.MAC("x") != before {
		t.Error("the key changes with the octets it was made of")
	}
}

func TestKey_Equal(t *testing.T) {
	t.Parallel()
	a, same, b := newKey(t, strings.Repeat("a", 32)), newKey(t, strings.Repeat("a", 32)), newKey(t, strings.Repeat("a", 33))
	var zero transport.Key
	for _, c := range []struct {
		x, y transport.Key
		want bool
	}{{a, same, true}, {a, b, false}, {a, zero, false}, {zero, zero, true}} {
		if got := c.x.Equal(c.y); got != c.want {
			t.Errorf("%v equal to %v: got %v, want %v", c.x, c.y, got, c.want)
		}
	}
	if !zero.IsZero() || a.IsZero() {
		t.Error("IsZero is wrong")
	}
}

// TestKey_MAC compares with the definition, with a key longer than a block of
// SHA-256.
func TestKey_MAC(t *testing.T) {
	t.Parallel()
	octets := strings.Repeat("\xaa", 131)
	key := newKey(t, octets)
	mac := hmac.New(sha256.New, []byte(octets))
	mac.Write([]byte("\x00\x00\x00\x00\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01c"))
	got := key.MAC("ab", "", "c")
	if diff := cmp.Diff(hex.EncodeToString(mac.Sum(nil)), hex.EncodeToString(got[:])); diff != "" {
		t.Errorf("code mismatch (-want +got):\n%s", diff)
	}
}

func TestKey_MACIsUnambiguous(t *testing.T) {
	t.Parallel()
	key := newKey(t, strings.Repeat("a", 32))
	seen := map[[32]byte]string{}
	for _, parts := range [][]string{
		{"ab"},
		{"a", "b"},
		{"", "ab"},
		{"ab", ""},
		{"", "a", "b"},
		{"a", "", "b"},
		{"b", "a"},
		{"\x00\x00\x00\x00\x00\x00\x00\x01a"},
	} {
		for _, domain := range []string{"x", "y", ""} {
			code, name := key.MAC(domain, parts...), fmt.Sprintf("%q %q", domain, parts)
			if other, found := seen[code]; found {
				t.Errorf("%s and %s have the same code", name, other)
			}
			seen[code] = name
		}
	}
	var zero transport.Key
	if zero.MAC("x") == key.MAC("x") {
		t.Error("the zero key makes the codes of another")
	}
}

func TestKey_ID(t *testing.T) {
	t.Parallel()
	a, b := newKey(t, strings.Repeat("a", 32)), newKey(t, strings.Repeat("b", 32))
	if a.ID() == b.ID() || len(a.ID()) != 8 {
		t.Errorf("got IDs %q and %q", a.ID(), b.ID())
	}
	if got := (transport.Key{}).ID(); got != "none" {
		t.Errorf("got ID %q of no key, want none", got)
	}
}

// TestKey_IsNeverShown looks for the octets in everything that prints.
func TestKey_IsNeverShown(t *testing.T) {
	t.Parallel()
	const octets = "SECRETsecretSECRETsecretSECRETsecret"
	key := newKey(t, octets)
	type hidden struct {
		key  transport.Key
		keys map[string][]transport.Key
	}
	values := map[string]any{
		"key": key, "pointer": &key, "slice": []transport.Key{key}, "map": map[transport.Key]int{key: 1},
		"field": struct{ Key transport.Key }{key}, "hidden": hidden{key, map[string][]transport.Key{"x": {key}}},
		"error": fmt.Errorf("with %v", key),
	}
	for name, value := range values {
		var shown []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T", "%#x", "%+q", "%b", "%10.3s", "%p", "%!"} {
			shown = append(shown, fmt.Sprintf(verb, value))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("k", value))
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("k", value))
		asJSON, _ := json.Marshal(value) // some are not to be encoded
		asXML, _ := xml.Marshal(value)
		shown = append(shown, log.String(), string(asJSON), string(asXML))
		for _, text := range shown {
			lower := strings.ToLower(text)
			for _, form := range []string{"secret", hex.EncodeToString([]byte("SECRET")), hex.EncodeToString([]byte("secret")), "83 69 67", "u0053"} {
				if strings.Contains(lower, form) {
					t.Errorf("%s: the octets are in %s", name, text)
				}
			}
		}
	}
}

func TestKey_Text(t *testing.T) {
	t.Parallel()
	key := newKey(t, strings.Repeat("k", 32))
	const want = "[key 270fdff9]"
	asJSON, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]string{
		"String": key.String(), "%v": fmt.Sprintf("%v", key), "%#v": fmt.Sprintf("%#v", key), "%x": fmt.Sprintf("%x", key),
		"GoString": key.GoString(), "JSON": strings.Trim(string(asJSON), `"`), "slog": key.LogValue().String(),
	} {
		if got != want {
			t.Errorf("%s: got %q, want %q", how, got, want)
		}
	}
}
