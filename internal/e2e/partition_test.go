//go:build linux

package e2e_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// server is a way to the name server that can be cut for one node alone.
func (l *lab) server() *relay {
	l.t.Helper()
	r := newRelay(l.t, "127.0.0.1")
	r.aim(l.dns.Addr)
	return r
}

func through(r *relay) options { return options{"server": r.listener.Addr().String()} }

// The Primary is cut off from everything, the other node is not: the Primary
// stops before the other one starts.
func TestIsolatedPrimary(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	way := l.server()
	a, b := l.node("a", through(way)), l.node("b")
	l.form(a, b)
	old := l.watch.Tenure("a")
	trip := l.roundTrip()

	way.setCut(true)
	a.relay.setCut(true)
	b.relay.setCut(true)
	cut := time.Now()
	next := l.watch.awaitTenure("b", old.Term)
	l.wantInTime(b, next, cut, trip)
	l.awaitAddress(b)
	last, stop := l.watch.Tenure("a"), cut.Add(lease-stopBudget)
	most, least := gap(last, next)
	t.Logf("isolated: last seen as Primary %v before it had to stop; no Primary for %v to %v", stop.Sub(last.To), least, most)
	if last.To.After(stop) {
		t.Errorf("a said that it is Primary %v after it had to stop", last.To.Sub(stop))
	}
	await(t, "a has been asked since b is Primary", func() bool { return l.watch.Last("a").Asked.After(next.From) })
	during(t, w, "a is no Primary", func() bool { return l.watch.Last("a").Role == "secondary" })

	way.setCut(false)
	a.relay.setCut(false)
	b.relay.setCut(false)
	l.settle(b, a)
	if got := l.watch.Tenure("b").Term; got != next.Term {
		t.Errorf("the return of a has cost a change of terms: %d after %d", got, next.Term)
	}
}

// The name server is away for one node alone, whichever: nothing changes.
func TestServerAwayForOne(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "b"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			ways := map[string]*relay{"a": l.server(), "b": l.server()}
			a, b := l.node("a", through(ways["a"]), unhurried()), l.node("b", through(ways["b"]), unhurried())
			l.form(a, b)
			old := l.watch.Tenure("a")

			ways[id].setCut(true)
			await(t, id+" has no connection to DNS", func() bool { return l.watch.Last(id).DNS == "disconnected" })
			during(t, 4*w, "a is Primary, b Secondary", func() bool { return hasRoles(l) })
			ways[id].setCut(false)
			l.settle(a, b)
			if got := l.watch.Tenure("a").Term; got != old.Term {
				t.Errorf("term = %d after the outage, want %d as before", got, old.Term)
			}
		})
	}
}

// Of three nodes the one with the higher priority takes over, and the other
// one follows it.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, c := l.node("a"), l.node("b"), l.node("c", options{"priority": 200})
	l.form(a, b, c)
	old, trip := l.watch.Tenure("a"), l.roundTrip()

	killed := a.crash()
	next := l.watch.awaitTenure("c", old.Term)
	l.wantInTime(c, next, killed, trip)
	await(t, "b follows c", func() bool { return l.watch.Last("b").PrimaryID == "c" })
	a.start()
	l.settleThree(c, a, b)
	if diff := cmp.Diff(map[string]string{"a": "secondary", "b": "secondary", "c": "primary"}, l.members(b)); diff != "" {
		t.Errorf("members mismatch (-want +got):\n%s", diff)
	}
	if got := l.watch.Tenure("b").Term; got != 0 {
		t.Errorf("b was Primary in term %d", got)
	}
}

func (l *lab) settleThree(primary, x, y *node) {
	l.t.Helper()
	l.settle(primary, x)
	l.settle(primary, y)
}

// A node that crashed and comes back at once, without a state directory, has
// no proof that its old run is dead: nobody is Primary before W is over.
func TestRestartWithoutProof(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	old := l.watch.Tenure("a")
	a.crash()
	heard := b.relay.lastHanded()
	a.start()
	await(t, "there is a Primary again", func() bool {
		return max(l.watch.Tenure("a").Term, l.watch.Tenure("b").Term) > old.Term
	})
	next := l.watch.Tenure("a")
	if next.Term == old.Term {
		next = l.watch.Tenure("b")
	}
	t.Logf("without proof: %s is Primary %v after the last heartbeat", next.Node, next.From.Sub(heard))
	if got := next.From.Sub(heard); got < w {
		t.Errorf("%s is Primary %v after the last heartbeat, want %v at least", next.Node, got, w)
	}
	if next.Node == "a" {
		l.settle(a, b)
	} else {
		l.settle(b, a)
	}
}

// While the group is paused nobody takes over, but force does.
func TestPause(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	l.do(b, "/pause?reason=maintenance") // a Secondary: the Primary carries it out
	await(t, "b knows that the group is paused", func() bool { return b.logged(0, "PAUSE_CHANGED", "paused") })
	a.crash()
	during(t, 2*w, "nobody takes over", func() bool { return l.watch.Last("b").Role == "secondary" })
	l.do(b, "/failover?force=a%20is%20dead")
	a.start()
	l.settle(b, a)
	l.do(b, "/resume")
	await(t, "a knows that the group goes on", func() bool { return a.logged(0, "PAUSE_CHANGED", "resumed") })
}
