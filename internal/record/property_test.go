package record_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

const idPattern = `[a-z0-9][a-z0-9.:_-]{0,20}`

// memberGen draws any member that has a text.
func memberGen(id string) *rapid.Generator[record.Member] {
	return rapid.Custom(func(t *rapid.T) record.Member {
		m := record.Member{
			ID: id, Scheme: rapid.SampledFrom([]string{"http", "https"}).Draw(t, "scheme"),
			Port: rapid.Uint16Min(1).Draw(t, "port"), Priority: int(rapid.Int32Min(0).Draw(t, "priority")),
			Joining: rapid.Bool().Draw(t, "joining"),
		}
		if rapid.Bool().Draw(t, "has IPv4") {
			m.IPv4 = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "IPv4")))
		}
		if six := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "IPv6"))); !six.Is4In6() && rapid.Bool().Draw(t, "has IPv6") {
			m.IPv6 = six
		}
		extra := rapid.StringMatching(`[a-z0-9.:_=-]{0,5}`).Filter(func(s string) bool { return s != "joining" })
		m.Extra = nilIfEmpty(rapid.SliceOfN(extra, 0, 2).Draw(t, "extra"))
		return m
	})
}

// recordGen draws any record that has a text, but for its size.
func recordGen() *rapid.Generator[record.Record] {
	return rapid.Custom(func(t *rapid.T) record.Record {
		duration := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(1, 86_400_000).Draw(t, "ms")) * time.Millisecond
		})
		hex, id := rapid.StringMatching(`[0-9a-f]{1,32}`), rapid.StringMatching(idPattern)
		empty := rapid.Just("")
		r := record.Record{
			Group: hex.Draw(t, "group"), Term: rapid.Uint64Max(record.MaxNumber).Draw(t, "term"), Seq: rapid.Uint64Max(record.MaxNumber).Draw(t, "seq"),
			Nonce: hex.Draw(t, "nonce"), Primary: rapid.OneOf(empty, id).Draw(t, "primary"),
			Run: rapid.OneOf(empty, hex).Draw(t, "run"), By: id.Draw(t, "by"),
			At:             time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, "at"), 0).UTC(),
			AllowedAbsence: duration.Draw(t, "w"), ReportInterval: duration.Draw(t, "r"), CheckInterval: duration.Draw(t, "c"),
			TTL: rapid.OneOf(rapid.Just(time.Duration(0)), duration).Draw(t, "ttl"),

			Paused: rapid.Bool().Draw(t, "paused"), Dissolved: rapid.Bool().Draw(t, "dissolved"),
		}
		for _, id := range slices.Sorted(slices.Values(rapid.SliceOfNDistinct(id, 0, 6, rapid.ID).Draw(t, "IDs"))) {
			r.Members = append(r.Members, memberGen(id).Draw(t, "member"))
		}
		r.Extra = nilIfEmpty(rapid.SliceOfN(rapid.StringMatching(`x[a-z0-9.:_-]{0,4}=[a-z0-9.:_=,-]{0,8}`), 0, 3).Draw(t, "extra"))
		return r
	})
}

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

// The text of a record reads back as the record, also through the
// presentation form, and has no octet that any tool would escape.
func TestProperty_RecordRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := recordGen().Draw(t, "record")
		text, err := r.Strings()
		if errors.Is(err, record.ErrTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		quoted := dnsstore.FormatTXT(text)
		if strings.ContainsRune(quoted, '\\') || strings.ToLower(quoted) != quoted {
			t.Fatalf("text %s needs escapes or has case", quoted)
		}
		strs, err := dnsstore.ParseTXT(quoted)
		if err != nil {
			t.Fatal(err)
		}
		back, err := record.Parse(strs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back, equal()); diff != "" {
			t.Fatalf("round trip mismatch (-want +got):\n%s", diff)
		}
	})
}

// The order of strings behind the version means nothing but for the members'
// and the unknown ones' own, and the text made from any order is the same.
func TestProperty_OneTextForEachRecord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := recordGen().Draw(t, "record")
		r.Extra = nil
		text, err := r.Strings()
		if err != nil {
			return // too large; the round trip looks at every other error
		}
		shuffled := append([]string{"ag=1"}, rapid.Permutation(text[1:]).Draw(t, "order")...)
		back, err := record.Parse(shuffled)
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.Strings()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, again); diff != "" {
			t.Fatalf("text mismatch (-want +got):\n%s", diff)
		}
	})
}
