//go:build linux

package hosts_test

import (
	"context"
	"net/http"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// The Primary's process is killed: the other node takes over after W, and the
// killed one comes back as Secondary, without a change of terms.
func killPrimary(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	killed := crash(a)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, killed, next.From, l.times.takeover())
	l.awaitAddress(b)
	a.start()
	l.settle(b, a)
	l.wantTerm(hostB, next.Term)
}

// wantTerm checks that the node was Primary in that term last.
func (l *lab) wantTerm(id string, term uint64) {
	l.t.Helper()
	if got := l.watch.Tenure(id).Term; got != term {
		l.t.Errorf("%s was Primary in term %d last, want %d", id, got, term)
	}
}

// The server is killed and started again: nothing changes but the connection.
func killServer(l *lab) {
	a, b := l.pair()
	l.dns.Kill()
	l.awaitDNS("disconnected", hostA, hostB)
	l.proveSteady()
	l.dns.Start()
	back := time.Now()
	l.prove(l.name, back, l.settle(a, b), l.times.again())
}

// awaitDNS waits until nodes say how they are connected to the server.
func (l *lab) awaitDNS(connection string, ids ...string) {
	l.t.Helper()
	for _, id := range ids {
		await(l.t, id+" is "+connection, func() bool { return l.watch.Last(id).DNS == connection })
	}
}

// The Primary and the server are killed at once, and the server is back when
// the other node would have taken over long since: it does so then. If it has
// never read the last record it waits for W once more.
func killPrimaryAndServer(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	a.kill()
	l.dns.Kill()
	crash(a)
	during(l.t, l.times.w+2*l.times.attempt(), "nobody is Primary", func() bool { return l.watch.role(hostB) == "secondary" })
	l.dns.Start()
	back := time.Now()
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, back, next.From, l.times.alarmEvery()+l.times.takeover())
	a.start()
	l.settle(b, a)
	l.wantTerm(hostB, next.Term)
}

// Both nodes are killed at the same time and started again, without a proof
// that their old runs are dead: one is Primary after W and, if it is the one
// of the lower rank, its share.
func restartBoth(l *lab) { l.restart(l.times.stagger() + l.times.attempt() + l.times.takeover()) }

// The same with a state directory each: the old Primary takes its role again
// at once, a read and a write after it listens.
func restartBothWithProof(l *lab) {
	l.restart(3*l.times.attempt(), options{"state_dir": "state"})
	if got := l.watch.Tenure(hostB).Term; got != 0 {
		l.t.Errorf("b was Primary in term %d", got)
	}
}

func (l *lab) restart(bound time.Duration, o ...options) {
	l.t.Helper()
	a, b := l.pair(o...)
	old := l.watch.Tenure(hostA)
	crash(a, b)
	started := a.start()
	if second := b.start(); len(o) == 0 { // with proof, the first need not wait for the second
		started = second
	}
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, started, next.From, bound)
	l.settleAny(a, b)
	l.wantTerm(next.Node, next.Term)
}

// A client goes on with the address that the name had: from the moment that
// the other node is Primary it hears that this one is not, and by the name it
// finds the other.
func cachedAddress(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	c := newClient(l.t, l.net.hosts[outside])
	if got := l.visit(c, a); got != http.StatusOK {
		l.t.Fatalf("the client's work by the old address: status %d", got)
	}
	killed := crash(a)
	a.start()
	refused := 0
	var found time.Time
	await(l.t, "the client has found the new Primary by its name", func() bool {
		// Asked in this order: what the old address says comes after the takeover.
		after := l.watch.Tenure(hostB)
		switch l.visit(c, a) {
		case http.StatusOK:
			if after.Term > old.Term {
				l.t.Errorf("the old address does the work of a Primary although %s is Primary in term %d", after.Node, after.Term)
			}
		case http.StatusServiceUnavailable:
			refused++
		}
		if names := l.addresses(); len(names) == 1 && names[0] == addressOf(hostB) && l.visit(c, b) == http.StatusOK {
			found = time.Now()
		}
		return !found.IsZero()
	})
	ttl := time.Second // for so long it may not have asked again
	l.prove(l.name, killed, found, l.times.takeover()+ttl)
	if refused == 0 {
		l.t.Error("the old address never said that it is not Primary")
	}
	l.settle(b, a)
	if got := l.visit(c, a); got != http.StatusServiceUnavailable {
		l.t.Errorf("work by the old address: status %d", got)
	}
}

// visit asks a node for its work at its external address; 0 is no answer.
func (l *lab) visit(c testnode.Client, n *node) int {
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
	defer cancel()
	status, _, err := c.Ask(ctx, http.MethodGet, "http://"+addressOf(n.id)+":8080", "/work")
	if err != nil {
		return 0
	}
	return status
}
