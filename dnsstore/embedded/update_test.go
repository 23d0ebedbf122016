package embedded_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// TestUpdate_Codes goes through RFC 2136 section 3 on the wire, one reason to
// refuse after the other. The rules themselves have their scripts in package
// zone.
func TestUpdate_Codes(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Records = []dnsstore.RRSet{rrset("svc.example.test", "TXT", `"r1"`)}
	s := start(t, c)
	const change = "update svc 30 IN TXT r2"
	zone := func(edit func(*dns.Msg)) *dns.Msg {
		m := update(t, change)
		edit(m)
		return m
	}
	tests := []struct {
		name string
		m    *dns.Msg
		want int
	}{
		{"3.1.1 no zone", zone(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError},
		{"3.1.1 two zones", zone(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		{"3.1.1 not SOA", zone(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA }), dns.RcodeFormatError},
		{"3.1.2 child", zone(func(m *dns.Msg) { m.Question[0].Name = "svc.example.test." }), dns.RcodeNotAuth},
		{"3.1.2 parent", zone(func(m *dns.Msg) { m.Question[0].Name = "test." }), dns.RcodeNotAuth},
		{"3.1.2 class", zone(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeNotAuth},
		{"3.2 exists", update(t, "prereq svc 0 ANY AAAA", change), dns.RcodeNXRrset},
		{"3.2 value", update(t, "prereq svc 0 IN TXT r0", change), dns.RcodeNXRrset},
		{"3.2 absent", update(t, "prereq svc 0 NONE TXT", change), dns.RcodeYXRrset},
		{"3.2 in use", update(t, "prereq none 0 ANY ANY", change), dns.RcodeNameError},
		{"3.2 not in use", update(t, "prereq svc 0 NONE ANY", change), dns.RcodeYXDomain},
		{"3.2 form", update(t, "prereq svc 1 ANY TXT", change), dns.RcodeFormatError},
		{"3.2 zone", update(t, "prereq svc.example.org. 0 ANY TXT", change), dns.RcodeNotZone},
		{"3.4.1 zone", update(t, change, "update svc.example.org. 30 IN TXT x"), dns.RcodeNotZone},
		{"3.4.1 form", update(t, change, "update svc 30 CH TXT x"), dns.RcodeFormatError},
		{"3.4.1 type", update(t, change, "update svc 30 IN TLSA 3 1 1 00"), dns.RcodeRefused},
		{"prerequisites only, true", update(t, "prereq svc 0 IN TXT r1", "prereq svc 0 NONE CNAME"), dns.RcodeSuccess},
		{"prerequisites only, false", update(t, "prereq svc 0 IN TXT r2"), dns.RcodeNXRrset},
	}
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for _, tt := range tests {
				resp := mustExchange(cl, tt.m)
				if resp.Rcode != tt.want {
					t.Errorf("%s: %s, want %s", tt.name, dns.RcodeToString[resp.Rcode], dns.RcodeToString[tt.want])
				}
				if got := s.Serial(); got != 1 {
					t.Fatalf("%s: the zone has changed", tt.name)
				}
				if resp := cl.ask(tt.m); resp.Rcode != dns.RcodeRefused || resp.IsTsig() != nil {
					t.Errorf("%s, not signed: %v", tt.name, resp)
				}
			}
		})
	}
}

func TestUpdate_Applied(t *testing.T) {
	t.Parallel()
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			c := testConfig()
			c.Records = []dnsstore.RRSet{rrset("svc.example.test", "TXT", `"r1" "x"`), rrset("svc.example.test", "A", "192.0.2.1")}
			s := start(t, c)
			cl := dial(t, network, s.addr)
			mustUpdate(t, cl, update(t,
				`prereq svc 0 IN TXT "r1" "x"`, "prereq svc 0 NONE CNAME",
				"update svc 0 ANY TXT", `update svc 30 IN TXT "r2" "y"`,
				"update svc 0 ANY A", "update svc 0 ANY AAAA", "update svc 30 IN AAAA 2001:db8::1"))
			got := map[string][]string{}
			for _, rrtype := range []uint16{dns.TypeTXT, dns.TypeA, dns.TypeAAAA} {
				got[dns.TypeToString[rrtype]] = lookup(t, cl, "svc.example.test.", rrtype)
			}
			want := map[string][]string{"TXT": {`"r2" "y"`}, "A": {}, "AAAA": {"2001:db8::1"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
			if got := s.Serial(); got != 2 {
				t.Errorf("serial %d, want 2", got)
			}
		})
	}
}

// TestUpdate_LongRequest: requests may be as long as a packet can be.
func TestUpdate_LongRequest(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for _, strs := range []int{3, 20, 200} {
				text := strings.Repeat(fmt.Sprintf(" %q", strings.Repeat("x", 250)), strs)
				mustUpdate(t, cl, update(t, "update svc 0 ANY TXT", "update svc 30 IN TXT"+text))
				tcp := dial(t, "tcp", s.addr)
				if diff := cmp.Diff([]string{text[1:]}, lookup(t, tcp, "svc.example.test.", dns.TypeTXT)); diff != "" {
					t.Errorf("%d strings: mismatch (-want +got):\n%s", strs, diff)
				}
			}
		})
	}
}

// TestUpdate_Replayed: the same octets again find their prerequisite false.
func TestUpdate_Replayed(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	cl := dial(t, "udp", s.addr)
	packet, _ := signature{}.sign(t, swap(t, "svc", "", "r1"), time.Now())
	first, second := unpack(t, cl.raw(packet)), unpack(t, cl.raw(packet))
	if first.Rcode != dns.RcodeSuccess || second.Rcode != dns.RcodeYXRrset {
		t.Errorf("rcodes %d, %d; want NOERROR, YXRRSET", first.Rcode, second.Rcode)
	}
}

func TestUpdate_Policy(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Keys[0].Allow = []embedded.Grant{
		{Name: "svc.example.test", Types: []string{"A", "aaaa", "TXT"}},
		{Name: "SUB.example.test.", Subtree: true},
		{Name: "example.test", Types: []string{"TXT"}},
	}
	c.Records = []dnsstore.RRSet{rrset("svc.example.test", "TXT", `"r1"`), rrset("foreign.example.test", "MX", "1 a."), rrset("mixed.sub.example.test", "NS", "a.")}
	s := start(t, c)
	cl := dial(t, "udp", s.addr)
	tests := []struct {
		lines []string
		want  int
	}{
		{[]string{"prereq foreign 0 ANY MX", "update svc 30 IN TXT r2", "update SVC 30 IN A 192.0.2.1"}, dns.RcodeSuccess},
		{[]string{"update svc 30 IN TXT r3", "update svc 30 IN MX 1 a."}, dns.RcodeRefused},
		{[]string{"update svc 30 IN TXT r3", "update x.svc 30 IN TXT r3"}, dns.RcodeRefused},
		{[]string{"update foreign 0 ANY MX"}, dns.RcodeRefused},
		{[]string{"update foreign 0 ANY ANY"}, dns.RcodeRefused},
		{[]string{"update foreign 0 NONE MX 1 a."}, dns.RcodeRefused},
		{[]string{"update none 0 ANY ANY"}, dns.RcodeRefused},
		{[]string{"update sub 30 IN MX 1 a.", "update a.b.sub 30 IN TXT x"}, dns.RcodeSuccess},
		{[]string{"update sub 30 IN NS a."}, dns.RcodeRefused},
		{[]string{"update mixed.sub 0 ANY ANY"}, dns.RcodeRefused},
		{[]string{"update a.b.sub 0 ANY ANY", "update none.sub 0 ANY ANY"}, dns.RcodeSuccess},
		{[]string{"update notsub 30 IN TXT x"}, dns.RcodeRefused},
		{[]string{"update svc 0 ANY ANY"}, dns.RcodeSuccess},
		{[]string{"update example.test. 30 IN TXT x"}, dns.RcodeSuccess},
		{[]string{"update example.test. 0 ANY ANY"}, dns.RcodeSuccess},
		{[]string{"update example.test. 30 IN NS a."}, dns.RcodeRefused},
		// A prerequisite is looked at first, and NOTZONE comes before REFUSED.
		{[]string{"prereq svc 0 ANY TXT", "update foreign 0 ANY MX"}, dns.RcodeNXRrset},
		{[]string{"update foreign 0 ANY MX", "update a.example.org. 0 ANY MX"}, dns.RcodeNotZone},
	}
	for _, tt := range tests {
		before := s.Serial()
		got := mustExchange(cl, update(t, tt.lines...)).Rcode
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.lines, dns.RcodeToString[got], dns.RcodeToString[tt.want])
		}
		if changed := s.Serial() != before; changed && got != dns.RcodeSuccess {
			t.Errorf("%q: refused and yet applied", tt.lines)
		}
	}
}

func TestUpdate_NoKeys(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Zone: zoneName})
	resp := dial(t, "udp", s.addr).ask(swap(t, "svc", "", "r1"))
	if resp.Rcode != dns.RcodeRefused || s.Serial() != 1 {
		t.Errorf("rcode %d, serial %d; want REFUSED, 1", resp.Rcode, s.Serial())
	}
}
