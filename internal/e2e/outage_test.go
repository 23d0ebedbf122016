//go:build linux

package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The name server is away, the nodes hear each other: nothing changes, for as
// long as it lasts.
func TestServerAway(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		away, back func(l *lab)
	}{
		"stopped": {func(l *lab) { l.dns.Pause() }, func(l *lab) { l.dns.Resume() }},
		"killed":  {func(l *lab) { l.dns.Kill() }, func(l *lab) { l.dns.Start() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			a, b := l.pair(unhurried())
			old := l.watch.Tenure("a")
			fromA, fromB := len(a.log()), len(b.log())

			tt.away(l)
			begin := time.Now()
			for _, n := range []*node{a, b} {
				await(t, n.id+" has no connection to DNS", func() bool { return l.watch.Last(n.id).DNS == "disconnected" })
				t.Logf("%s: disconnected after %v", n.id, time.Since(begin))
			}
			during(t, 5*w-time.Since(begin), "a is Primary, b Secondary", func() bool { return hasRoles(l) })
			tt.back(l)
			l.settle(a, b)
			if got := l.watch.Tenure("a").Term; got != old.Term {
				t.Errorf("term = %d after the outage, want %d as before", got, old.Term)
			}
			for n, from := range map[*node]int{a: fromA, b: fromB} {
				await(t, n.id+" has told of the outage and of its end", func() bool {
					return n.logged(from, "DNS_CONNECTION_CHANGED", "connected -> disconnected") &&
						n.logged(from, "DNS_CONNECTION_CHANGED", "disconnected -> connected")
				})
			}
		})
	}
}

// The nodes do not hear each other, the name server is there: nothing changes
// but the way of the heartbeats.
func TestPeersCutOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(unhurried())
	old := l.watch.Tenure("a")

	a.relay.setCut(true)
	b.relay.setCut(true)
	begin := time.Now()
	for _, n := range []*node{a, b} {
		await(t, n.id+" hears over DNS", func() bool { return l.watch.Last(n.id).Method == "dns" })
		t.Logf("%s: heartbeats over DNS after %v", n.id, time.Since(begin))
	}
	during(t, 5*w-time.Since(begin), "a is Primary, b Secondary", func() bool { return hasRoles(l) })
	a.relay.setCut(false)
	b.relay.setCut(false)
	l.settle(a, b)
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("term = %d after the outage, want %d as before", got, old.Term)
	}
}

// Cut off from both, the Primary stops by itself before its authority ends,
// and nobody takes over; with both back there is one Primary again.
func TestCutOffFromBoth(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	old := l.watch.Tenure("a")

	a.relay.setCut(true)
	b.relay.setCut(true)
	l.dns.Pause()
	cut := time.Now() // whatever extends its authority was sent before
	await(t, "a says that it is not Primary", func() bool { return l.watch.Last("a").Role == "secondary" })
	last := l.watch.Tenure("a")
	stop := cut.Add(lease - stopBudget)
	t.Logf("cut off: last seen as Primary %v after the cut, %v before it had to stop", last.To.Sub(cut), stop.Sub(last.To))
	if last.To.After(stop) {
		t.Errorf("a said that it is Primary %v after it had to stop", last.To.Sub(stop))
	}
	if status := l.work(a); status == 200 {
		t.Error("a does the work of a Primary")
	}
	during(t, w, "nobody is Primary", func() bool {
		return l.watch.Last("a").Role == "secondary" && l.watch.Last("b").Role == "secondary"
	})

	l.dns.Resume()
	a.relay.setCut(false)
	b.relay.setCut(false)
	healed := time.Now()
	await(t, "there is a Primary again, and a Secondary", func() bool {
		x, y := l.watch.Last("a").Role, l.watch.Last("b").Role
		return x+y == "primarysecondary" || x+y == "secondaryprimary"
	})
	t.Logf("healed: one Primary after %v", time.Since(healed))
	if got := time.Since(healed); got > 2*w+attempt+allowed(healed) {
		t.Errorf("a Primary again after %v, want %v at most", got, 2*w+attempt)
	}
	if l.watch.Last("a").Role == "primary" {
		l.settle(a, b)
	} else {
		l.settle(b, a)
	}
	if old.Term >= max(l.watch.Tenure("a").Term, l.watch.Tenure("b").Term) {
		t.Error("the role was taken again without a new term")
	}
}

// The zone is frozen: the server answers, and takes no update. Nobody can move
// the role then, and nobody loses it by trying.
func TestFrozenZone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(unhurried())
	old, from := l.watch.Tenure("a"), len(a.log())

	l.dns.Control("freeze", l.dns.Zone)
	await(t, "a knows that it cannot write", func() bool { return l.watch.Last("a").DNS == "disconnected" })
	for _, n := range []*node{a, b} {
		if status, problem := l.post(n, "/failover"); status != http.StatusServiceUnavailable || !strings.Contains(problem, "REFUSED") {
			t.Errorf("failover by %s in a frozen zone: %d %s", n.id, status, problem)
		}
	}
	during(t, 4*w, "a is Primary, b Secondary", func() bool { return hasRoles(l) })
	l.dns.Control("thaw", l.dns.Zone)
	l.settle(a, b)
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("term = %d after the thaw, want %d as before", got, old.Term)
	}
	if told := strings.Count(a.log()[from:], "DNS_CONNECTION_CHANGED"); told > 4 {
		t.Errorf("a has told %d times that DNS is there, or away", told)
	}
	l.do(b, "/failover?to=b")
	l.settle(b, a)
}
