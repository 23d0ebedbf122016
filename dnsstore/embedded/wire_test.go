package embedded_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// networks are what a server serves on.
func networks() []string { return []string{"udp", "tcp"} }

func TestQuery(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Records = []dnsstore.RRSet{
		rrset("svc.example.test", "A", "192.0.2.1"),
		rrset("svc.example.test", "TXT", `"a" "b\"\001\255"`),
		rrset("alias.example.test", "CNAME", "svc.example.test."),
	}
	s := start(t, c)
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			m := new(dns.Msg).SetQuestion("sVC.example.TEST.", dns.TypeTXT)
			want := fmt.Sprintf(`;; opcode: QUERY, status: NOERROR, id: %d
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0

;; QUESTION SECTION:
;sVC.example.TEST.	IN	 TXT

;; ANSWER SECTION:
sVC.example.TEST.	30	IN	TXT	"a" "b\"\001\255"
`, m.Id)
			if diff := cmp.Diff(want, cl.ask(m).String()); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"192.0.2.1", "svc.example.test."}, lookup(t, cl, "alias.example.test.", dns.TypeA)); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuery_Codes(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Records = []dnsstore.RRSet{rrset("a.b.example.test", "A", "192.0.2.1")}
	s := start(t, c)
	question := func(name string, rrtype uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, rrtype) }
	class := question("example.test.", dns.TypeSOA)
	class.Question[0].Qclass = dns.ClassCHAOS
	two := question("example.test.", dns.TypeSOA)
	two.Question = append(two.Question, two.Question[0])
	status := question("example.test.", dns.TypeSOA)
	status.Opcode = dns.OpcodeStatus
	tests := []struct {
		name      string
		m         *dns.Msg
		rcode     int
		aa        bool
		authority int
	}{
		{"no such name", question("none.example.test.", dns.TypeA), dns.RcodeNameError, true, 1},
		{"no such type", question("a.b.example.test.", dns.TypeTXT), dns.RcodeSuccess, true, 1},
		{"empty non-terminal", question("b.example.test.", dns.TypeTXT), dns.RcodeSuccess, true, 1},
		{"outside", question("example.org.", dns.TypeA), dns.RcodeRefused, false, 0},
		{"parent", question("test.", dns.TypeSOA), dns.RcodeRefused, false, 0},
		{"AXFR", question("example.test.", dns.TypeAXFR), dns.RcodeRefused, false, 0},
		{"IXFR", new(dns.Msg).SetIxfr("example.test.", 1, "ns.", "mbox."), dns.RcodeRefused, false, 0},
		{"class CH", class, dns.RcodeRefused, false, 0},
		{"two questions", two, dns.RcodeFormatError, false, 0},
		{"no question", new(dns.Msg), dns.RcodeFormatError, false, 0},
		{"NOTIFY", new(dns.Msg).SetNotify("example.test."), dns.RcodeNotImplemented, false, 0},
		{"STATUS", status, dns.RcodeNotImplemented, false, 0},
	}
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for _, tt := range tests {
				resp := cl.ask(tt.m)
				if resp.Rcode != tt.rcode || resp.Authoritative != tt.aa || len(resp.Ns) != tt.authority || len(resp.Answer) != 0 {
					t.Errorf("%s: rcode %d, aa %t, %d in authority; want %d, %t, %d\n%v",
						tt.name, resp.Rcode, resp.Authoritative, len(resp.Ns), tt.rcode, tt.aa, tt.authority, resp)
				}
				if resp.Id != tt.m.Id || resp.Opcode != tt.m.Opcode || !resp.Response || resp.RecursionAvailable {
					t.Errorf("%s: header %v", tt.name, resp.MsgHdr)
				}
			}
		})
	}
}

// TestQuery_Truncation: what does not fit is sent without records, and whole
// over TCP.
func TestQuery_Truncation(t *testing.T) {
	t.Parallel()
	c := testConfig()
	big := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, dnsstore.FormatTXT([]string{fmt.Sprint(i, strings.Repeat("x", 200))}))
		}
		return out
	}
	c.Records = []dnsstore.RRSet{
		rrset("two.example.test", "TXT", big(2)...),
		rrset("three.example.test", "TXT", big(3)...),
		rrset("ten.example.test", "TXT", big(10)...),
	}
	s := start(t, c)
	udp, tcp := dial(t, "udp", s.addr), dial(t, "tcp", s.addr)
	tests := []struct {
		name   string
		size   uint16 // of EDNS; 0: none
		signed bool
		tc     bool
	}{
		{"two", 0, false, false},
		{"two", 0, true, true},
		{"three", 0, false, true},
		{"three", 100, false, true},
		{"three", 1232, false, false},
		{"ten", 1232, false, true},
		{"ten", 4096, false, true},
		{"ten", 65535, true, true},
	}
	for _, tt := range tests {
		m := new(dns.Msg).SetQuestion(tt.name+".example.test.", dns.TypeTXT)
		if tt.size > 0 {
			m.SetEdns0(tt.size, false)
		}
		ask := (*client).ask
		if tt.signed {
			ask = mustExchange
		}
		over, whole := ask(udp, m), ask(tcp, m)
		if over.Truncated != tt.tc || tt.tc && len(over.Answer) > 0 || !tt.tc && len(over.Answer) == 0 {
			t.Errorf("%+v: TC %t with %d records", tt, over.Truncated, len(over.Answer))
		}
		if (over.IsEdns0() != nil) != (tt.size > 0) || (over.IsTsig() != nil) != tt.signed {
			t.Errorf("%+v: EDNS and signature in additional: %v", tt, over.Extra)
		}
		if want := map[string]int{"two": 2, "three": 3, "ten": 10}[tt.name]; whole.Truncated || len(whole.Answer) != want {
			t.Errorf("%+v over TCP: TC %t, %d records, want %d", tt, whole.Truncated, len(whole.Answer), want)
		}
	}
}

func mustExchange(c *client, m *dns.Msg) *dns.Msg {
	c.t.Helper()
	resp, err := c.exchange(m)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// TestQuery_TooLongForAnything: there is no way to send more than 65535
// octets.
func TestQuery_TooLongForAnything(t *testing.T) {
	t.Parallel()
	c := testConfig()
	var data []string
	for i := range 300 {
		data = append(data, dnsstore.FormatTXT([]string{fmt.Sprint(i, strings.Repeat("x", 240))}))
	}
	c.Records = []dnsstore.RRSet{rrset("big.example.test", "TXT", data...)}
	s := start(t, c)
	resp := dial(t, "tcp", s.addr).ask(new(dns.Msg).SetQuestion("big.example.test.", dns.TypeTXT))
	if resp.Rcode != dns.RcodeServerFailure || len(resp.Answer) != 0 || resp.Truncated {
		t.Errorf("rcode %d, %d records, TC %t; want SERVFAIL without", resp.Rcode, len(resp.Answer), resp.Truncated)
	}
}

func TestEDNS(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	edns := func(change func(*dns.OPT)) *dns.Msg {
		m := new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA).SetEdns0(4096, true)
		change(m.IsEdns0())
		return m
	}
	two := edns(func(*dns.OPT) {})
	two.Extra = append(two.Extra, two.Extra[0])
	tests := []struct {
		name    string
		m       *dns.Msg
		rcode   int
		answers int
		opt     bool
	}{
		{"plain", edns(func(*dns.OPT) {}), dns.RcodeSuccess, 1, true},
		{"option", edns(func(o *dns.OPT) { o.Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: 10, Cookie: "0102030405060708"}} }), dns.RcodeSuccess, 1, true},
		{"version 1", edns(func(o *dns.OPT) { o.SetVersion(1) }), dns.RcodeBadVers, 0, true},
		{"owner", edns(func(o *dns.OPT) { o.Hdr.Name = "a." }), dns.RcodeFormatError, 0, false},
		{"two", two, dns.RcodeFormatError, 0, false},
	}
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for _, tt := range tests {
				resp := cl.ask(tt.m)
				opt := resp.IsEdns0()
				if resp.Rcode != tt.rcode || len(resp.Answer) != tt.answers || (opt != nil) != tt.opt {
					t.Errorf("%s: rcode %d, %d records, OPT %v; want %d, %d, %t", tt.name, resp.Rcode, len(resp.Answer), opt, tt.rcode, tt.answers, tt.opt)
				}
				if opt != nil && (opt.UDPSize() != 1232 || !opt.Do() || opt.Version() != 0) {
					t.Errorf("%s: %v", tt.name, opt)
				}
			}
		})
	}
}

// TestMalformed: what cannot be read is answered by a header, or not at all.
func TestMalformed(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	whole, err := new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	counted := append([]byte(nil), whole...)
	binary.BigEndian.PutUint16(counted[10:], 3)
	updating, err := update(t, "update svc 30 IN TXT x").Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for name, packet := range map[string][]byte{
				"cut in the question": whole[:20], "more records counted than there are": counted, "header only": whole[:12],
				"cut in the update": updating[:len(updating)-1],
			} {
				resp := unpack(t, cl.raw(packet))
				want := dns.MsgHdr{Id: binary.BigEndian.Uint16(packet), Response: true, Opcode: int(packet[2] >> 3 & 0xf), RecursionDesired: packet[2]&1 == 1, Rcode: dns.RcodeFormatError}
				if diff := cmp.Diff(want, resp.MsgHdr); diff != "" || len(resp.Question) != 0 {
					t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
				}
			}
		})
	}
	response := append([]byte(nil), whole...)
	response[2] |= 0x80
	for name, packet := range map[string][]byte{"short": whole[:11], "empty": {}, "a response": response} {
		t.Run(name, func(t *testing.T) {
			// Over UDP the next answer must be that to the next question.
			udp := dial(t, "udp", s.addr)
			if err := udp.send(packet); err != nil {
				t.Fatal(err)
			}
			m := new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA)
			m.Id ^= 0x5555 // not that of the packet
			if resp := udp.ask(m); resp.Id != m.Id {
				t.Errorf("answered: %v", resp)
			}
			tcp := dial(t, "tcp", s.addr)
			if err := tcp.send(packet); err != nil {
				t.Fatal(err)
			}
			if answer, err := tcp.receive(); err == nil {
				t.Errorf("answered over TCP: %x", answer)
			}
		})
	}
}
