package zone_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

const queryZone = `
svc 30 IN A 192.0.2.1
svc 30 IN A 192.0.2.2
svc 30 IN TXT "r1"
alias 30 IN CNAME Svc.example.test.
alias2 30 IN CNAME alias.example.test.
dangling 30 IN CNAME none.example.test.
away 30 IN CNAME www.example.org.
loop1 30 IN CNAME loop2.example.test.
loop2 30 IN CNAME loop1.example.test.
a.b.deep 30 IN A 192.0.2.2
sub 30 IN NS ns.sub.example.test.
sub 30 IN NS ns.example.org.
ns.sub 30 IN A 192.0.2.5
ns.sub 30 IN AAAA 2001:db8::5
cut.sub 30 IN NS ns.sub.example.test.
insub 30 IN CNAME www.sub.example.test.
* 30 IN TXT "star"`

const (
	soa  = "example.test. 5 IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 604800 5"
	soa1 = "example.test. 3600 IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 604800 5"
)

func newZone(t testing.TB, text string) *zone.Zone {
	t.Helper()
	var records []dns.RR
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		records = append(records, wireRecord(t, line))
	}
	z, err := zone.New("Example.TEST", records)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestQuery(t *testing.T) {
	t.Parallel()
	z := newZone(t, queryZone)
	tests := []struct {
		name, rrtype string
		want         []string
	}{
		{"svc.example.test.", "A", []string{"NOERROR aa", "svc.example.test. 30 IN A 192.0.2.1", "svc.example.test. 30 IN A 192.0.2.2"}},
		{"sVc.Example.test.", "TXT", []string{"NOERROR aa", `sVc.Example.test. 30 IN TXT "r1"`}},
		{"svc.example.test.", "AAAA", []string{"NOERROR aa", "authority " + soa}},
		{"none.example.test.", "A", []string{"NXDOMAIN aa", "authority " + soa}},
		{"deep.example.test.", "A", []string{"NOERROR aa", "authority " + soa}},
		{"b.deep.example.test.", "ANY", []string{"NOERROR aa", "authority " + soa}},
		{"x.b.deep.example.test.", "A", []string{"NXDOMAIN aa", "authority " + soa}},
		{"example.test.", "SOA", []string{"NOERROR aa", soa1}},
		{"example.test.", "NS", []string{"NOERROR aa", "example.test. 3600 IN NS ns.example.test."}},
		{"svc.example.test.", "SOA", []string{"NOERROR aa", "authority " + soa}},
		{"svc.example.test.", "ANY", []string{"NOERROR aa", "svc.example.test. 30 IN A 192.0.2.1", "svc.example.test. 30 IN A 192.0.2.2"}},
		{"none.example.test.", "ANY", []string{"NXDOMAIN aa", "authority " + soa}},
		{"alias.example.test.", "CNAME", []string{"NOERROR aa", "alias.example.test. 30 IN CNAME Svc.example.test."}},
		{"alias.example.test.", "ANY", []string{"NOERROR aa", "alias.example.test. 30 IN CNAME Svc.example.test."}},
		{"alias2.example.test.", "TXT", []string{
			"NOERROR aa", "alias2.example.test. 30 IN CNAME alias.example.test.",
			"alias.example.test. 30 IN CNAME Svc.example.test.", `Svc.example.test. 30 IN TXT "r1"`,
		}},
		{"alias.example.test.", "AAAA", []string{"NOERROR aa", "alias.example.test. 30 IN CNAME Svc.example.test.", "authority " + soa}},
		{"dangling.example.test.", "A", []string{"NXDOMAIN aa", "dangling.example.test. 30 IN CNAME none.example.test.", "authority " + soa}},
		{"away.example.test.", "A", []string{"NOERROR aa", "away.example.test. 30 IN CNAME www.example.org."}},
		{"sub.example.test.", "A", referral()},
		{"www.sub.example.test.", "TXT", referral()},
		{"x.cut.sub.example.test.", "TXT", referral()},
		{"sub.example.test.", "NS", referral()},
		{"sub.example.test.", "DS", []string{"NOERROR aa", "authority " + soa}},
		{"insub.example.test.", "A", []string{"NOERROR aa", "insub.example.test. 30 IN CNAME www.sub.example.test."}},
		{"other.example.test.", "TXT", []string{"NXDOMAIN aa", "authority " + soa}},
		{"*.example.test.", "TXT", []string{"NOERROR aa", `*.example.test. 30 IN TXT "star"`}},
		{"svc.example.org.", "A", []string{"REFUSED"}},
		{"test.", "SOA", []string{"REFUSED"}},
		{".", "NS", []string{"REFUSED"}},
		{"example.test.", "AXFR", []string{"REFUSED"}},
		{"example.test.", "IXFR", []string{"REFUSED"}},
		{"svc.example.test.", "MAILB", []string{"REFUSED"}},
	}
	for _, tt := range tests {
		t.Run(tt.name+tt.rrtype, func(t *testing.T) {
			t.Parallel()
			got := describe(z.Query(tt.name, dns.StringToType[tt.rrtype]))
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func referral() []string {
	return []string{
		"NOERROR",
		"authority sub.example.test. 30 IN NS ns.sub.example.test.",
		"authority sub.example.test. 30 IN NS ns.example.org.",
		"additional ns.sub.example.test. 30 IN A 192.0.2.5",
		"additional ns.sub.example.test. 30 IN AAAA 2001:db8::5",
	}
}

func TestQuery_AliasLoopEnds(t *testing.T) {
	t.Parallel()
	got := newZone(t, queryZone).Query("loop1.example.test.", dns.TypeA)
	if len(got.Answer) == 0 || len(got.Answer) > 16 {
		t.Errorf("answer of %d records, want a few", len(got.Answer))
	}
}

func TestQuery_AnswersAreCopies(t *testing.T) {
	t.Parallel()
	z := newZone(t, queryZone)
	before := z.Text()
	for _, name := range []string{"svc.example.test.", "www.sub.example.test.", "none.example.test."} {
		a := z.Query(name, dns.TypeTXT)
		for _, rr := range slices.Concat(a.Answer, a.Authority, a.Additional) {
			rr.Header().Name = "changed."
			if txt, ok := rr.(*dns.TXT); ok {
				txt.Txt[0] = "changed"
			}
		}
	}
	if diff := gocmp.Diff(before, z.Text()); diff != "" {
		t.Errorf("mismatch (-before +after):\n%s", diff)
	}
}

// TestQuery_OfTheRoot: a zone may be the root, as its names have no label to
// spare.
func TestQuery_OfTheRoot(t *testing.T) {
	t.Parallel()
	z, err := zone.New(".", []dns.RR{wireRecord(t, "svc. 30 IN A 192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"NOERROR aa", "svc. 30 IN A 192.0.2.1"}
	if diff := gocmp.Diff(want, describe(z.Query("svc.", dns.TypeA))); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if got := z.Query("none.", dns.TypeA); got.Rcode != dns.RcodeNameError {
		t.Errorf("rcode %d, want NXDOMAIN", got.Rcode)
	}
}

func describe(a zone.Answer) []string {
	head := dns.RcodeToString[a.Rcode]
	if a.Authoritative {
		head += " aa"
	}
	out := []string{head}
	sections := []struct {
		name    string
		records []dns.RR
	}{{"", a.Answer}, {"authority ", a.Authority}, {"additional ", a.Additional}}
	for _, s := range sections {
		for _, rr := range s.records {
			out = append(out, fmt.Sprint(s.name, strings.ReplaceAll(rr.String(), "\t", " ")))
		}
	}
	return out
}

func TestNew_Mistakes(t *testing.T) {
	t.Parallel()
	records := []dns.RR{
		wireRecord(t, "svc.example.org. 1 IN A 192.0.2.1"),
		wireRecord(t, "svc 1 CH TXT x"),
		wireRecord(t, "svc 1 IN TLSA 3 1 1 00"),
		wireRecord(t, "svc 1 IN SOA a. b. 1 1 1 1 1"),
		wireRecord(t, "@ 1 IN CNAME a."),
		wireRecord(t, "c 1 IN CNAME a."),
		wireRecord(t, "c 1 IN A 192.0.2.1"),
		wireRecord(t, "c 1 IN CNAME b."),
		wireRecord(t, "d 1 IN A 192.0.2.1"),
		wireRecord(t, "d 1 IN CNAME b."),
		wireRecord(t, "d 1 IN A 192.0.2.1"),
		wireRecord(t, "e 1 IN TXT"),
	}
	_, err := zone.New("example.test", records)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"svc.example.org. A: not in the zone",
		"svc.example.test. TXT: class is not IN",
		"svc.example.test. TLSA: type is not kept by this server",
		"svc.example.test. SOA: SOA is not at the apex",
		"example.test. CNAME: CNAME beside other data (RFC 1034 section 3.6.2)",
		"c.example.test. A: CNAME beside other data (RFC 1034 section 3.6.2)",
		"c.example.test. CNAME: more than one record of a type that allows only one",
		"d.example.test. CNAME: CNAME beside other data (RFC 1034 section 3.6.2)",
		"d.example.test. A: same record twice",
		"e.example.test. TXT: zone: record without data",
	}
	if diff := gocmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}
