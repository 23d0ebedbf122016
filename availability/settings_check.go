package availability

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/availabilitygroup/ag/dnsstore"
)

// canonical returns s with its names, scheme and algorithm in the one form
// that is written and compared: lower case, no final dot.
func (s Settings) canonical() Settings {
	s.GroupFQDN = dnsstore.Canonical(s.GroupFQDN)
	s.ExternalScheme = strings.ToLower(s.ExternalScheme)
	s.TSIGName = dnsstore.Canonical(s.TSIGName)
	s.TSIGAlgorithm = dnsstore.Canonical(s.TSIGAlgorithm)
	return s
}

// mistakes returns what is wrong with canonical settings that have their
// defaults, each field by itself and against the others. With complete set, a
// name and an address are needed.
func (s Settings) mistakes(complete bool) []FieldError {
	var found []FieldError
	timed := checkAllowedAbsence(s.AllowedAbsenceInterval) == ""
	for _, f := range settingFields() {
		problem := ""
		if f.isSet(s) {
			problem = f.check(s)
		}
		if problem == "" && f.relate != nil && (timed || !f.timed) {
			problem = f.relate(s)
		}
		if problem == "" && complete && f.need != nil {
			problem = f.need(s)
		}
		if problem != "" {
			found = append(found, FieldError{Field: f.key, Problem: problem})
		}
	}
	return found
}

// fixedMistakes returns an error for each field that cannot change in a group
// and that s sets to another value than the group's, now. Both are canonical.
func (s Settings) fixedMistakes(now Settings) []FieldError {
	var found []FieldError
	for _, f := range settingFields() {
		if f.fixed && f.isSet(s) && f.value(s) != f.value(now) {
			found = append(found, FieldError{Field: f.key, Problem: "cannot change while the node is in a group"})
		}
	}
	return found
}

// changedKeys returns the JSON keys of the fields that differ, in order.
func (s Settings) changedKeys(from Settings) []string {
	var keys []string
	for _, f := range settingFields() {
		if f.value(s) != f.value(from) {
			keys = append(keys, f.key)
		}
	}
	return keys
}

func checkIPv4(a netip.Addr) string {
	switch {
	case !a.Is4():
		return "must be an IPv4 address"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "must not be the broadcast address"
	}
	return checkHost(a)
}

func checkIPv6(a netip.Addr) string {
	switch {
	case !a.Is6() || a.Is4In6():
		return "must be an IPv6 address, not one that stands for an IPv4 address"
	case a.Zone() != "":
		return "must be an IPv6 address without a zone"
	}
	return checkHost(a)
}

func checkHost(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "must be the address of a host, not the unspecified one"
	case a.IsMulticast():
		return "must be the address of a host, not a multicast one"
	}
	return ""
}

func checkScheme(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http", "https":
		return ""
	}
	return "must be http or https"
}

func checkAlgorithm(algorithm string) string {
	switch dnsstore.Canonical(algorithm) {
	case "hmac-sha256", "hmac-sha384", "hmac-sha512":
		return ""
	}
	return "must be hmac-sha256, hmac-sha384 or hmac-sha512"
}

func checkSecret(secret Secret) string {
	octets, err := base64.StdEncoding.DecodeString(secret.Reveal())
	if err != nil || len(octets) == 0 {
		return "must be base64, as in a key file"
	}
	return ""
}
