package rfc2136_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
)

// What a wildcard shows is not there: after the first conflict that is found
// out, and a group can be created below a wildcard.
func TestLookup_WildcardAfterAConflict(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	wild := rrset("TXT", `"wildcard"`)
	z.wildcard = &wild
	s := newFake(t, z.script).store(t)
	seen, err := s.Lookup(t.Context(), key("TXT"))
	if err != nil {
		t.Fatal(err)
	}
	create := func(was dnsstore.RRSet) error {
		return s.Apply(t.Context(), dnsstore.Change{If: []dnsstore.RRSet{was}, Set: []dnsstore.RRSet{rrset("TXT", `"seq=1"`)}})
	}
	if err := create(seen); !errors.Is(err, dnsstore.ErrConflict) {
		t.Fatalf("Apply returned %v, want an error that wraps ErrConflict", err)
	}
	for range 2 {
		if seen, err = s.Lookup(t.Context(), key("TXT")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rrset("TXT"), seen); diff != "" {
			t.Fatalf("RRset mismatch (-want +got):\n%s", diff)
		}
	}
	if err := create(seen); err != nil {
		t.Errorf("Apply returned %v", err)
	}
}

// A lookup after a conflict costs one more message, once.
func TestLookup_AfterAConflict(t *testing.T) {
	t.Parallel()
	z := newZone(t, rrset("TXT", `"seq=9"`))
	f := newFake(t, z.script)
	s := f.store(t)
	if err := s.Apply(t.Context(), swap()); !errors.Is(err, dnsstore.ErrConflict) {
		t.Fatalf("Apply returned %v, want an error that wraps ErrConflict", err)
	}
	before := len(f.got())
	for range 3 {
		got, err := s.Lookup(t.Context(), key("TXT"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rrset("TXT", `"seq=9"`), got); diff != "" {
			t.Errorf("RRset mismatch (-want +got):\n%s", diff)
		}
	}
	if n := len(f.got()) - before; n != 4 {
		t.Errorf("three lookups sent %d messages, want 4", n)
	}
}

// A server that shows old data after a conflict is found out; one that shows
// the new data in time is not.
func TestLookup_OldAnswersAfterAConflict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stale int
		want  []string
	}{{1, nil}, {2, nil}, {1000, []string{"ErrUnfit"}}} {
		z := newZone(t, rrset("TXT", `"seq=1"`))
		z.staleFor = c.stale
		s := newFake(t, z.script).store(t)
		rival := newFake(t, z.script).store(t)
		if err := rival.Apply(t.Context(), swap()); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(t.Context(), swap()); !errors.Is(err, dnsstore.ErrConflict) {
			t.Fatalf("Apply returned %v, want an error that wraps ErrConflict", err)
		}
		got, err := s.Lookup(t.Context(), key("TXT"))
		if diff := cmp.Diff(c.want, sentinels(err)); diff != "" {
			t.Errorf("%d old answers: sentinels mismatch (-want +got):\n%s", c.stale, diff)
		}
		if err == nil && got.Data[0] != `"seq=2"` {
			t.Errorf("%d old answers: Lookup returned %q", c.stale, got.Data)
		}
	}
}

// Data that changes faster than it can be compared is real.
func TestLookup_RestlessDataAfterAConflict(t *testing.T) {
	t.Parallel()
	z := newZone(t, rrset("TXT", `"n=a"`))
	n := byte('a')
	f := newFake(t, func(c *call) {
		n++
		z.script(c)
		mustSet(z, rrset("TXT", `"n=`+string(n)+`"`))
	})
	s := f.store(t)
	if err := s.Apply(t.Context(), swap()); !errors.Is(err, dnsstore.ErrConflict) {
		t.Fatalf("Apply returned %v, want an error that wraps ErrConflict", err)
	}
	got, err := s.Lookup(t.Context(), key("TXT"))
	if err != nil || len(got.Data) != 1 {
		t.Errorf("Lookup returned %v and %v, want some data", got, err)
	}
}
