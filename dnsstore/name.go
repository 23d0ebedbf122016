package dnsstore

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxName  = 253 // RFC 1035 section 3.1: 255 octets on the wire
	maxLabel = 63
)

// Canonical returns name as a [Key] wants it: in lower case and without the
// final dot. It does not check the name; [CheckKey] does.
func Canonical(name string) string {
	return lower(strings.TrimSuffix(name, "."))
}

// lower changes the case of ASCII letters only: names compare so (RFC 4343).
func lower(s string) string {
	octets := []byte(s)
	for i, c := range octets {
		if 'A' <= c && c <= 'Z' {
			octets[i] = c + ('a' - 'A')
		}
	}
	return string(octets)
}

// CheckKey returns an error that says what is wrong with a key: a name that is
// not canonical, or that needs escapes, or a type that stores do not have.
func CheckKey(k Key) error {
	if err := checkName(k.Name); err != nil {
		return fmt.Errorf("name %q: %w", k.Name, err)
	}
	switch k.Type {
	case "TXT", "A", "AAAA", "CNAME", "SOA":
		return nil
	}
	return fmt.Errorf("type %q of %s: not one of TXT, A, AAAA, CNAME, SOA", k.Type, k.Name)
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("empty")
	case len(name) > maxName:
		return fmt.Errorf("%d octets; at most %d", len(name), maxName)
	case strings.HasSuffix(name, "."):
		return errors.New("has a final dot")
	}
	if i := strings.IndexFunc(name, needsEscape); i >= 0 {
		return fmt.Errorf("character %q", name[i])
	}
	if lower(name) != name {
		return errors.New("not in lower case")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel {
			return fmt.Errorf("label of %d octets; from 1 to %d", len(label), maxLabel)
		}
	}
	return nil
}

// needsEscape tells whether a character would have to be escaped in a name
// (RFC 1035 section 5.1). No host name has such a one, and tools differ in how
// they write it.
func needsEscape(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`"\;()@$`, r)
}
