package agclient

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/availabilitygroup/ag/dnsstore"
)

// checkFQDN refuses what no group is called, by the rule that a group has for
// its name: it would match no request, and nobody would be told.
func checkFQDN(name string) error {
	if err := dnsstore.CheckKey(dnsstore.Key{Name: name, Type: "A"}); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("%q is an address, not a name", name)
	}
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return fmt.Errorf("%.300q is not made of letters, digits, hyphens, underscores and dots", name)
	}
	for label := range strings.SplitSeq(name, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("label %q begins or ends with a hyphen", label)
		}
	}
	return nil
}
