//go:build linux

package hosts_test

import (
	"net/http"
	"net/url"
	"time"
)

// setClock sets the clock of a node's host, and returns when that was done.
func (n *node) setClock(by time.Duration) time.Time {
	n.t.Helper()
	if status, problem := n.post("/step?by=" + url.QueryEscape(by.String())); status != http.StatusOK {
		n.t.Fatalf("set the clock of %s: %d %s", n.id, status, problem)
	}
	return time.Now()
}

// The Primary's clock is set forward by an hour: for all it knows it was
// suspended, so its authority is over. It takes the role again at once.
func clockForwardOfPrimary(l *lab) {
	a, b := l.programs()
	old := l.watch.Tenure(hostA)
	set := a.setClock(time.Hour)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, set, next.From, 3*l.times.attempt())
	if next.Node != hostA {
		l.t.Errorf("%s is Primary, want a again", next.Node)
	}
	l.settle(a, b)
	l.steady(l.times.w)
}

// The clock of a host is set again and again, and nothing changes: not for a
// Secondary, whose waits are monotonic, and not for a Primary whose clock goes
// back. All rests on the record meanwhile: no heartbeat stands in for it.
func clockWithoutEffect(id string, by time.Duration) func(l *lab) {
	return func(l *lab) {
		a, b := l.programs()
		n := map[string]*node{hostA: a, hostB: b}[id]
		old := l.watch.Tenure(hostA)
		l.net.cut(both(hostA, hostB)...)
		await(l.t, "heartbeats go through DNS", func() bool { return l.watch.Last(hostB).Method == "dns" })
		var last time.Time
		steps := 0
		l.proveSteady(func() {
			if time.Since(last) > l.times.r*3/4 { // so that it meets all that happens
				last = n.setClock(by)
				steps++
			}
		})
		l.t.Logf("the clock of %s was set by %v %d times", id, by, steps)
		l.net.heal()
		l.settle(a, b)
		l.wantTerm(hostA, old.Term)
	}
}
