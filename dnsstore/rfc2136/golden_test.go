package rfc2136_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

// fixed makes every message of a store the same: ID 0x1234, one time.
func fixed(c *rfc2136.Config) {
	c.Now = func() time.Time { return time.Unix(1795290771, 0) }
	c.Rand = bytes.NewReader(bytes.Repeat([]byte{0x12, 0x34}, 100))
}

// The octets of each message, and for the reader what they say.
func TestGolden(t *testing.T) {
	t.Parallel()
	at := func(name, kind string, data ...string) dnsstore.RRSet {
		return dnsstore.RRSet{Key: dnsstore.Key{Name: name, Type: kind}, TTL: 90*time.Second + 900*time.Millisecond, Data: data}
	}
	for _, c := range []struct {
		file string
		edit func(*rfc2136.Config)
		call dnsstore.Change
		read string // a type, for a lookup
	}{
		{file: "takeover", call: swap()},
		{file: "takeover-sha384", call: swap(), edit: func(c *rfc2136.Config) { c.TSIGAlgorithm = "HMAC-SHA384" }},
		{file: "takeover-sha512", call: swap(), edit: func(c *rfc2136.Config) { c.TSIGAlgorithm = "hmac-sha512."; c.Fudge = time.Minute }},
		{file: "create", call: dnsstore.Change{
			If:  []dnsstore.RRSet{rrset("TXT"), rrset("CNAME"), rrset("A"), rrset("AAAA")},
			Set: []dnsstore.RRSet{rrset("TXT", `"ag=1" "seq=1"`), rrset("A", "192.0.2.10"), rrset("AAAA", "2001:db8::10")},
		}},
		{file: "two-names", call: dnsstore.Change{
			If:  []dnsstore.RRSet{at("_ag.svc.lab.test", "TXT", `"seq=1"`)},
			Set: []dnsstore.RRSet{at("_ag.svc.lab.test", "TXT", `"seq=2"`), at(fqdn, "A", "192.0.2.10", "192.0.2.9"), at(fqdn, "AAAA")},
		}},
		{file: "foreign-text", call: dnsstore.Change{
			If:  []dnsstore.RRSet{rrset("TXT", `"v=spf1 -all"`, `"quote \" backslash \\ \000\255"`, `""`, `"ag=1" "seq=1"`), rrset("CNAME")},
			Set: []dnsstore.RRSet{rrset("TXT", `"v=spf1 -all"`, `"quote \" backslash \\ \000\255"`, `""`, `"ag=1" "seq=2"`)},
		}},
		{file: "serial", call: dnsstore.Change{
			If:  []dnsstore.RRSet{at("lab.test", "SOA", "ns1.lab.test. hm.lab.test. 4294967295 3600 600 86400 5")},
			Set: []dnsstore.RRSet{at(fqdn, "AAAA", "::ffff:192.0.2.1")},
		}},
		{file: "condition-alone", call: dnsstore.Change{If: []dnsstore.RRSet{rrset("TXT", `"seq=1"`)}}},
		{file: "alias", call: dnsstore.Change{
			If: []dnsstore.RRSet{rrset("CNAME")}, Set: []dnsstore.RRSet{rrset("CNAME", "other.lab.test.")},
		}},
		{file: "lookup", read: "TXT"},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, always(dns.RcodeSuccess))
			s := f.store(t, fixed, func(config *rfc2136.Config) {
				if c.edit != nil {
					c.edit(config)
				}
			})
			var err error
			if c.read != "" {
				_, err = s.Lookup(t.Context(), key(c.read))
			} else {
				err = s.Apply(t.Context(), c.call)
			}
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, c.file, f.got()[0])
		})
	}
}

func compareGolden(t *testing.T, name string, c *call) {
	t.Helper()
	// TsigVerify is of other hands, and looks at the time last.
	if err := dns.TsigVerify(bytes.Clone(c.raw), testSecret, "", false); !errors.Is(err, dns.ErrTime) {
		t.Errorf("the signature: %v, want one that is only old", err)
	}
	got := hex.Dump(c.raw) + "\n" + c.msg.String()
	file := filepath.Join("testdata", name+".golden")
	if *updateGolden {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("message mismatch (-want +got):\n%s", diff)
	}
}
