package rfc2136

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// absolute returns a name as miekg/dns wants it: in lower case, with the final
// dot. Servers compare without case, but TSIG key names not everywhere.
func absolute(name string) string { return dns.Fqdn(dnsstore.Canonical(name)) }

// checkName says what is wrong with a name, with or without its final dot and
// in any case.
func checkName(name string) error {
	return dnsstore.CheckKey(dnsstore.Key{Name: dnsstore.Canonical(name), Type: "SOA"})
}

// inZone tells whether an absolute name is that of the zone or below it.
func inZone(name, zone string) bool { return dns.IsSubDomain(zone, name) }

// parent strips the first label. The root's parent is the root.
func parent(name string) string {
	_, rest, found := strings.Cut(name, ".")
	if !found || rest == "" {
		return "."
	}
	return rest
}

// trimDot is how names are shown.
func trimDot(name string) string { return strings.TrimSuffix(name, ".") }
