package record_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/record"
)

// equal compares records; addresses have their own idea of equality.
func equal() cmp.Option { return cmp.Comparer(func(a, b netip.Addr) bool { return a == b }) }

// sample is the record of the documentation.
func sample() record.Record {
	return record.Record{
		Group: "7f3c41d2", Term: 1795290771, Seq: 1042, Nonce: "9b1e22aa0c5f7d31",
		Primary: "gw-a", Run: "51aa09c2", By: "gw-a", At: time.Date(2026, 11, 21, 20, 12, 50, 0, time.UTC),
		AllowedAbsence: time.Minute, ReportInterval: 20 * time.Second, CheckInterval: 30 * time.Second, TTL: 30 * time.Second,
		Members: []record.Member{
			{
				ID: "gw-a", Scheme: "https", Port: 443, Priority: 100,
				IPv4: netip.MustParseAddr("192.0.2.10"), IPv6: netip.MustParseAddr("2001:db8::10"),
			},
			{ID: "gw-b", Scheme: "https", Port: 443, Priority: 100, IPv4: netip.MustParseAddr("192.0.2.11"), Joining: true},
		},
	}
}

// sampleText is the text of sample.
func sampleText() []string {
	return []string{
		"ag=1", "group=7f3c41d2", "term=1795290771", "seq=1042", "nonce=9b1e22aa0c5f7d31", "primary=gw-a",
		"run=51aa09c2", "by=gw-a", "at=2026-11-21t20:12:50z", "w=60s", "r=20s", "c=30s", "ttl=30s",
		"m=gw-a,https,443,100,192.0.2.10,2001:db8::10", "m=gw-b,https,443,100,192.0.2.11,,joining",
	}
}

func TestRecord_Member(t *testing.T) {
	t.Parallel()
	r := sample()
	m, ok := r.Member("gw-b")
	if !ok || m.ID != "gw-b" || !m.Joining {
		t.Errorf("Member(gw-b) = %+v, %v", m, ok)
	}
	if _, ok := r.Member("gw-c"); ok {
		t.Error("Member(gw-c) found a member that is not there")
	}
}

func TestMember_Eligible(t *testing.T) {
	t.Parallel()
	for priority, want := range map[int]bool{-1: false, 0: false, 1: true, 100: true} {
		if got := (record.Member{Priority: priority}).Eligible(); got != want {
			t.Errorf("Eligible with priority %d = %v, want %v", priority, got, want)
		}
	}
}

func TestRecord_CloneSharesNothing(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Extra = []string{"x=1"}
	r.Members[0].Extra = []string{"zone-1"}
	c := r.Clone()
	c.Members[0].Extra[0], c.Members[1].ID, c.Extra[0] = "other", "other", "other"
	want := sample()
	want.Extra, want.Members[0].Extra = []string{"x=1"}, []string{"zone-1"}
	if diff := cmp.Diff(want, r, equal()); diff != "" {
		t.Errorf("the original changed with its clone (-want +got):\n%s", diff)
	}
}
