package failover

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// world runs machines against a virtual store and network in virtual time.
// Everything random comes from rng, so that a seed is a run.
type world struct {
	t      testing.TB
	now    time.Duration // real time, since the epoch
	epoch  time.Time
	queue  agenda
	order  uint64
	rng    *rand.Rand
	nodes  []*node
	timing Timing
	last   uint64        // of connections and requests
	began  time.Duration // of what happens now
	busy   int           // how much has happened since

	store store
	net   network
	rules invariants

	silent  bool // says nothing, to be fast
	log     []string
	steps   []string // every input and effect, as text; only if traced
	traced  bool
	reached map[string]int
}

// job is something that will happen.
type job struct {
	at    time.Duration
	order uint64
	do    func()
}

type agenda []job

func (a *agenda) Len() int { return len(*a) }
func (a *agenda) Less(i, j int) bool {
	x, y := (*a)[i], (*a)[j]
	return x.at < y.at || (x.at == y.at && x.order < y.order)
}
func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }
func (a *agenda) Push(x any)    { *a = append(*a, x.(job)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

// testTiming is what the defaults make of a failover period.
func testTiming(w time.Duration) Timing {
	return Timing{W: w, R: millis(w / 3), C: millis(w / 2), TTL: millis(w / 2)}
}

func newWorld(t testing.TB, seed uint64, timing Timing) *world {
	t.Helper()
	w := &world{
		t: t, epoch: time.Unix(1_800_000_000, 0), rng: rand.New(rand.NewPCG(seed, 1)), timing: timing,
		reached: map[string]int{},
	}
	w.store = newStore()
	w.net = newNetwork()
	w.rules = newInvariants()
	return w
}

// add declares a node; it does not start it.
func (w *world) add(id string, edit func(*Config)) *node {
	cfg := Config{
		Group: "svc.lab.test",
		Self: record.Member{
			ID: id, Scheme: "http", Port: 80, Priority: 100,
			IPv4: netip.AddrFrom4([4]byte{192, 0, 2, byte(len(w.nodes) + 1)}),
		},
		Timing: w.timing,
		Random: w.rng.Uint64,
	}
	if edit != nil {
		edit(&cfg)
	}
	n := &node{id: id, cfg: cfg, rate: 1, stopFor: time.Millisecond}
	w.nodes = append(w.nodes, n)
	return n
}

func (w *world) node(id string) *node {
	w.t.Helper()
	for _, n := range w.nodes {
		if n.id == id {
			return n
		}
	}
	w.t.Fatalf("no node %q", id)
	return nil
}

// after has something happen d from now.
func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.queue, job{at: w.now + max(0, d), order: w.order, do: do})
}

// run lets virtual time pass.
func (w *world) run(d time.Duration) {
	w.until(d, func() bool { return false })
}

// until lets time pass until ok, for at most d.
func (w *world) until(d time.Duration, ok func() bool) bool {
	end := w.now + d
	for !ok() {
		if len(w.queue) == 0 || w.queue[0].at > end {
			w.now = end
			w.check()
			return false
		}
		j := heap.Pop(&w.queue).(job)
		if !w.progresses(j.at) {
			return false
		}
		w.now = j.at
		j.do()
		w.check()
	}
	return true
}

// progresses: a thousand things may happen at one instant, or in the shortest
// of times, but not forty thousand (law 4).
func (w *world) progresses(at time.Duration) bool {
	const most, short = 40_000, time.Millisecond
	if at > w.began+short {
		w.began, w.busy = at, 0
	}
	w.busy++
	if w.busy == most {
		w.fail("law 4: no progress")
	}
	return w.busy < most
}

// number returns a number that was not used before.
func (w *world) number() uint64 {
	w.last++
	return w.last
}

// say writes a line of the transcript.
func (w *world) say(who, format string, args ...any) {
	if w.silent {
		return
	}
	w.log = append(w.log, fmt.Sprintf("%9s %-5s %s", stamp(w.now), who, fmt.Sprintf(format, args...)))
}

// trace writes a line about a single step.
func (w *world) trace(who, format string, args ...any) {
	if w.traced {
		w.steps = append(w.steps, fmt.Sprintf("%9s %-5s %s", stamp(w.now), who, fmt.Sprintf(format, args...)))
	}
}

// stamp writes a point of virtual time, to the millisecond.
func stamp(d time.Duration) string {
	return fmt.Sprintf("%.3fs", d.Seconds())
}
