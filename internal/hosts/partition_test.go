//go:build linux

package hosts_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// The nodes do not reach each other: heartbeats go through DNS, and nothing
// else changes.
func partitionPeers(l *lab) {
	a, b := l.pair()
	l.net.cut(both(hostA, hostB)...)
	for _, id := range []string{hostA, hostB} {
		await(l.t, id+" hears over DNS", func() bool { return l.watch.Last(id).Method == "dns" })
	}
	l.proveSteady()
	l.prove(l.name, l.net.heal(), l.settle(a, b), l.times.report())
}

// One node does not reach the server, and goes on.
func noServer(id string) func(l *lab) {
	return func(l *lab) {
		a, b := l.pair()
		l.net.cut(both(id, dnsHost)...)
		l.awaitDNS("disconnected", id)
		l.proveSteady()
		l.prove(l.name, l.net.heal(), l.settle(a, b), l.times.again())
	}
}

// One direction is cut: half of what is sent arrives, and nothing changes.
func oneWay(cut way) func(l *lab) {
	return func(l *lab) {
		a, b := l.pair()
		l.net.cut(cut)
		if cut.to == dnsHost || cut.from == dnsHost {
			l.awaitDNS("disconnected", hostA)
		} else {
			await(l.t, "heartbeats go through DNS", func() bool { return l.watch.Last(hostB).Method == "dns" })
		}
		l.proveSteady()
		l.prove(l.name, l.net.heal(), l.settle(a, b), l.times.again())
	}
}

// The server does what the Primary asks it, and the Primary never hears of it:
// it writes nothing on top of what it does not know, and nothing changes.
func lostAnswers(l *lab) {
	a, b := l.pair()
	l.net.swallow(content, way{dnsHost, hostA})
	l.awaitDNS("disconnected", hostA)
	l.proveSteady()
	l.prove(l.name, l.net.heal(), l.settle(a, b), l.times.again())
}

// No update is ever answered, and all are done: every renewal, and the takeover,
// is known by reading it back only.
func lostAnswersToUpdates(l *lab) {
	a, b := l.pair()
	l.net.swallow(updates, way{dnsHost, hostA}, way{dnsHost, hostB})
	l.proveSteady()
	old := l.watch.Tenure(hostA)
	killed := crash(a)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, killed, next.From, l.times.takeover())
	for _, n := range []*node{a, b} {
		if !strings.Contains(n.log(), "outcome unknown") {
			l.t.Errorf("node %s has had answers to its updates", n.id)
		}
	}
	l.net.heal()
	a.start()
	l.settle(b, a)
	l.wantTerm(hostB, next.Term)
}

// The Primary reaches nobody and nobody reaches it.
func isolatePrimary(l *lab) { l.takenOver(slices.Concat(from(hostA), to(hostA)), 0) }

// The Primary is heard by nobody.
func mutePrimary(l *lab) { l.takenOver(from(hostA), 0) }

// The Primary hears nobody, and is heard: as long as it believes in its
// authority it writes, so the silence begins when it stops.
func deafPrimary(l *lab) { l.takenOver(to(hostA), l.times.stop()) }

// takenOver cuts the Primary off: it stops by itself, then the other node takes
// over, at most so much later as the Primary is heard after the cut; and the
// first one comes back as Secondary.
func (l *lab) takenOver(ways []way, heard time.Duration) {
	l.t.Helper()
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	cut := l.net.cut(ways...)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, cut, next.From, heard+l.times.takeover())
	last := l.watch.Tenure(hostA)
	l.prove(l.name+"-stops", cut, last.To, l.times.stop())
	if late := last.To.Sub(cut.Add(l.times.stop())); late > 0 {
		l.t.Errorf("a said that it is Primary %v after it had to stop", late)
	}
	during(l.t, l.times.w, "b is Primary, a is not", func() bool { return l.watch.roles() == "secondary primary" })
	l.net.heal()
	l.settle(b, a)
	l.wantTerm(hostB, next.Term)
}

// lossy is how long the loss lasts.
func lossy() time.Duration {
	if os.Getenv("AG_NIGHTLY") == "1" {
		return 5 * time.Minute
	}
	return 15 * time.Second
}

// Of a hundred packets thirty are lost, wherever they go. With datagrams, in
// which the store asks several times, the role stays where it is, unless the
// machine is late besides. A connection waits for its lost packets a second and
// more, too long for groups of short times: with connections alone lapses are
// counted, and nothing but safety is promised. In a group of long times both do.
func loss(protocol string) func(l *lab) {
	return func(l *lab) {
		a, b := l.pair(options{"net": protocol})
		l.net.lose(30)
		begin := time.Now()
		rest := time.NewTimer(lossy())
		<-rest.C
		terms := l.watch.count(hostA) + l.watch.count(hostB)
		healed := l.net.heal()
		l.t.Attr("prove."+l.name+"-lapses", fmt.Sprintf("%d in %.0f s", terms-1, healed.Sub(begin).Seconds()))
		enough := protocol == "udp" || l.times.attempt() > time.Second
		late := machine.Between(begin, healed)
		if terms > 1 && enough && late < l.times.attempt() {
			l.t.Errorf("the role was lost, and %d terms began (machine late by %v)", terms-1, late)
		}
		l.prove(l.name, healed, l.settleAny(a, b), l.times.afterFaults())
	}
}

// The Primary is killed while thirty of a hundred packets are lost.
func lossAndKill(l *lab) {
	a, b := l.pair(options{"net": "udp"})
	old := l.watch.Tenure(hostA)
	l.net.lose(30)
	killed := crash(a)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, killed, next.From, l.times.afterFaults())
	l.net.heal()
	a.start()
	l.settleAny(a, b)
}
