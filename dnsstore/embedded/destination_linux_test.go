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
	for _, bind := range []string{"0.0.0.0:0", ":0"} {
		c := testConfig()
		c.Addr = bind
		s := start(t, c)
		_, port, err := net.SplitHostPort(s.addr)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.9.9.9"} {
			if got := lookup(t, dial(t, "udp", net.JoinHostPort(host, port)), zoneName, dns.TypeNS); len(got) != 1 {
				t.Errorf("%s, %s: %q", bind, host, got)
			}
		}
	}
}
