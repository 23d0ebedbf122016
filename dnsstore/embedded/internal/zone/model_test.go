package zone_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// flat is the dumbest zone there is: a list of records, searched from its
// start each time. Its update is RFC 2136 section 3.4.2.7 line by line.
type flat []line

type line struct {
	name   string
	rrtype string
	data   string
	ttl    uint32
}

const apex = "example.test."

func (f flat) has(match func(line) bool) bool { return slices.ContainsFunc(f, match) }

func (f flat) without(match func(line) bool) flat {
	return slices.DeleteFunc(slices.Clone(f), match)
}

func (f flat) add(l line) flat {
	if l.rrtype == "CNAME" && f.has(func(o line) bool { return o.name == l.name && o.rrtype != "CNAME" }) {
		return f
	}
	if l.rrtype != "CNAME" && f.has(func(o line) bool { return o.name == l.name && o.rrtype == "CNAME" }) {
		return f
	}
	f = f.without(func(o line) bool {
		return o.name == l.name && o.rrtype == l.rrtype && (l.rrtype == "CNAME" || o.data == l.data)
	})
	for i := range f {
		if f[i].name == l.name && f[i].rrtype == l.rrtype {
			f[i].ttl = l.ttl
		}
	}
	return append(f, l)
}

func (f flat) deleteSets(name, rrtype string) flat {
	return f.without(func(o line) bool {
		kept := name == apex && o.rrtype == "NS"
		return o.name == name && (rrtype == "ANY" || rrtype == o.rrtype) && !kept
	})
}

func (f flat) deleteRecord(l line) flat {
	if l.name == apex && l.rrtype == "NS" && len(f.without(func(o line) bool { return o.name != apex || o.rrtype != "NS" })) == 1 {
		return f
	}
	return f.without(func(o line) bool { return o.name == l.name && o.rrtype == l.rrtype && o.data == l.data })
}

func (f flat) text() []string {
	var out []string
	for _, l := range f {
		out = append(out, fmt.Sprintf("%s %d IN %s %s", l.name, l.ttl, l.rrtype, l.data))
	}
	slices.Sort(out)
	return out
}

// step makes one random record of an update section and applies it to f.
func (f flat) step(t *testing.T, r *rand.Rand) (flat, dns.RR) {
	t.Helper()
	names := []string{apex, "a." + apex, "b." + apex, "c.b." + apex, "e.d.c.b." + apex}
	data := map[string][]string{
		"A": {"192.0.2.1", "192.0.2.2", "192.0.2.3"}, "TXT": {`"x"`, `"X"`, `"x" "y"`},
		"CNAME": {"a.", "b."}, "NS": {"ns.a.", "ns.b."},
	}
	l := line{name: pick(r, names), rrtype: pick(r, []string{"A", "TXT", "CNAME", "NS"}), ttl: uint32(r.IntN(3))}
	l.data = pick(r, data[l.rrtype])
	switch r.IntN(6) {
	case 0:
		return f.deleteRecord(l), wireRecord(t, fmt.Sprintf("%s 0 NONE %s %s", l.name, l.rrtype, l.data))
	case 1:
		if r.IntN(2) == 0 {
			l.rrtype = "ANY"
		}
		return f.deleteSets(l.name, l.rrtype), wireRecord(t, fmt.Sprintf("%s 0 ANY %s", l.name, l.rrtype))
	}
	// The model has no SOA, so that it is told here: there is one at the apex.
	if l.name == apex && l.rrtype == "CNAME" {
		return f, wireRecord(t, fmt.Sprintf("%s %d IN %s %s", l.name, l.ttl, l.rrtype, l.data))
	}
	return f.add(l), wireRecord(t, fmt.Sprintf("%s %d IN %s %s", l.name, l.ttl, l.rrtype, l.data))
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// TestUpdate_AgainstModel compares thousands of random updates with the flat
// zone, and the tree of names with one made anew, and takes each through the
// journal's encoding.
func TestUpdate_AgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 0))
		z := newZone(t, "@ 1 IN NS ns.a.")
		f := flat{{name: apex, rrtype: "NS", data: "ns.a.", ttl: 1}}
		for range 60 {
			var updates []dns.RR
			serial, before := z.Serial(), f.text()
			for range r.IntN(6) {
				var rr dns.RR
				f, rr = f.step(t, r)
				updates = append(updates, rr)
			}
			z = replayed(t, z, updates)
			if want, got := f.text(), dataText(z); !slices.Equal(want, got) {
				t.Fatalf("seed %d: %v: mismatch (-model +zone):\n%s", seed, updates, gocmp.Diff(want, got))
			}
			if changed := !slices.Equal(before, f.text()); changed != (z.Serial() == serial+1) || !changed && z.Serial() != serial {
				t.Fatalf("seed %d: serial %d after %d, changed %t", seed, z.Serial(), serial, changed)
			}
		}
	}
}

// replayed applies updates by way of the journal's encoding.
func replayed(t *testing.T, z *zone.Zone, updates []dns.RR) *zone.Zone {
	t.Helper()
	changes, err := z.Update(updates)
	if err != nil {
		t.Fatal(err)
	}
	octets, err := zone.Encode(changes)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := z.Decode(octets)
	if err != nil {
		t.Fatal(err)
	}
	next := z.With(decoded)
	if want, got := z.With(changes).Text(), next.Text(); !slices.Equal(want, got) {
		t.Fatalf("encoding: mismatch (-want +got):\n%s", gocmp.Diff(want, got))
	}
	if err := next.CheckNodes(); err != nil {
		t.Fatal(err)
	}
	return next
}

// dataText is the text of a zone but for its SOA.
func dataText(z *zone.Zone) []string {
	out := slices.DeleteFunc(z.Text(), func(l string) bool { return strings.Contains(l, " IN SOA ") })
	slices.Sort(out)
	return out
}
