//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// far is how long an answer of the server is under way in the test of the
// restart: long enough that a round trip is not lost among what a busy machine
// adds, and short enough for the attempts of the group. A connection is made
// at once: a round trip is one message and its answer.
const far = 100 * time.Millisecond

// A Primary that is killed and started again at once, with its state
// directory, is Primary again after its start-up and two round trips to the
// store: it reads the record and writes it.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	server := newWay(t, l.dns.Addr, 0)
	var exchanges distant
	server.begin(1, false, dnsAttack{name: "distance", make: exchanges.carry})
	o := options{"server": server.addr(), "state_dir": "state"}
	a, b := l.node("a", o, withPeriod(calm)), l.node("b", withPeriod(calm))
	l.form(a, b)
	trip := l.lookup(server.addr())
	without := l.startUp(l.node("c", o, withPeriod(calm)))

	const restarts = 3
	most := 0
	var again []time.Duration
	for range restarts {
		l.settle(a, b)
		old, from := l.watch.Tenure("a"), len(a.log())
		a.crash()
		exchanges.forget(t)
		begin := time.Now()
		a.start()
		now := l.watch.awaitTenure("a", old.Term)
		until := a.when(from, func(x stamped) bool {
			return x.Msg == "event" && x.ID == "NODE_ROLE_CHANGED" && strings.Contains(x.Text, "primary") && x.Term == now.Term
		})
		trips := exchanges.untilUpdate(t)
		most = max(most, trips)
		again = append(again, until.Sub(begin))
		t.Logf("Primary again %v after the start, of which %v from listening on: %d round trips", until.Sub(begin),
			until.Sub(a.when(from, listening)), trips)
	}
	l.settle(a, b)
	l.wantWorker(a, b)
	if most > 2 {
		t.Errorf("%d round trips to the store before the node was Primary again, want 2 at most", most)
	}
	if got := l.watch.Tenure("b").Term; got != 0 {
		t.Errorf("b was Primary in term %d meanwhile", got)
	}
	slices.Sort(again)
	median := again[restarts/2]
	over := float64(median-without) / float64(trip)
	t.Attr("prove.restart-round-trips", strconv.Itoa(most))
	t.Attr("prove.restart-over-start-up", fmt.Sprintf("%.1f round trips of %d ms", over, trip.Milliseconds()))
	t.Attr("prove.restart-until-primary", fmt.Sprintf("%d ms, start-up without a group %d ms", median.Milliseconds(), without.Milliseconds()))
	t.Logf("Primary again %v after the start; a start without a group takes %v, a lookup %v: %.1f round trips more", median, without, trip, over)
}

// While the old process lives, though it be stopped and another node have taken
// over, a second one with the same state directory does not run, and is never
// Primary. When the old one is dead the directory is free at once.
func TestRestart_OldProcessLives(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(options{"state_dir": "state"})
	old := l.watch.Tenure("a")

	a.freeze()
	l.wantLocked(a)
	next := l.watch.awaitTenure("b", old.Term)
	l.wantLocked(a)
	if got := l.record(); got.Term != next.Term {
		t.Errorf("the record has term %d, want %d, that of b", got.Term, next.Term)
	}
	a.crash()
	a.start()
	l.settle(b, a)
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("a was Primary again, in term %d", got)
	}
}

// wantLocked starts a second process of the node with the state directory of
// the first.
func (l *lab) wantLocked(n *node) {
	l.t.Helper()
	second := l.node(n.id, options{"state_dir": filepath.Join(n.dir, "state")})
	second.run()
	status := second.exit(patience)
	if want := "the state directory is in use"; status != 1 || !strings.Contains(second.log(), want) {
		l.t.Errorf("exit status %d, want 1; %q, want %q in it", status, second.log(), want)
	}
	if second.logged(0, "NODE_ROLE_CHANGED", "primary") {
		l.t.Errorf("the second process was Primary: %q", second.log())
	}
}

// startUp is how long a node takes from its start until it listens and answers,
// outside of a group.
func (l *lab) startUp(n *node) time.Duration {
	l.t.Helper()
	begin := time.Now()
	n.start()
	var state struct {
		Role string `json:"node_role"`
	}
	l.get(n, "/state", &state)
	took := n.when(0, listening).Sub(begin)
	if state.Role != "not_in_group" {
		l.t.Errorf("%s is %q, want it outside of the group", n.id, state.Role)
	}
	n.crash()
	return took
}

// lookup measures what a read of the record takes, as a node does it; the
// median of a few.
func (l *lab) lookup(server string) time.Duration {
	l.t.Helper()
	store, err := rfc2136.New(rfc2136.Config{
		Server: server, Zone: l.dns.Zone, TSIGName: l.key.Name, TSIGAlgorithm: l.key.Algorithm, TSIGSecret: dnsstore.NewSecret(l.key.Secret),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	var all []time.Duration
	for range 5 {
		begin := time.Now()
		if _, err := store.Lookup(l.t.Context(), dnsstore.Key{Name: fqdn, Type: "TXT"}); err != nil {
			l.t.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// stamped is a line of the log of a node with its time.
type stamped struct {
	testnode.Line

	Time time.Time `json:"time"`
	Term uint64    `json:"term"`
}

func listening(x stamped) bool { return x.Msg == "listening" }

// when is the time of the first line of the log, from an offset on, for which
// ok holds; it waits for it.
func (n *node) when(from int, ok func(stamped) bool) (at time.Time) {
	n.t.Helper()
	n.await("the log says so", func() bool {
		for text := range strings.Lines(n.log()[from:]) {
			var x stamped
			if json.Unmarshal([]byte(text), &x) == nil && ok(x) {
				at = x.Time
				return true
			}
		}
		return false
	})
	return at
}

// distant makes a server distant: each answer takes far, and all exchanges are
// kept.
type distant struct {
	mu   sync.Mutex // guards the following
	open int        // exchanges under way
	all  []exchanged
}

// carry is a dnsAttack that harms nobody.
func (d *distant) carry(w *way, network string, request []byte) [][]byte {
	d.count(1)
	defer d.count(-1)
	answer := w.ask(network, request)
	d.mu.Lock()
	d.all = append(d.all, exchanged{request, answer})
	d.mu.Unlock()
	w.wait(far)
	return [][]byte{answer}
}

func (d *distant) count(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open += n
}

// forget waits for the end of what is under way, and forgets it.
func (d *distant) forget(t *testing.T) {
	t.Helper()
	await(t, "all exchanges have ended", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.all = nil
		return d.open == 0
	})
}

// untilUpdate is the number of exchanges up to the first update that was done.
func (d *distant) untilUpdate(t *testing.T) int {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, x := range d.all {
		var answer dns.Msg
		if answer.Unpack(x.answer) == nil && answer.Opcode == dns.OpcodeUpdate && answer.Rcode == dns.RcodeSuccess {
			return i + 1
		}
	}
	t.Fatal("no update was done")
	return 0
}
