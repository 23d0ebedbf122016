//go:build linux

package hosts_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

const fqdn = "svc.lab.test"

// times are the intervals of a group, and what follows from them by the
// protocol.
type times struct{ w, r, c time.Duration }

// short are the times of most scenarios.
func short() times { return times{w: 3 * time.Second, r: 500 * time.Millisecond, c: time.Second} }

func (x times) lease() time.Duration      { return x.w / 4 * 3 }
func (x times) stopBudget() time.Duration { return x.w / 40 * 3 }
func (x times) attempt() time.Duration    { return x.w / 15 }
func (x times) alarmEvery() time.Duration { return min(x.c, x.w/30) }
func (x times) stagger() time.Duration    { return max(x.w/20, x.attempt()) }

// stop is how long a Primary goes on at most after the last thing it sent that
// counts.
func (x times) stop() time.Duration { return x.lease() - x.stopBudget() }

// takeover is how long there is no Primary at most after the old one was last
// heard: W, one attempt to read and one to write.
func (x times) takeover() time.Duration { return x.w + 2*x.attempt() }

// afterFaults is how long it takes at most until there is a Primary when all
// faults have ended, whatever they were.
func (x times) afterFaults() time.Duration { return 2*x.w*10/9 + x.stagger() + x.attempt() }

// again is how long it takes at most until a node that is calm has spoken to
// the server again.
func (x times) again() time.Duration { return x.c + 2*x.attempt() }

// report is how long it takes at most until the Primary has written again.
func (x times) report() time.Duration { return x.r + 2*x.attempt() }

// lab is a network, a name server, a group to be, and whoever watches them.
type lab struct {
	t      *testing.T
	name   string // of the scenario
	times  times
	net    *network
	dns    *testserver.Server
	key    testserver.Key
	watch  *observer
	ledger *ledger
	done   chan struct{}
	all    sync.WaitGroup
	totals *totals
}

// totals are sums over all scenarios.
type totals struct{ scenarios, samples, accepted, refused, late, violations atomic.Int64 }

type server func(testing.TB, ...testserver.Option) *testserver.Server

// machine is how late this one is, for as long as the tests run.
var machine testnode.Lateness

func newLab(t *testing.T, s scenario, sum *totals) *lab {
	t.Helper()
	machine.Start()
	l := &lab{t: t, name: s.name, times: s.times, net: newNetwork(t), done: make(chan struct{}), totals: sum}
	l.dns = l.server(s.server)
	l.key = l.dns.Key("hmac-sha256")
	l.ledger = newLedger(t, l.net.hosts[outside], addressOf(outside))
	l.watch = newObserver(t)
	t.Cleanup(func() {
		close(l.done)
		l.all.Wait()
	})
	return l
}

// server starts one on the host for it.
func (l *lab) server(start server) *testserver.Server {
	l.t.Helper()
	return start(l.t, testserver.WithNetwork(addressOf(dnsHost), l.net.hosts[dnsHost].do))
}

// node prepares a node of examples/node that starts in no group. What it does
// is watched by a writer.
func (l *lab) node(id string, o ...options) *node {
	l.t.Helper()
	n := &node{t: l.t, id: id, host: l.net.hosts[id], dir: l.t.TempDir(), secret: l.key.Secret}
	n.conf = map[string]any{
		"server": l.dns.Addr, "zone": l.dns.Zone, "node_id": id, "bootstrap": "manual", "elsewhere": "refuse", "log_format": "json",
		"settings": map[string]any{
			"group_fqdn": fqdn, "group_fqdn_ttl": 1, "external_scheme": "http",
			"external_ipv4_address": addressOf(id), "external_port": nodePort,
			"health_report_interval": l.times.r.Seconds(), "health_check_interval": l.times.c.Seconds(),
			"allowed_absence_interval": l.times.w.Seconds(),
			"tsig_name":                l.key.Name, "tsig_algorithm": l.key.Algorithm, "tsig_secret": l.key.Secret,
		},
	}
	for _, more := range o {
		n.set(more)
	}
	l.t.Cleanup(n.end)
	return n
}

// program prepares a node of the program of this package, which writes to the
// ledger by itself and has a clock that can be set.
func (l *lab) program(id string, o ...options) *node {
	l.t.Helper()
	n := l.node(id, o...)
	n.own = true
	n.set(options{"ledger": net.JoinHostPort(addressOf(outside), ledgerPort)})
	return n
}

// pair is a settled group of two, with a as Primary.
func (l *lab) pair(o ...options) (a, b *node) {
	l.t.Helper()
	a, b = l.node(hostA, o...), l.node(hostB, o...)
	l.form(a, b)
	return a, b
}

// programs is pair with the program of this package.
func (l *lab) programs(o ...options) (a, b *node) {
	l.t.Helper()
	a, b = l.program(hostA, o...), l.program(hostB, o...)
	l.form(a, b)
	return a, b
}

// form starts nodes and makes a group of them, with the first as Primary.
func (l *lab) form(a, b *node) {
	l.t.Helper()
	for _, n := range []*node{a, b} {
		n.start()
		l.watch.watch(n)
		if !n.own {
			l.all.Go(func() { l.writeFor(n) })
		}
	}
	l.enter(a, "/create")
	l.enter(b, "/join")
	l.settle(a, b)
	await(l.t, "the Primary has written to the ledger", func() bool { return l.ledger.wrote(a.id, l.watch.Tenure(a.id).Term) })
}

// enter has a node create or join; what the server is looked at closely for
// may take longer than there is time for on a busy machine, and is asked again.
func (l *lab) enter(n *node, path string) {
	l.t.Helper()
	await(l.t, path+" of "+n.id+" is done", func() bool {
		status, problem := n.post(path)
		if status != http.StatusOK {
			l.t.Logf("POST %s to %s: %d %s", path, n.id, status, problem)
		}
		return status == http.StatusOK
	})
}

// settle waits until all is well: a is Primary, b Secondary, both hear each
// other and the server, and the name has a's address. It returns when that was.
func (l *lab) settle(a, b *node) time.Time {
	l.t.Helper()
	await(l.t, a.id+" is Primary, "+b.id+" Secondary, and all is well", func() bool {
		x, y := l.watch.Last(a.id), l.watch.Last(b.id)
		return x.Role == "primary" && y.Role == "secondary" && y.PrimaryID == a.id &&
			x.DNS == "connected" && y.DNS == "connected" && x.Method == "direct" && y.Method == "direct"
	})
	settled := time.Now()
	l.awaitAddress(a)
	return settled
}

// settleAny is settle for whoever is Primary.
func (l *lab) settleAny(a, b *node) time.Time {
	l.t.Helper()
	await(l.t, "there is one Primary, and a Secondary", func() bool {
		r := l.watch.roles()
		return r == "primary secondary" || r == "secondary primary"
	})
	if l.watch.role(a.id) == "primary" {
		return l.settle(a, b)
	}
	return l.settle(b, a)
}

// awaitAddress waits until the name has the node's address, and no other.
func (l *lab) awaitAddress(n *node) {
	l.t.Helper()
	await(l.t, "the name has the address of "+n.id, func() bool {
		got := l.addresses()
		return len(got) == 1 && got[0] == addressOf(n.id)
	})
}

// proveSteady is steady for what the scenario is about, and makes it known.
// What is to go on meanwhile is called again and again.
func (l *lab) proveSteady(meanwhile ...func()) {
	l.t.Helper()
	d := 2 * l.times.w
	l.steady(d, meanwhile...)
	l.t.Attr("prove."+l.name+"-steady", fmt.Sprintf("no change in %.3g s", d.Seconds()))
}

// steady checks that the roles stay as they are, a Primary in its term, for so
// long.
func (l *lab) steady(d time.Duration, meanwhile ...func()) {
	l.t.Helper()
	old := l.watch.Tenure(hostA)
	during(l.t, d, "a is Primary, b Secondary", func() bool {
		for _, f := range meanwhile {
			f()
		}
		return l.watch.roles() == "primary secondary"
	})
	if got := l.watch.Tenure(hostA); got.Term != old.Term {
		l.t.Errorf("a is Primary in term %d, want %d as before", got.Term, old.Term)
	}
}

// prove compares how long something took with its bound, and makes both known.
// What the machine was late meanwhile is allowed for.
func (l *lab) prove(what string, from, to time.Time, bound time.Duration) {
	l.t.Helper()
	took, late := max(0, to.Sub(from)), machine.Between(from, to)
	text := fmt.Sprintf("%.3f s of %.3g s", took.Seconds(), bound.Seconds())
	if late > 0 && took > bound {
		text += fmt.Sprintf(" (machine late by %.3f s)", late.Seconds())
	}
	l.t.Attr("prove."+what, text)
	l.t.Logf("%s: %s (machine late by %v)", what, text, late)
	if took > bound+late {
		l.t.Errorf("%s took %v, want %v at most", what, took, bound)
	}
}

// finish judges a scenario: nobody may have seen two Primaries.
func (l *lab) finish() {
	l.t.Helper()
	l.watch.Stop()
	entries := l.ledger.kept()
	wrong := append(l.watch.Judge(), judge(entries)...)
	for _, w := range wrong {
		l.t.Error(w)
	}
	l.totals.violations.Add(int64(len(wrong)))
	accepted, refused := count(entries)
	late := l.watch.tooLate(entries)
	l.t.Logf("observer: %d answers; ledger: %d writes accepted, %d of them late, %d refused", l.watch.samples(), accepted, late, refused)
	l.totals.samples.Add(int64(l.watch.samples()))
	l.totals.accepted.Add(int64(accepted))
	l.totals.refused.Add(int64(refused))
	l.totals.late.Add(int64(late))
	if l.t.Failed() {
		return
	}
	l.totals.scenarios.Add(1)
}

// writeFor writes to the ledger from the node's host, as long as the node says
// that it is Primary, with the term that the node names: between its answer and
// the arrival of the write anything may happen.
func (l *lab) writeFor(n *node) {
	ctx := context.WithoutCancel(l.t.Context())
	c := newClient(l.t, n.host)
	p := &pen{dial: n.host.dial, to: net.JoinHostPort(addressOf(outside), ledgerPort)}
	defer p.close()
	tick := time.NewTicker(2 * testnode.Every)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		if s, ok := working(ctx, c, n); ok {
			_ = p.write(ctx, n.id, s) // the ledger tells
		}
	}
}
