package embedded_test

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// TestUDP_AnswersFromWhereItWasAsked: on a machine with many addresses the
// answer comes from the one that was asked, or the client would not take it.
func TestUDP_AnswersFromWhereItWasAsked(t *testing.T) {
	t.Parallel()
	hosts := map[string][]string{"0.0.0.0:0": {"127.0.0.1", "127.0.0.2", "127.9.9.9"}}
	hosts[":0"] = hosts["0.0.0.0:0"]
	if hasIPv6(t) {
		hosts[":0"] = append([]string{"::1"}, hosts[":0"]...)
		hosts["[::1]:0"] = []string{"::1"}
	}
	for bind, asked := range hosts {
		c := testConfig()
		c.Addr = bind
		s := start(t, c)
		_, port, err := net.SplitHostPort(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range asked {
			if got := lookup(t, dial(t, "udp", net.JoinHostPort(host, port)), zoneName, dns.TypeNS); len(got) != 1 {
				t.Errorf("%s, %s: %q", bind, host, got)
			}
		}
	}
}

func hasIPv6(t *testing.T) bool {
	t.Helper()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Logf("IPv6 not tested: %v", err)
		return false
	}
	return l.Close() == nil
}
