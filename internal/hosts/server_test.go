//go:build linux

package hosts_test

import "time"

// The server is stopped and started in order.
func restartServer(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	l.dns.Stop()
	stopped := time.Now()
	l.dns.Start()
	l.t.Logf("the server was away for %v", time.Since(stopped))
	l.prove(l.name, time.Now(), l.settle(a, b), l.times.again())
	l.steady(l.times.w)
	l.wantTerm(hostA, old.Term)
}

// The server answers after two seconds, far too late for a group of such short
// times: for the nodes it is away, and nothing changes.
func slowServer(l *lab) {
	slow := newSlow(l)
	a, b := l.pair(options{"server": slow.address})
	slow.delay.Store(int64(2 * time.Second))
	l.awaitDNS("disconnected", hostA, hostB)
	l.proveSteady()
	slow.delay.Store(0)
	l.prove(l.name, time.Now(), l.settle(a, b), l.times.again())
}

// The server answers after two seconds, which a group of longer times can wait
// for: the takeover costs two of its answers, and a third if one was lost.
func killPrimaryOfSlowServer(l *lab) {
	slow := newSlow(l)
	a, b := l.pair(options{"server": slow.address})
	const delay = 2 * time.Second
	slow.delay.Store(int64(delay))
	old := l.watch.Tenure(hostA)
	killed := crash(a)
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, killed, next.From, l.times.w+3*delay)
	a.start()
	l.settle(b, a)
}
