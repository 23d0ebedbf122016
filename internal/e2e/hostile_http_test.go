//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Whatever somebody on the path between the nodes does to their messages, no
// role changes as long as they reach the name server.
func TestHostileHTTP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(options{"log_level": "debug"}, unhurried())
	old := l.watch.Tenure("a")
	taps := []*tap{newTap(t, a, 1), newTap(t, b, 2)}
	l.settle(a, b)
	await(t, "the attacker has seen a few exchanges", func() bool { return taps[1].seenSoFar() > 4 })
	attacks := append(requestAttacks(), answerAttacks()...)
	for _, attack := range attacks {
		before := taps[1].count(attack.name)
		for _, p := range taps {
			p.begin(1, attack)
		}
		await(t, "the attack "+attack.name+" has been made", func() bool {
			wantRoles(t, l, attack.name)
			return taps[1].count(attack.name) >= before+3
		})
	}
	for _, p := range taps {
		p.begin(1, attacks...)
	}
	during(t, 2*w, "a is Primary, b Secondary, under all attacks", func() bool { return hasRoles(l) })
	for _, p := range taps {
		p.end()
	}
	l.settle(a, b) // heartbeats go directly again
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("term = %d after the attacks, want %d as before", got, old.Term)
	}
	wantNoSecrets(t, l, a, b)
	made := taps[0].count("") + taps[1].count("")
	t.Attr("prove.attacks", strconv.Itoa(made))
	t.Logf("%d attacks of %d kinds", made, len(attacks))
}

// The Primary dies, and somebody sends the other node all that it has ever
// said, again and again. The takeover comes when it would have come anyway.
func TestHostileHTTP_ReplaysAfterDeath(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	p := newTap(t, b, 3)
	l.settle(a, b)
	await(t, "the attacker has seen some heartbeats", func() bool { return p.seenSoFar() > 6 })
	old, trip := l.watch.Tenure("a"), l.roundTrip()

	killed := a.crash()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	sent := 0
	all.Go(func() { sent = p.replay(ctx) })
	next := l.watch.awaitTenure("b", old.Term)
	l.wantInTime(b, next, killed, trip)
	cancel()
	all.Wait()
	t.Logf("%d replays until b was Primary", sent)
	if sent < 50 {
		t.Errorf("%d replays, want many", sent)
	}
	t.Attr("prove.attacks", strconv.Itoa(sent))
}

// Somebody has captured what a Secondary once asked the Primary to do. Nothing
// of it is done again.
func TestHostileHTTP_ReplayedOrders(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(unhurried())
	p := newTap(t, a, 4)
	l.settle(a, b)
	l.do(b, "/pause?reason=maintenance")
	l.do(b, "/resume")
	await(t, "both know that the group goes on", func() bool {
		return a.logged(0, "PAUSE_CHANGED", "resumed") && b.logged(0, "PAUSE_CHANGED", "resumed")
	})
	l.do(b, "/failover?to=a") // there already: nothing to do
	old, from := l.watch.Tenure("a"), len(a.log())
	orders := slices.DeleteFunc(p.captured(), func(x passed) bool { return !bytes.Contains(x.request.body, []byte(`"kind":"ask"`)) })
	if len(orders) < 2 {
		t.Fatalf("captured %d orders, want two at least", len(orders))
	}
	sent := 0
	for range 8 {
		for _, x := range orders {
			for _, request := range []octets{x.request, x.request.set("nonce", ""), x.request.set("from", "a")} {
				if got := p.ask(t.Context(), p.node, request).status; got == http.StatusOK {
					t.Errorf("a replayed order was taken: %s", x.request.body)
				}
				sent++
			}
		}
	}
	during(t, w/2, "a is Primary, b Secondary", func() bool { return hasRoles(l) })
	if a.logged(from, "PAUSE_CHANGED", "") || l.watch.Tenure("a").Term != old.Term {
		t.Error("a replayed order was carried out")
	}
	t.Attr("prove.attacks", strconv.Itoa(sent))
}

// replay sends what was captured to the node, and what can be made of it,
// until ctx ends. It returns how often.
func (p *tap) replay(ctx context.Context) (sent int) {
	captured := p.captured()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, x := range captured {
			for _, request := range []octets{x.request, x.request.set("nonce", ""), x.request.set("from", "b")} {
				select {
				case <-ctx.Done():
					return sent
				case <-tick.C:
				}
				p.ask(ctx, p.node, request)
				sent++
			}
		}
		if len(captured) == 0 {
			return sent
		}
		captured = slices.Clone(captured)
	}
}
