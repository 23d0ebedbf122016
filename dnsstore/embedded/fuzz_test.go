package embedded_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// FuzzRespond: no packet makes the server panic, answer nonsense, or change
// the zone. For the fuzzer has no key.
func FuzzRespond(f *testing.F) {
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	messages := []*dns.Msg{
		new(dns.Msg).SetQuestion("svc.example.test.", dns.TypeTXT),
		new(dns.Msg).SetQuestion("example.test.", dns.TypeANY).SetEdns0(4096, true),
		new(dns.Msg).SetNotify("example.test."),
		new(dns.Msg).SetIxfr("example.test.", 1, "a.", "b."),
		swap(f, "svc", "r1", "r2"),
		update(f, "prereq svc 0 ANY ANY", "update svc 0 ANY ANY", "update svc 0 NONE A 192.0.2.1", "update x 1 IN CNAME svc.example.test."),
	}
	for _, m := range messages {
		plain, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain, true)
		f.Add(plain, false)
		signed := m.Copy()
		signed.SetTsig(keyName, dns.HmacSHA256, 300, now.Unix())
		packet, _, err := dns.TsigGenerateWithProvider(signed, cutting{secret: "AAAA"}, "", false)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet, false)
	}
	c := testConfig()
	c.Now = func() time.Time { return now }
	c.Records = []dnsstore.RRSet{rrset("svc.example.test", "TXT", `"r1"`), rrset("svc.example.test", "A", "192.0.2.1")}
	s := newServer(f, c)
	f.Fuzz(func(t *testing.T, packet []byte, stream bool) {
		answer := s.Respond(packet, stream)
		if s.Serial() != 1 {
			t.Fatal("the zone has changed")
		}
		if answer == nil {
			if len(packet) >= 12 && packet[2]&0x80 == 0 {
				t.Fatal("no answer to a request")
			}
			return
		}
		m := unpack(t, answer)
		if m.Id != uint16(packet[0])<<8|uint16(packet[1]) || !m.Response || !stream && len(answer) > 1232 {
			t.Fatalf("answer of %d octets: %v", len(answer), m)
		}
		if m.Opcode == dns.OpcodeUpdate && m.Rcode == dns.RcodeSuccess {
			t.Fatalf("an update was accepted: %v", m)
		}
	})
}

// FuzzSigned: what is in an update of somebody with the key does no harm
// either: the zone can be encoded and decoded, and has a SOA.
func FuzzSigned(f *testing.F) {
	for _, lines := range [][]string{
		{"prereq svc 0 IN TXT r1", "update svc 0 ANY TXT", "update svc 30 IN TXT r2"},
		{"update example.test. 0 ANY ANY", "update example.test. 0 NONE NS ns.example.test."},
		{"update example.test. 1 IN SOA a. b. 4 1 1 1 1", "update x 1 IN CNAME y.", "update sub 1 IN NS a.sub.example.test.", "update a.sub 1 IN A 192.0.2.1"},
		{"update svc 1 IN MX 1 a.", "update svc 1 IN SRV 1 2 3 a.", "update svc 1 IN CAA 0 issue \"x\"", "update svc 1 IN PTR a."},
	} {
		packet, err := update(f, lines...).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		m := new(dns.Msg)
		if err := m.Unpack(packet); err != nil {
			return
		}
		m.Response, m.Opcode, m.Rcode, m.Extra = false, dns.OpcodeUpdate, 0, nil
		m.Question = []dns.Question{{Name: zoneName, Qtype: dns.TypeSOA, Qclass: dns.ClassINET}}
		signed, mac, err := sign(m, time.Now())
		if err != nil {
			return // cannot be sent
		}
		c := testConfig()
		c.Dir = filepath.Join(t.TempDir(), "zone")
		s := startServer(t, newServer(t, c))
		answer := dial(t, "tcp", s.addr).raw(signed)
		if err := verify(answer, mac); err != nil && unpack(t, answer).Rcode != dns.RcodeFormatError {
			t.Fatalf("%x: answer %v: %v", signed, unpack(t, answer), err)
		}
		serial := s.Serial()
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if serial == 1 {
			return
		}
		again := startServer(t, newServer(t, c))
		if again.Serial() != serial {
			octets, _ := os.ReadFile(filepath.Join(c.Dir, "zone.journal"))
			t.Fatalf("serial %d, after a restart %d; journal:\n%s", serial, again.Serial(), hex.Dump(octets))
		}
	})
}
