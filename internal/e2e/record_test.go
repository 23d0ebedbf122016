//go:build linux

package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// An update on condition of a record that is no more is refused by the server:
// this is what makes two Primaries impossible.
func TestStaleWrite(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	stale := l.texts()
	await(t, "the record has been renewed", func() bool { return quoted(l.texts()) != quoted(stale) })

	name := fqdn + ". "
	out, taken := l.nsupdate(
		"prereq yxrrset "+name+"TXT "+quoted(stale),
		"update delete "+name+"TXT",
		"update add "+name+"1 TXT \"ag=1\" \"primary=mallory\"",
		"update delete "+name+"A",
		"update add "+name+"1 A 192.0.2.66",
	)
	if taken || !strings.Contains(out, "NXRRSET") {
		t.Fatalf("a stale write was not refused: %s", out)
	}
	if got := l.addresses(); len(got) != 1 || got[0] != a.ip {
		t.Errorf("addresses after a stale write = %v, want %s", got, a.ip)
	}
	l.settle(a, b)
}

// Somebody edits the host record by hand: the Primary sets it right.
func TestHandEditedAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	from := len(a.log())
	name := fqdn + ". "
	l.mustUpdate("update delete "+name+"A", "update add "+name+"60 A 192.0.2.66")
	l.awaitAddress(a)
	// A renewal may have come first, and sets it too, without knowing.
	if a.logged(from, "HOST_RECORD_REPAIRED", "192.0.2.66") {
		t.Log("the Primary has told of the repair")
	}
	l.mustUpdate("update add " + name + "60 AAAA 2001:db8::66")
	l.awaitAddress(a)
	l.settle(a, b)
}

// Somebody deletes the record: the group is gone, and its nodes say so.
func TestDeletedRecord(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	before := l.watch.Tenure("a").Term
	l.mustUpdate("update delete " + fqdn + ". TXT")
	await(t, "both nodes are in no group", func() bool {
		x, y := l.watch.Last("a"), l.watch.Last("b")
		return x.Role == "not_in_group" && y.Role == "not_in_group" && x.DNS == "not_applicable" && y.DNS == "not_applicable"
	})
	for _, n := range []*node{a, b} {
		await(t, n.id+" has told why it is in no group", func() bool {
			return n.logged(0, "NODE_ROLE_CHANGED", "removed_from_dns")
		})
	}
	if status, problem := l.post(b, "/create"); status != http.StatusConflict {
		t.Errorf("create with the address of a left over = %d %q, want %d", status, problem, http.StatusConflict)
	}
	l.do(b, "/create?adopt=1")
	l.do(a, "/join")
	l.settle(b, a)
	if got := l.record().Term; got <= before {
		t.Errorf("term = %d, want more than %d", got, before)
	}
}
