package embedded_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

func TestNew_ReportsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	l, _ := listen(t)
	_, err := embedded.New(embedded.Config{
		Zone:     "example.test",
		Addr:     "nowhere",
		Listener: l,
		MaxConns: -1, IdleTimeout: -time.Second,
		Keys: []embedded.Key{
			{},
			{Name: "a", Algorithm: "hmac-md5", Secret: dnsstore.NewSecret("not base64!")},
			{Name: "B.", Secret: dnsstore.NewSecret("c2VjcmV0")},
			{Name: "b", Secret: dnsstore.NewSecret("c2VjcmV0"), Allow: []embedded.Grant{
				{Name: "svc.example.org"}, {Types: []string{"A", "TLSA", "NONE"}},
			}},
		},
		Records: []dnsstore.RRSet{
			rrset("svc.example.test", "A", "192.0.2.1", "192.0.2.1"),
			rrset("svc.example.test", "A", "192.0.2.300"),
			rrset("svc.example.test", "A", "192.0.2.1\nevil 1 IN A 192.0.2.2"),
			rrset("svc.example.test", "A", ""),
			rrset("svc.example.test", "A"),
			rrset("svc.example.test", "TXT", "unfinished \""),
			rrset("svc.example.test", "ANY", "x"),
			rrset("", "A", "192.0.2.1"),
			rrset("with blank.example.test", "A", "192.0.2.1"),
			rrset("svc.example.org", "A", "192.0.2.1"),
			{Key: dnsstore.Key{Name: "svc.example.test", Type: "A"}, TTL: -1, Data: []string{"192.0.2.1"}},
		},
	})
	want := []string{
		"Addr", "Addr", "IdleTimeout",
		"Keys[0].Name", "Keys[0].Secret", "Keys[1].Algorithm", "Keys[1].Secret",
		"Keys[3].Allow[0].Name", "Keys[3].Allow[1].Name", "Keys[3].Allow[1].Types", "Keys[3].Allow[1].Types", "Keys[3].Name",
		"MaxConns", "PacketConn",
		"Records", "Records[1]", "Records[2]", "Records[3]", "Records[4]", "Records[5]", "Records[6]", "Records[7]", "Records[8]", "Records[10]",
	}
	if diff := cmp.Diff(want, fields(t, err), cmp.Transformer("sorted", sorted)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s\n%v", diff, err)
	}
	if strings.Contains(err.Error(), "not base64!") || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("a secret is in the error: %v", err)
	}
}

func sorted(in []string) []string { return slices.Sorted(slices.Values(in)) }

// fields returns the fields that the joined errors name.
func fields(t *testing.T, err error) []string {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("not a joined error: %v", err)
	}
	var out []string
	for _, e := range joined.Unwrap() {
		f, ok := errors.AsType[*embedded.FieldError](e)
		if !ok {
			t.Fatalf("%v is no FieldError", e)
		}
		out = append(out, f.Field)
	}
	return out
}

func TestNew_Zone(t *testing.T) {
	t.Parallel()
	for zone, ok := range map[string]bool{
		"example.test": true, "Example.Test.": true, ".": true, "a-b.example": true,
		"": false, "a..b": false, "has blank": false, strings.Repeat("a", 64) + ".test": false,
	} {
		if _, err := embedded.New(embedded.Config{Zone: zone}); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %t", zone, err, ok)
		}
	}
}

// TestFieldError_MatchesNoOther: an error of another kind is not one.
func TestFieldError_MatchesNoOther(t *testing.T) {
	t.Parallel()
	if _, ok := errors.AsType[*embedded.FieldError](net.ErrClosed); ok {
		t.Error("net.ErrClosed is a FieldError")
	}
}

func TestGenerateSecret(t *testing.T) {
	t.Parallel()
	a, b := embedded.GenerateSecret(), embedded.GenerateSecret()
	if a.Equal(b) || len(a.Reveal()) != 44 {
		t.Errorf("lengths %d, %d, equal %t; want 44, not equal", len(a.Reveal()), len(b.Reveal()), a.Equal(b))
	}
	_, err := embedded.New(embedded.Config{Zone: "example.test", Keys: []embedded.Key{{Name: "k", Secret: a}}})
	if err != nil {
		t.Errorf("not a key: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Contains(text, a.Reveal()) {
		t.Error("the secret is printed")
	}
}
