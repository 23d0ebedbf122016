package dnsstore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
)

func rrset(kind string, ttl time.Duration, data ...string) dnsstore.RRSet {
	return dnsstore.RRSet{Key: dnsstore.Key{Name: "svc.lab.test", Type: kind}, TTL: ttl, Data: data}
}

func TestRRSet_Normal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want dnsstore.RRSet }{
		{rrset("TXT", 30*time.Second), rrset("TXT", 0)},
		{rrset("TXT", 1999*time.Millisecond, `"b"`, ` "\097"  `, `"b"`), rrset("TXT", time.Second, `"a"`, `"b"`)},
		{rrset("TXT", 0, `"a" "b"`, `"ab"`), rrset("TXT", 0, `"a" "b"`, `"ab"`)},
		{rrset("A", time.Minute, "192.0.2.2", "192.0.2.1"), rrset("A", time.Minute, "192.0.2.1", "192.0.2.2")},
		{rrset("AAAA", time.Minute, "2001:DB8:0:0:0::1", "2001:db8::1"), rrset("AAAA", time.Minute, "2001:db8::1")},
		{rrset("AAAA", time.Minute, "::ffff:192.0.2.1"), rrset("AAAA", time.Minute, "::ffff:192.0.2.1")},
		{rrset("CNAME", time.Minute, "Other.Lab.Test."), rrset("CNAME", time.Minute, "other.lab.test.")},
		{
			rrset("SOA", time.Minute, "NS1.lab.test.  . 007 3600 600 86400 5"),
			rrset("SOA", time.Minute, "ns1.lab.test. . 7 3600 600 86400 5"),
		},
		{rrset("A", (1<<31-1)*time.Second, "192.0.2.1"), rrset("A", (1<<31-1)*time.Second, "192.0.2.1")},
	} {
		got, err := c.in.Normal()
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%+v: %v, mismatch (-want +got):\n%s", c.in, err, diff)
		}
	}
}

func TestRRSet_NormalSharesNothing(t *testing.T) {
	t.Parallel()
	in := rrset("TXT", 0, `"b"`, `"a"`)
	got, err := in.Normal()
	if err != nil {
		t.Fatal(err)
	}
	got.Data[0] = "changed"
	if diff := cmp.Diff([]string{`"b"`, `"a"`}, in.Data); diff != "" {
		t.Errorf("the argument was changed, mismatch (-want +got):\n%s", diff)
	}
}

func TestRRSet_NormalMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   dnsstore.RRSet
		want string
	}{
		{dnsstore.RRSet{}, `name "": empty`},
		{rrset("TXT", -time.Second, `"a"`), "svc.lab.test TXT: time to live -1s; from 0 to 596523h14m7s"},
		{rrset("TXT", (1<<31)*time.Second, `"a"`), "svc.lab.test TXT: time to live 596523h14m8s; from 0 to 596523h14m7s"},
		{rrset("TXT", 0, `a`), "svc.lab.test TXT: string 1 of TXT: not in quotes"},
		{rrset("A", 0, "192.0.2.1", "2001:db8::1"), `svc.lab.test A: address "2001:db8::1": not one of type A`},
		{rrset("AAAA", 0, "192.0.2.1"), `svc.lab.test AAAA: address "192.0.2.1": not one of type AAAA`},
		{rrset("AAAA", 0, "fe80::1%lo"), `svc.lab.test AAAA: address "fe80::1%lo": not one of type AAAA`},
		{rrset("A", 0, "x"), `svc.lab.test A: address "x": ParseAddr("x"): unable to parse IP`},
		{rrset("CNAME", 0, "other"), `svc.lab.test CNAME: name "other": no final dot`},
		{rrset("CNAME", 0, "a..b."), `svc.lab.test CNAME: name "a..b.": label of 0 octets; from 1 to 63`},
		{rrset("CNAME", 0, "a.", "b."), "svc.lab.test CNAME: 2 records; at most one"},
		{rrset("SOA", 0, ". . 1 2 3 4"), "svc.lab.test SOA: SOA: not two names and five numbers"},
		{rrset("SOA", 0, ". . 1 2 3 4 4294967296"), `svc.lab.test SOA: SOA: strconv.ParseUint: parsing "4294967296": value out of range`},
		{rrset("SOA", 0, "x . 1 2 3 4 5"), `svc.lab.test SOA: SOA: name "x": no final dot`},
	} {
		got, err := c.in.Normal()
		if errorText(err) != c.want {
			t.Errorf("%+v: got %+v, %v; want %s", c.in, got, err, c.want)
		}
	}
}

func TestChange_Normal(t *testing.T) {
	t.Parallel()
	in := dnsstore.Change{
		If:  []dnsstore.RRSet{rrset("TXT", time.Minute, `"\097"`), rrset("A", 0)},
		Set: []dnsstore.RRSet{rrset("A", 1500*time.Millisecond, "192.0.2.1"), rrset("TXT", 0)},
	}
	want := dnsstore.Change{
		If:  []dnsstore.RRSet{rrset("TXT", time.Minute, `"a"`), rrset("A", 0)},
		Set: []dnsstore.RRSet{rrset("A", time.Second, "192.0.2.1"), rrset("TXT", 0)},
	}
	got, err := in.Normal()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
	for _, c := range []struct {
		in   dnsstore.Change
		want string
	}{
		{dnsstore.Change{If: []dnsstore.RRSet{{}}}, `condition: name "": empty`},
		{dnsstore.Change{Set: []dnsstore.RRSet{{}}}, `content: name "": empty`},
		{dnsstore.Change{If: []dnsstore.RRSet{rrset("A", 0), rrset("A", 0)}}, "condition: svc.lab.test A: twice"},
		{dnsstore.Change{Set: []dnsstore.RRSet{rrset("A", 0), rrset("A", 0)}}, "content: svc.lab.test A: twice"},
	} {
		if _, err := c.in.Normal(); errorText(err) != c.want {
			t.Errorf("%+v: %v, want %s", c.in, err, c.want)
		}
	}
}
