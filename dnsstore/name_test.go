package dnsstore_test

import (
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"SVC.Lab.Test.", "svc.lab.test"},
		{"svc.lab.test", "svc.lab.test"},
		{"_AG.svc.lab.test.", "_ag.svc.lab.test"},
		{".", ""},
		{"", ""},
		{"a..", "a."},
		{"ÄÖ.test", "ÄÖ.test"}, // ASCII letters only
		{"\xff.Test", "\xff.test"},
	} {
		if got := dnsstore.Canonical(c.name); got != c.want {
			t.Errorf("Canonical(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".") // 253 octets
	for _, c := range []struct{ name, kind, want string }{
		{"svc.lab.test", "TXT", ""},
		{"svc.lab.test", "A", ""},
		{"svc.lab.test", "AAAA", ""},
		{"svc.lab.test", "CNAME", ""},
		{"lab.test", "SOA", ""},
		{"_ag.svc-1.lab.test", "TXT", ""},
		{"*.wild.lab.test", "TXT", ""},
		{"test", "SOA", ""},
		{long, "TXT", ""},
		{label + ".test", "TXT", ""},
		{"", "TXT", `name "": empty`},
		{".", "TXT", `name ".": has a final dot`},
		{"svc.lab.test.", "TXT", `name "svc.lab.test.": has a final dot`},
		{"Svc.lab.test", "TXT", `name "Svc.lab.test": not in lower case`},
		{"a..b", "TXT", `name "a..b": label of 0 octets; from 1 to 63`},
		{".a", "TXT", `name ".a": label of 0 octets; from 1 to 63`},
		{"a" + label + ".test", "TXT", `name "a` + label + `.test": label of 64 octets; from 1 to 63`},
		{"a" + long, "TXT", `name "a` + long + `": 254 octets; at most 253`},
		{"a b", "TXT", `name "a b": character ' '`},
		{`a\.b`, "TXT", `name "a\\.b": character '\\'`},
		{"a;b", "TXT", `name "a;b": character ';'`},
		{"ä.test", "TXT", "name \"ä.test\": character 'Ã'"},
		{"svc.lab.test", "MX", `type "MX" of svc.lab.test: not one of TXT, A, AAAA, CNAME, SOA`},
		{"svc.lab.test", "txt", `type "txt" of svc.lab.test: not one of TXT, A, AAAA, CNAME, SOA`},
		{"svc.lab.test", "", `type "" of svc.lab.test: not one of TXT, A, AAAA, CNAME, SOA`},
	} {
		err := dnsstore.CheckKey(dnsstore.Key{Name: c.name, Type: c.kind})
		if got := errorText(err); got != c.want {
			t.Errorf("CheckKey(%q, %q) = %s, want %s", c.name, c.kind, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
