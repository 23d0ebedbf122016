package testserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/testserver"
)

// TestFormatTXT_IsWhatDigPrints asks a server and its client about every octet.
func TestFormatTXT_IsWhatDigPrints(t *testing.T) {
	t.Parallel()
	s := testserver.BIND(t)
	var octets []byte
	for c := range 256 {
		octets = append(octets, byte(c))
	}
	records := map[string][]string{
		"all":   {string(octets[:128]), string(octets[128:])},
		"empty": {"", "a", ""},
		"long":  {strings.Repeat("x", 255)},
	}
	for name, strs := range records {
		want := dnsstore.FormatTXT(strs)
		update(t, s, s.Key("hmac-sha256"), fmt.Sprintf("update add %s.lab.test. 60 TXT %s", name, want))
		got, err := dig(t, s, "+tcp", name+".lab.test", "TXT")
		if err != nil || got != want {
			t.Errorf("%s: dig printed\n%s\nFormatTXT\n%s\n%v", name, got, want, err)
		}
	}
}
