package zone_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// A script is a zone and a list of cases. Each record in it is written as
//
//	prereq|update <owner> <ttl> <class> <type> [data]
//
// just as it is in the message; without data its RDLENGTH is 0. A case ends
// with ----, the response code and what changed in the zone, until an empty
// line.
type scriptCase struct {
	title    string
	line     int
	sections map[string][]dns.RR
	want     []string
}

func TestUpdate_Scripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		z, cases := readScript(t, file)
		before := z.Text()
		for _, c := range cases {
			t.Run(fmt.Sprintf("%s:%d %s", filepath.Base(file), c.line, c.title), func(t *testing.T) {
				got := runCase(t, z, c)
				if diff := gocmp.Diff(c.want, got); diff != "" {
					t.Errorf("mismatch (-want +got):\n%s", diff)
				}
			})
		}
		if diff := gocmp.Diff(before, z.Text()); diff != "" {
			t.Errorf("a zone has changed (-before +after):\n%s", diff)
		}
	}
}

func runCase(t *testing.T, z *zone.Zone, c scriptCase) []string {
	t.Helper()
	rcode := z.Check(c.sections["prereq"])
	if rcode == dns.RcodeSuccess {
		rcode = z.Prescan(c.sections["update"])
	}
	out := []string{dns.RcodeToString[rcode]}
	if rcode != dns.RcodeSuccess {
		return out
	}
	changes, err := z.Update(c.sections["update"])
	if err != nil {
		t.Fatal(err)
	}
	next := z.With(changes)
	if err := next.CheckNodes(); err != nil {
		t.Error(err)
	}
	return append(out, difference(z.Text(), next.Text())...)
}

// difference returns the lines that are in one list only; the SOA is shown by
// its serial number unless more of it has changed.
func difference(before, after []string) []string {
	var out []string
	for _, l := range before {
		if !slices.Contains(after, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			out = append(out, "+ "+l)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(a[2:], b[2:]) })
	return out
}

func readScript(t *testing.T, file string) (*zone.Zone, []scriptCase) {
	t.Helper()
	octets, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var records []dns.RR
	var cases []scriptCase
	c := scriptCase{sections: map[string][]dns.RR{}}
	result := false
	for i, line := range strings.Split(string(octets)+"\n", "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "":
			if result {
				cases = append(cases, c)
			}
			c, result = scriptCase{sections: map[string][]dns.RR{}}, false
		case result:
			c.want = append(c.want, line)
		case word == "#":
			c.title, c.line = rest, i+1
		case word == "zone":
			records = append(records, wireRecord(t, rest))
		case word == "----":
			result = true
		case word == "prereq" || word == "update":
			c.sections[word] = append(c.sections[word], wireRecord(t, rest))
		default:
			t.Fatalf("%s:%d: %q", file, i+1, line)
		}
	}
	z, err := zone.New("example.test", records)
	if err != nil {
		t.Fatal(err)
	}
	return z, cases
}

// wireRecord returns a record as a server gets it.
func wireRecord(t testing.TB, text string) dns.RR {
	t.Helper()
	f := strings.SplitN(text, " ", 5)
	if len(f) < 4 {
		t.Fatalf("record %q", text)
	}
	ttl, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	name := f[0]
	if !strings.HasSuffix(name, ".") {
		name += ".example.test."
	}
	name = strings.TrimPrefix(name, "@.")
	h := dns.RR_Header{Name: name, Ttl: uint32(ttl), Class: dns.StringToClass[f[2]], Rrtype: dns.StringToType[f[3]]}
	var rr dns.RR = &dns.ANY{Hdr: h}
	if len(f) == 5 {
		rr, err = dns.NewRR(fmt.Sprintf(". 0 IN %s %s", f[3], f[4]))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		h.Rrtype = rr.Header().Rrtype // TYPE65280 is in no table
		*rr.Header() = h
	}
	wire := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := dns.UnpackRR(wire[:n], 0)
	if err != nil {
		t.Fatal(err)
	}
	return back
}
