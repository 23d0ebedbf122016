//go:build linux

package e2e_test

import (
	"strconv"
	"testing"
	"time"
)

// Whatever somebody on the path to the name server sends back, no role
// changes as long as the nodes hear each other, and nothing that was not
// written stands in the record.
func TestHostileDNS(t *testing.T) {
	t.Parallel()
	for seed, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			hostile := newWay(t, l.dns.Addr, uint64(seed))
			o := options{"net": network, "server": hostile.addr(), "log_level": "debug"}
			a, b := l.node("a", o, unhurried()), l.node("b", o, unhurried())
			l.form(a, b)
			old := l.watch.Tenure("a")
			attacks := dnsAttacks()
			for _, attack := range attacks {
				before := hostile.count(attack.name)
				hostile.begin(1, true, attack)
				await(t, "the attack "+attack.name+" has been made", func() bool {
					wantRoles(t, l, attack.name)
					return hostile.count(attack.name) >= before+8
				})
			}
			hostile.begin(1, true, attacks...)
			during(t, 2*w, "a is Primary, b Secondary, under all attacks", func() bool { return hasRoles(l) })
			hostile.end()
			l.settle(a, b)
			if got := l.watch.Tenure("a").Term; got != old.Term {
				t.Errorf("term = %d after the attacks, want %d as before", got, old.Term)
			}
			wantNoSecrets(t, l, a, b)
			t.Attr("prove.attacks", strconv.Itoa(hostile.count("")))
			t.Logf("%s: %d attacks of %d kinds", network, hostile.count(""), len(attacks))
		})
	}
}

// unhurried is for tests that want roles to stay for as long as they run,
// whatever else the machine has to do.
func unhurried() options { return withPeriod(2 * w) }

func hasRoles(l *lab) bool {
	return l.watch.Last("a").Role == "primary" && l.watch.Last("b").Role == "secondary"
}

func wantRoles(t *testing.T, l *lab, when string) {
	t.Helper()
	if !hasRoles(l) {
		t.Fatalf("%s: a is %s, b is %s", when, l.watch.Last("a").Role, l.watch.Last("b").Role)
	}
}

// Somebody on both paths of the Primary lies about everything. Nothing of it
// extends its authority, and the other node takes over as from one that died.
func TestHostileBothPaths(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	hostile := newWay(t, l.dns.Addr, 3)
	a, b := l.node("a", past(hostile)), l.node("b")
	l.form(a, b)
	taps := []*tap{newTap(t, a, 4), newTap(t, b, 5)}
	l.settle(a, b)
	old := l.watch.Tenure("a")
	await(t, "the attacker has seen a few exchanges", func() bool { return taps[1].seenSoFar() > 4 })

	hostile.begin(1, false, lying(dnsAttacks())...)
	for _, p := range taps {
		p.begin(1, lyingAnswers()...)
	}
	cut := time.Now() // whatever extends its authority was sent before
	await(t, "a says that it is not Primary", func() bool { return l.watch.Last("a").Role == "secondary" })
	last, stop := l.watch.Tenure("a"), cut.Add(lease-stopBudget)
	t.Logf("last seen as Primary %v before it had to stop", stop.Sub(last.To))
	if last.To.After(stop) {
		t.Errorf("a said that it is Primary %v after it had to stop", last.To.Sub(stop))
	}
	// The other node's way to the name server is clean. It has heard the last
	// heartbeat before a had to stop.
	next := l.watch.awaitTenure("b", old.Term)
	t.Logf("b is Primary %v after a had to stop", next.From.Sub(stop))
	if got := next.From.Sub(stop); got > w+allowed(stop) {
		t.Errorf("b is Primary %v after a had to stop, want %v at most", got, w)
	}
	during(t, w, "b is Primary, under attack", func() bool {
		return l.watch.Last("a").Role == "secondary" && l.watch.Last("b").Role == "primary"
	})
	if hostile.count("") == 0 || taps[1].count("") == 0 {
		t.Errorf("%d attacks over DNS and %d over HTTP, want some of both", hostile.count(""), taps[1].count(""))
	}

	hostile.end()
	for _, p := range taps {
		p.end()
	}
	l.settle(b, a)
	if got := l.watch.Tenure("b").Term; got != next.Term {
		t.Errorf("the end of the attack has cost a change of terms: %d after %d", got, next.Term)
	}
	wantNoSecrets(t, l, a, b)
	t.Attr("prove.attacks", strconv.Itoa(hostile.count("")+taps[0].count("")+taps[1].count("")))
}

// The lies are such that they would be of use: told by somebody who has the
// key, they make a Primary give up its role.
func TestHostileDNS_Control(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	hostile := newWay(t, l.dns.Addr, 30)
	a, b := l.node("a", past(hostile)), l.node("b")
	l.form(a, b)
	hostile.begin(1, false, dnsAttack{name: "signed with the key", make: one(func(w *way, n string, r []byte) []byte {
		return pack(lie(r, w.ask(n, r)), &forger{r, l.key.Secret, ""})
	})})
	await(t, "a has given up its role", func() bool { return l.watch.Last("a").Role == "secondary" })
	hostile.end()
}

func past(w *way) options { return options{"server": w.addr()} }

// The Primary dies while somebody spoils half of what the other node and the
// name server say to each other. The takeover costs some attempts more, no
// more than that.
func TestHostileTakeover(t *testing.T) {
	t.Parallel()
	for seed, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			hostile := newWay(t, l.dns.Addr, uint64(seed)+10)
			a, b := l.node("a"), l.node("b", past(hostile), options{"net": network})
			l.form(a, b)
			old, trip := l.watch.Tenure("a"), l.roundTrip()
			hostile.begin(0.5, false, lying(dnsAttacks())...)
			killed := a.crash()
			heard := b.relay.lastHanded()
			next := l.watch.awaitTenure("b", old.Term)
			// Each message is sent twice at least, so a read and a write go well
			// in more than half of all tries: ten fail once in thousands of runs.
			// Each costs one attempt and a back-off.
			const tries, backOff = 10, w / 60
			most := w + 3*trip + allowed(killed) + tries*(attempt+backOff)
			t.Logf("half of all spoilt: Primary %v after the loss, %d attacks", next.From.Sub(killed), hostile.count(""))
			if got := next.From.Sub(heard); got < w || next.From.Sub(killed) > most {
				t.Errorf("Primary %v after the last heartbeat and %v after the loss, want %v to %v", got, next.From.Sub(killed), w, most)
			}
			t.Attr("prove.attacks", strconv.Itoa(hostile.count("")))
		})
	}
}

// The Primary dies while somebody lies about all that the name server says. As
// long as that lasts nobody takes over, whatever the lie; then at once.
func TestHostileTakeover_AllLies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	hostile := newWay(t, l.dns.Addr, 20)
	a, b := l.node("a"), l.node("b", past(hostile))
	l.form(a, b)
	old := l.watch.Tenure("a")
	hostile.begin(1, false, lying(dnsAttacks())...)
	a.crash()
	during(t, 2*w, "b is no Primary", func() bool { return l.watch.Last("b").Role == "secondary" })
	// Its writes may have got through, so it may be the Primary of the record;
	// it learns that when it can read.
	hostile.end()
	ended := time.Now()
	next := l.watch.awaitTenure("b", old.Term)
	most := w/30 + 2*attempt + allowed(ended)
	t.Logf("all lies: Primary %v after the attack, %d attacks", next.From.Sub(ended), hostile.count(""))
	if got := next.From.Sub(ended); got > most {
		t.Errorf("b is Primary %v after the end of the attack, want %v at most", got, most)
	}
	wantNoSecrets(t, l, b)
	t.Attr("prove.attacks", strconv.Itoa(hostile.count("")))
}
