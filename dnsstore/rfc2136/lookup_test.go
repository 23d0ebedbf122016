package rfc2136_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

func TestLookup_Answers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		kind   string
		rcode  int
		answer []string
		want   dnsstore.RRSet
	}{
		{"text", "TXT", 0, []string{`svc.lab.test. 30 IN TXT "a" "b c"`}, rrset("TXT", `"a" "b c"`)},
		{"other case", "TXT", 0, []string{`SVC.Lab.Test. 30 IN TXT "A"`}, rrset("TXT", `"A"`)},
		{"several, sorted", "A", 0, []string{"svc.lab.test. 30 IN A 192.0.2.2", "svc.lab.test. 30 IN A 192.0.2.1"}, rrset("A", "192.0.2.1", "192.0.2.2")},
		{"mapped address", "AAAA", 0, []string{"svc.lab.test. 30 IN AAAA ::ffff:192.0.2.1"}, rrset("AAAA", "::ffff:192.0.2.1")},
		{"alias itself", "CNAME", 0, []string{"svc.lab.test. 30 IN CNAME Other.lab.test."}, rrset("CNAME", "other.lab.test.")},
		{"SOA", "SOA", 0, []string{"svc.lab.test. 30 IN SOA ns1.lab.test. hm.lab.test. 4294967295 2 3 4 5"}, rrset("SOA", "ns1.lab.test. hm.lab.test. 4294967295 2 3 4 5")},
		{"no such type", "TXT", 0, nil, rrset("TXT")},
		{"no such name", "TXT", dns.RcodeNameError, nil, rrset("TXT")},
		{"behind an alias", "A", 0, []string{"svc.lab.test. 30 IN CNAME ns1.lab.test.", "ns1.lab.test. 30 IN A 192.0.2.1"}, rrset("A")},
		{"an alias to nowhere", "A", dns.RcodeNameError, []string{"svc.lab.test. 30 IN CNAME x.lab.test."}, rrset("A")},
		{"of another type and class", "A", 0, []string{"svc.lab.test. 30 IN AAAA 2001:db8::1", "svc.lab.test. 30 CH A 192.0.2.1"}, rrset("A")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var rrs []dns.RR
			for _, text := range c.answer {
				rrs = append(rrs, rr(t, text))
			}
			f := newFake(t, func(call *call) { call.truth(c.rcode, rrs...) })
			got, err := f.store(t).Lookup(t.Context(), key(c.kind))
			if err != nil {
				t.Fatalf("Lookup returned %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("RRset mismatch (-want +got):\n%s", diff)
			}
			q := f.got()[0].msg
			if q.RecursionDesired || q.Opcode != dns.OpcodeQuery || q.Question[0].Name != "svc.lab.test." {
				t.Errorf("the query was %v", q)
			}
		})
	}
}

// Every octet of a TXT record goes out as it came in.
func TestLookup_TextIsReturnedOctetForOctet(t *testing.T) {
	t.Parallel()
	every := make([]byte, 0, 256)
	for i := range 256 {
		every = append(every, byte(i))
	}
	records := [][]string{
		{string(every[:128]), string(every[128:])},
		{"", "two", "", ""},
		{`a"b\c;d`, "tab\tnew\nline", " blanks ", `\065`, `\\`},
		{strings.Repeat("x", 255), strings.Repeat("\\", 255), strings.Repeat("\xff", 255)},
		{"f\u00fcr \u4e16\u754c"},
	}
	var wire []byte // of the condition that comes back
	f := newFake(t, func(c *call) {
		if c.msg.Opcode == dns.OpcodeUpdate {
			wire = c.raw
			c.truth(dns.RcodeSuccess)
			return
		}
		c.reply(c.signRaw(rawTXT(c, records)))
	})
	s := f.store(t)
	got, err := s.Lookup(t.Context(), key("TXT"))
	if err != nil {
		t.Fatalf("Lookup returned %v", err)
	}
	want := dnsstore.RRSet{Key: key("TXT"), TTL: 30 * time.Second}
	for _, strs := range records {
		want.Data = append(want.Data, dnsstore.FormatTXT(strs))
	}
	if want, err = want.Normal(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("RRset mismatch (-want +got):\n%s", diff)
	}
	if err := s.Apply(t.Context(), dnsstore.Change{If: []dnsstore.RRSet{got}}); err != nil {
		t.Fatal(err)
	}
	for _, strs := range records {
		if data := rdata(strs); !strings.Contains(string(wire), string(data)) {
			t.Errorf("the condition does not have the octets %q", data)
		}
	}
}

func TestLookup_NoAnswer(t *testing.T) {
	t.Parallel()
	noAuthority := func(rrs ...dns.RR) func(*call) {
		return func(c *call) {
			m := c.answer(dns.RcodeSuccess)
			m.Authoritative, m.Ns = false, rrs
			c.reply(c.sign(m, signature{}))
		}
	}
	for _, c := range []struct {
		name   string
		script func(*call)
		want   []string
		text   string
	}{
		{"refused", always(dns.RcodeRefused), []string{"ErrRefused"}, "the server's policy"},
		{"failed", always(dns.RcodeServerFailure), nil, "its zone may be loading"},
		{"no authority", noAuthority(), []string{"ErrRefused"}, "not authoritative for the name: svc.lab.test"},
		{"delegated", noAuthority(rr(t, "svc.lab.test. 5 IN NS ns.other.test.")), []string{"ErrRefused"}, "is delegated to others at svc.lab.test"},
		{"referral to the root", noAuthority(rr(t, ". 5 IN NS a.root.test.")), []string{"ErrRefused"}, "not authoritative for the name: svc.lab.test"},
		{"truncated over TCP", func(c *call) {
			c.reply(changed(func(m *dns.Msg) { m.Truncated = true })(c, c.answer(dns.RcodeSuccess)))
		}, nil, "cut off"},
		{"TXT without a string", func(c *call) { c.reply(c.signRaw(rawTXT(c, [][]string{{}}))) }, nil, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := newFake(t, c.script).store(t).Lookup(t.Context(), key("TXT"))
			if err == nil {
				t.Fatalf("Lookup returned %v and no error", got)
			}
			if diff := cmp.Diff(c.want, sentinels(err)); diff != "" {
				t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
			}
			if failed, ok := errors.AsType[*rfc2136.ServerError](err); !ok || failed.Op != "lookup" || failed.Name != "svc.lab.test TXT" {
				t.Errorf("the facts are %+v", failed)
			}
			if !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q does not say %q", err, c.text)
			}
		})
	}
}

// Only the answer to an update may leave the question out.
func TestLookup_AnswerWithoutItsQuestion(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		c.reply(changed(func(m *dns.Msg) { m.Question = nil })(c, c.answer(dns.RcodeSuccess)))
	})
	s := f.store(t)
	if got, err := s.Lookup(t.Context(), key("TXT")); err == nil {
		t.Errorf("Lookup returned %v and no error", got)
	}
	if n := s.Stats().Unverified; n != 2 {
		t.Errorf("counted %d unverified messages, want 2", n)
	}
}

func TestLookup_InvalidKeyIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	s := f.store(t)
	for _, k := range []dnsstore.Key{{}, {Name: "svc.lab.test.", Type: "A"}, {Name: fqdn, Type: "MX"}, {Name: "svc.other.test", Type: "A"}} {
		_, err := s.Lookup(t.Context(), k)
		if diff := cmp.Diff([]string{"ErrRefused", "ErrNotSent"}, sentinels(err)); diff != "" {
			t.Errorf("%v: sentinels mismatch (-want +got):\n%s", k, diff)
		}
	}
	if n := len(f.got()); n != 0 {
		t.Errorf("%d messages went out, want none", n)
	}
}

// A query whose answer does not fit goes over TCP, whether the truncated
// answer is signed or not.
func TestLookup_TruncatedAnswerGoesOverTCP(t *testing.T) {
	t.Parallel()
	for _, signed := range []bool{true, false} {
		f := newFake(t, func(c *call) {
			m := c.answer(dns.RcodeSuccess)
			m.Truncated = true
			switch {
			case c.net == "tcp":
				c.truth(dns.RcodeSuccess, rr(t, `svc.lab.test. 30 IN TXT "whole"`))
			case signed:
				c.reply(c.sign(m, signature{}))
			default:
				c.reply(pack(m))
			}
		})
		s := f.store(t, overUDP)
		got, err := s.Lookup(t.Context(), key("TXT"))
		if err != nil {
			t.Fatalf("Lookup returned %v", err)
		}
		if diff := cmp.Diff(rrset("TXT", `"whole"`), got); diff != "" {
			t.Errorf("RRset mismatch (-want +got):\n%s", diff)
		}
		if n := s.Stats().Truncated; n != 1 {
			t.Errorf("counted %d truncated answers, want 1", n)
		}
		if opt := f.got()[0].msg.IsEdns0(); opt == nil || opt.UDPSize() != 1232 {
			t.Errorf("the query offers %v, want 1232 octets", opt)
		}
	}
}

// rawTXT is an answer with TXT records whose octets are put together by hand.
func rawTXT(c *call, records [][]string) []byte {
	wire := pack(c.answer(dns.RcodeSuccess))
	for _, strs := range records {
		data := rdata(strs)
		wire = append(wire, 0xC0, 12, 0, byte(dns.TypeTXT), 0, dns.ClassINET, 0, 0, 0, 30, byte(len(data)>>8), byte(len(data)))
		wire = append(wire, data...)
	}
	wire[6], wire[7] = byte(len(records)>>8), byte(len(records))
	return wire
}

// rdata is a TXT record on the wire (RFC 1035 section 3.3.14).
func rdata(strs []string) []byte {
	var out []byte
	for _, s := range strs {
		out = append(out, byte(len(s)))
		out = append(out, s...)
	}
	return out
}
