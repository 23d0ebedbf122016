package dnsstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	dnsstoretest.Run(t, func(testing.TB) dnsstore.Store { return dnsstore.NewMemory() })
}

func TestMemory_ZeroValue(t *testing.T) {
	t.Parallel()
	dnsstoretest.Run(t, func(testing.TB) dnsstore.Store { return new(dnsstore.Memory) })
}

// TestMemory_Refuses shows that an error of Memory is never an unknown end.
func TestMemory_Refuses(t *testing.T) {
	t.Parallel()
	txt, address, alias := rrset("TXT", 0, `"a"`), rrset("A", 0, "192.0.2.1"), rrset("CNAME", 0, "other.lab.test.")
	for name, c := range map[string]struct {
		present, set []dnsstore.RRSet
		want         error
	}{
		"an alias beside text":               {[]dnsstore.RRSet{txt}, []dnsstore.RRSet{alias}, dnsstore.ErrRefused},
		"an address beside an alias":         {[]dnsstore.RRSet{alias}, []dnsstore.RRSet{address}, dnsstore.ErrRefused},
		"both at once":                       {nil, []dnsstore.RRSet{address, alias}, dnsstore.ErrRefused},
		"an alias in the place of text":      {[]dnsstore.RRSet{txt}, []dnsstore.RRSet{rrset("TXT", 0), alias}, nil},
		"text in the place of an alias":      {[]dnsstore.RRSet{alias}, []dnsstore.RRSet{txt, rrset("CNAME", 0)}, nil},
		"malformed data":                     {nil, []dnsstore.RRSet{rrset("A", 0, "x")}, dnsstore.ErrRefused},
		"the same key twice":                 {nil, []dnsstore.RRSet{txt, txt}, dnsstore.ErrRefused},
		"an alias somewhere else is no harm": {[]dnsstore.RRSet{address}, []dnsstore.RRSet{aliasAt("x.lab.test")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := dnsstore.NewMemory()
			if err := m.Apply(t.Context(), dnsstore.Change{Set: c.present}); err != nil {
				t.Fatal(err)
			}
			if err := m.Apply(t.Context(), dnsstore.Change{Set: c.set}); !errors.Is(err, c.want) {
				t.Fatalf("Apply returned %v, want %v", err, c.want)
			}
			for _, set := range c.set { // made, or absent as before
				if c.want != nil {
					set.Data = nil
				}
				if i := slices.IndexFunc(c.present, func(p dnsstore.RRSet) bool { return p.Key == set.Key }); i >= 0 && c.want != nil {
					set = c.present[i]
				}
				wantSet(t, m, set)
			}
		})
	}
}

func aliasAt(name string) dnsstore.RRSet {
	return dnsstore.RRSet{Key: dnsstore.Key{Name: name, Type: "CNAME"}, Data: []string{"other.lab.test."}}
}

func wantSet(t *testing.T, s dnsstore.Store, want dnsstore.RRSet) {
	t.Helper()
	got, err := s.Lookup(t.Context(), want.Key)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
	}
}

func TestMemory_EndedContext(t *testing.T) {
	t.Parallel()
	m := dnsstore.NewMemory()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Lookup(ctx, rrset("A", 0).Key); !errors.Is(err, context.Canceled) {
		t.Errorf("Lookup returned %v", err)
	}
	if err := m.Apply(ctx, dnsstore.Change{Set: []dnsstore.RRSet{rrset("A", 0, "192.0.2.1")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply returned %v", err)
	}
	if got, err := m.Lookup(t.Context(), rrset("A", 0).Key); err != nil || len(got.Data) != 0 {
		t.Errorf("%q is there, %v", got.Data, err)
	}
}

func BenchmarkMemory_Apply(b *testing.B) {
	m := dnsstore.NewMemory()
	one, two := rrset("TXT", time.Minute, `"ag=1" "seq=1"`), rrset("TXT", time.Minute, `"ag=1" "seq=2"`)
	if err := m.Apply(b.Context(), dnsstore.Change{Set: []dnsstore.RRSet{one}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := m.Apply(b.Context(), dnsstore.Change{If: []dnsstore.RRSet{one}, Set: []dnsstore.RRSet{two}}); err != nil {
			b.Fatal(err)
		}
		one, two = two, one
	}
}
