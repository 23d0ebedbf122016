//go:build linux

package e2e_test

import (
	"net/http"
	"testing"
	"time"
)

// Planned failover, asked of a Secondary, of the Primary, and with a target,
// over UDP and TCP: the gap without a Primary is measured.
func TestPlannedFailover(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			a, b := l.pair(options{"net": network}, withPeriod(calm))
			for _, tt := range []struct {
				asked    *node
				path     string
				from, to *node
			}{
				{b, "/failover", a, b},
				{b, "/failover", b, a},
				{a, "/failover?to=b", a, b},
				{a, "/failover?to=a", b, a},
			} {
				old := l.watch.Tenure(tt.from.id)
				begin := time.Now()
				l.handOver(tt.asked, tt.path, tt.to)
				took := time.Since(begin)
				if got := l.state(tt.to).Role; got != "primary" {
					t.Errorf("POST %s to %s has returned and %s is %s", tt.path, tt.asked.id, tt.to.id, got)
				}
				next := l.watch.awaitTenure(tt.to.id, old.Term)
				most, least := gap(l.watch.Tenure(tt.from.id), next)
				t.Logf("POST %s to %s: answered after %v; no Primary for %v to %v", tt.path, tt.asked.id, took, least, most)
				if most > w {
					t.Errorf("no Primary for up to %v, want it handed over", most)
				}
				l.settle(tt.to, tt.from)
				l.wantWorker(tt.to, tt.from)
			}
			// The role is there already: nothing to do, and no mistake.
			term := l.watch.Tenure("a").Term
			l.do(a, "/failover?to=a")
			if got := l.state(a).Term; got != term {
				t.Errorf("a failover to the Primary itself has made term %d of %d", got, term)
			}
		})
	}
}

// handOver asks for a failover, and where its end is unknown once more, to the
// node that it has to lead to.
func (l *lab) handOver(asked *node, path string, to *node) {
	l.t.Helper()
	status, problem := l.post(asked, path)
	if status == http.StatusOK {
		return
	}
	l.t.Logf("POST %s to %s: %d %s", path, asked.id, status, problem)
	if status != http.StatusServiceUnavailable {
		l.t.Fatalf("POST %s to %s is refused", path, asked.id)
	}
	l.do(asked, "/failover?to="+to.id)
}

// A planned failover to a node that is gone changes nothing; force makes the
// other node Primary without the wait, unless the Primary is alive.
func TestFailoverWithADeadMember(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(withPeriod(calm))
	if status, problem := l.post(b, "/failover?force=test"); status != http.StatusPreconditionFailed {
		t.Errorf("force against a Primary that is alive = %d %q, want %d", status, problem, http.StatusPreconditionFailed)
	}

	b.crash()
	if status, problem := l.post(a, "/failover"); status != http.StatusPreconditionFailed || problem == "" {
		t.Errorf("failover to a dead member = %d %q, want %d and why", status, problem, http.StatusPreconditionFailed)
	}
	if got := l.state(a).Role; got != "primary" {
		t.Errorf("role of a after a failover that could not be = %s", got)
	}
	b.start()
	l.settle(a, b)

	old := l.watch.Tenure("a")
	killed := a.crash()
	l.do(b, "/failover?force=a%20is%20dead")
	next := l.watch.awaitTenure("b", old.Term)
	t.Logf("forced: Primary %v after the crash", next.From.Sub(killed))
	if got := next.From.Sub(killed); got >= calm {
		t.Errorf("forced failover took %v, want less than the failover period", got)
	}
	if !b.logged(0, "FAILOVER_FINISHED", "a is dead") {
		t.Error("b has not logged the operator's reason")
	}
	l.awaitAddress(b)
}
