package dnsstore_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
)

// hidden is what must not be seen. Its octets in hexadecimal must not either.
const hidden = "bm90LXRvLWJlLXNlZW4="

// holder has a secret in every place where package fmt looks differently.
type holder struct {
	Exported   dnsstore.Secret
	unexported dnsstore.Secret
	Pointer    *dnsstore.Secret
	Any        any
	List       []dnsstore.Secret
	Values     map[string]dnsstore.Secret
	Keys       map[dnsstore.Secret]int
}

func newHolder() holder {
	s := dnsstore.NewSecret(hidden)
	return holder{
		Exported: s, unexported: s, Pointer: &s, Any: s, List: []dnsstore.Secret{s},
		Values: map[string]dnsstore.Secret{"k": s}, Keys: map[dnsstore.Secret]int{s: 1},
	}
}

// wantHidden looks for the secret, also as %x and %q would write it.
func wantHidden(t *testing.T, where, out string) {
	t.Helper()
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprintf("%d", []byte(hidden)), hidden[:8]} {
		if strings.Contains(out, form) {
			t.Errorf("%s shows the secret: %s", where, out)
		}
	}
}

func TestSecret_IsPrintedByNoVerb(t *testing.T) {
	t.Parallel()
	s := dnsstore.NewSecret(hidden)
	h := newHolder()
	a := dnsstore.Access{FQDN: "svc.lab.test", TSIGSecret: s}
	values := map[string]any{"secret": s, "pointer": &s, "holder": h, "pointer to holder": &h, "access": a, "list": []any{s, &s, h}}
	for verb := range strings.SplitSeq("v +v #v s q x X d o b c e f g t T p U w", " ") {
		for what, value := range values {
			for _, flags := range []string{"", "30", "-30", "#", "+", " ", "0", ".3"} {
				format := "%" + flags + verb
				wantHidden(t, what+" "+format, fmt.Sprintf(format, value))
			}
		}
	}
	for what, value := range values {
		wantHidden(t, what+" Print", fmt.Sprint(value))
		wantHidden(t, what+" Println", fmt.Sprintln(value))
		wantHidden(t, what+" in an error", fmt.Errorf("open: %w", errors.New(fmt.Sprint(value))).Error())
	}
}

func TestSecret_Format(t *testing.T) {
	t.Parallel()
	s, zero := dnsstore.NewSecret(hidden), dnsstore.Secret{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s"} {
		if got := fmt.Sprintf(verb, s); got != "[secret]" {
			t.Errorf("%s printed %q", verb, got)
		}
		if got := fmt.Sprintf(verb, zero); got != "" {
			t.Errorf("%s of the zero Secret printed %q", verb, got)
		}
	}
	if s.String() != "[secret]" || s.GoString() != "[secret]" || zero.String() != "" || zero.GoString() != "" {
		t.Errorf("String %q, GoString %q; of the zero Secret %q, %q", s.String(), s.GoString(), zero.String(), zero.GoString())
	}
}

func TestSecret_IsEncodedByNobody(t *testing.T) {
	t.Parallel()
	h := newHolder()
	out, err := json.Marshal(map[string]any{"holder": h, "secret": h.Exported, "access": dnsstore.Access{TSIGSecret: h.Exported}})
	if err != nil {
		t.Fatal(err)
	}
	wantHidden(t, "JSON", string(out))
	if got, err := json.Marshal(h.Exported); err != nil || string(got) != `""` {
		t.Errorf("JSON is %s, %v", got, err)
	}
	if out, err = xml.Marshal(struct {
		XMLName xml.Name        `xml:"access"`
		S       dnsstore.Secret `xml:"secret"`
	}{S: h.Exported}); err != nil {
		t.Fatal(err)
	}
	wantHidden(t, "XML", string(out))
}

func TestSecret_IsLoggedByNobody(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := newHolder()
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).With("with", h.Exported).Info("message",
			"secret", h.Exported, "pointer", h.Pointer, "holder", h, "pointer to holder", &h, "list", h.List, "keys", h.Keys,
			slog.Group("group", "secret", h.Exported))
	}
	wantHidden(t, "slog", out.String())
	if !strings.Contains(out.String(), "secret=[secret]") || !strings.Contains(out.String(), `"secret":"[secret]"`) {
		t.Errorf("slog wrote %s", out.String())
	}
}

func TestSecret_Reveal(t *testing.T) {
	t.Parallel()
	s, zero := dnsstore.NewSecret(hidden), dnsstore.Secret{}
	if s.Reveal() != hidden || s.IsZero() {
		t.Errorf("Reveal returned %q, IsZero %t", s.Reveal(), s.IsZero())
	}
	if zero.Reveal() != "" || !zero.IsZero() || !dnsstore.NewSecret("").IsZero() {
		t.Errorf("the zero Secret reveals %q, IsZero %t", zero.Reveal(), zero.IsZero())
	}
}

func TestSecret_Equal(t *testing.T) {
	t.Parallel()
	a, b := dnsstore.NewSecret(hidden), dnsstore.NewSecret(strings.Clone(hidden))
	other, zero := dnsstore.NewSecret("other"), dnsstore.NewSecret("")
	if !a.Equal(b) || a != b || !zero.Equal(dnsstore.Secret{}) {
		t.Error("equal secrets differ")
	}
	if a.Equal(other) || a.Equal(zero) || zero.Equal(a) {
		t.Error("different secrets are equal")
	}
}

func TestSecret_UnmarshalText(t *testing.T) {
	t.Parallel()
	var v struct {
		S dnsstore.Secret `json:"tsig_secret,omitzero"`
	}
	for _, c := range []struct{ text, want string }{
		{`{}`, ""},
		{`{"tsig_secret":""}`, ""},
		{`{"tsig_secret":"one"}`, "one"},
		{`{"tsig_secret":""}`, "one"},
		{`{"tsig_secret":null}`, "one"},
		{`{"tsig_secret":"two"}`, "two"},
	} {
		if err := json.Unmarshal([]byte(c.text), &v); err != nil || v.S.Reveal() != c.want {
			t.Errorf("%s: the secret is %q, %v; want %q", c.text, v.S.Reveal(), err, c.want)
		}
	}
	out, err := json.Marshal(v)
	if err != nil || string(out) != `{"tsig_secret":""}` {
		t.Errorf("written as %s, %v", out, err)
	}
	if err := json.Unmarshal(out, &v); err != nil || v.S.Reveal() != "two" {
		t.Errorf("read back over itself: %q, %v", v.S.Reveal(), err)
	}
}
