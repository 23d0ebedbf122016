//go:build linux

package hosts_test

import (
	"net/http"
	"slices"
	"time"
)

// Somebody edits the record: the Primary's next write fails by its condition,
// it reads, finds that it is named still, and goes on from there. What it does
// not know it carries along.
func editRecord(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	const note = "note=by-hand"
	name := fqdn + ". "
	var edited time.Time
	await(l.t, "the edit has met the record that it was made for", func() bool {
		_, texts := l.record()
		taken, _ := l.nsupdate("prereq yxrrset "+name+"TXT "+quoted(texts), "update delete "+name+"TXT",
			"update add "+name+"1 TXT "+quoted(append(texts, note)))
		edited = time.Now()
		return taken
	})
	seen, _ := l.record()
	var renewed time.Time
	await(l.t, "the Primary has written again", func() bool {
		r, texts := l.record()
		renewed = time.Now()
		return r.Seq > seen.Seq && slices.Contains(texts, note)
	})
	l.prove(l.name, edited, renewed, l.times.report())
	l.steady(l.times.w)
	l.settle(a, b)
	l.wantTerm(hostA, old.Term)
}

// Somebody edits the host record: the Primary's next write sets it right.
func editAddress(l *lab) {
	a, b := l.pair()
	name := fqdn + ". "
	edited := l.mustUpdate("update delete "+name+"A", "update add "+name+"60 A 192.0.2.66", "update add "+name+"60 AAAA 2001:db8::66")
	l.awaitAddress(a)
	l.prove(l.name, edited, time.Now(), l.times.r+l.times.attempt())
	l.settle(a, b)
}

// Somebody deletes the record: the group is gone, and its nodes say so when two
// reads, a check interval apart, have told them.
func deleteRecord(l *lab) {
	a, b := l.pair()
	deleted := l.mustUpdate("update delete " + fqdn + ". TXT")
	await(l.t, "both nodes are in no group", func() bool {
		x, y := l.watch.Last(hostA), l.watch.Last(hostB)
		return l.watch.roles() == "not_in_group not_in_group" && x.DNS == "not_applicable" && y.DNS == "not_applicable"
	})
	l.prove(l.name, deleted, time.Now(), 2*(l.times.c+l.times.attempt()))
	for _, n := range []*node{a, b} {
		await(l.t, n.id+" has told why it is in no group", func() bool { return n.logged("NODE_ROLE_CHANGED", "removed_from_dns") })
		if status, _ := n.post("/join"); status == http.StatusOK {
			l.t.Errorf("%s has joined a group that is gone", n.id)
		}
	}
}
