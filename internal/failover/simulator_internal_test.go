package failover

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// TestSimulator plays groups under random faults, one seed each, and checks
// the invariants of the protocol after every event. AG_SEEDS is how many, and
// AG_SEED replays a single one with everything that was said; with AG_TRACE
// also every input and effect.
func TestSimulator(t *testing.T) {
	t.Parallel()
	if seed, ok := number("AG_SEED"); ok {
		s := simulate(t, seed, true)
		t.Logf("%s\n%s", s, strings.Join(append(s.log, s.steps...), "\n"))
		s.report(t)
		return
	}
	seeds, hours := simulated()
	reached := map[string]int{}
	for s := range simulations(t, seeds) {
		for k, v := range s.reached {
			reached[k] += v
		}
		reached["hours of virtual time"] += int(s.now.Hours())
		s.report(t)
	}
	for _, k := range mustReach() {
		if reached[k] == 0 {
			t.Errorf("the simulator never reached: %s", k)
		}
	}
	if reached["hours of virtual time"] < hours {
		t.Errorf("%d hours of virtual time, want %d", reached["hours of virtual time"], hours)
	}
	t.Attr("prove.hours", strconv.Itoa(reached["hours of virtual time"]))
	t.Attr("prove.seeds", strconv.FormatUint(seeds, 10))
	t.Attr("prove.reached", reachedText(reached))
	if reached["instants claimed"] < reached["instants not claimed"] {
		t.Error("the simulator spends most of its time where nothing is claimed")
	}
	for _, k := range slices.Sorted(maps.Keys(reached)) {
		t.Logf("%-40s %d", k, reached[k])
	}
}

// simulated is how many seeds are played, and the hours that they must come to:
// ten thousand, or with AG_NIGHTLY=1 a million.
func simulated() (seeds uint64, hours int) {
	switch n, ok := number("AG_SEEDS"); {
	case ok:
		return n, 0
	case raced:
		return 60, 0
	case os.Getenv("AG_NIGHTLY") != "":
		return 84_000, 1_000_000
	default:
		return 900, 10_000
	}
}

func reachedText(reached map[string]int) string {
	var all []string
	for _, k := range mustReach() {
		all = append(all, fmt.Sprintf("%s %d", k, reached[k]))
	}
	return strings.Join(all, ", ")
}

// mustReach is what a simulation that is worth its time comes across.
func mustReach() []string {
	return []string{
		"primary by primary_lost", "primary by handover", "primary by reclaimed", "primary by released", "primary by forced",
		"primary by created", "secondary by lease_lost", "secondary by superseded", "secondary by failback",
		"secondary by unhealthy", "secondary by shutdown", "secondary by dissolved", "not_in_group by removed",
		"not_in_group by left", "not_in_group by dissolved", "not_in_group by removed_from_dns",
		"late updates", "promises refused", "vetoes", "instants claimed",
		"verbs looked at when the Primary has done them", "verbs asked of a second Primary",
	}
}

func number(name string) (uint64, bool) {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	return n, err == nil
}

// simulations plays that many seeds, on all processors.
func simulations(t *testing.T, seeds uint64) <-chan *simulation {
	done := make(chan *simulation)
	next := make(chan uint64)
	go func() {
		for seed := range seeds {
			next <- seed
		}
		close(next)
	}()
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range next {
				done <- simulate(t, seed, false)
			}
		})
	}
	go func() { workers.Wait(); close(done) }()
	return done
}

// simulation is one seeded run of a group under faults: clocks that differ or
// are set, stopped, suspended and restarted processes, cut links, lost, late
// and doubled messages and updates, verbs of all kinds, hands that touch the
// record, and in between quiet times in which the group must recover.
type simulation struct {
	*world
	seed   uint64
	size   int
	older  []Observation // records as they were
	vetoed int
}

func (s *simulation) String() string {
	return fmt.Sprintf("seed %d: %d nodes, %+v, %v", s.seed, s.size, s.timing, s.now)
}

// report fails the test with the end of the transcript if an invariant broke.
func (s *simulation) report(t *testing.T) {
	t.Helper()
	if len(s.rules.broken) == 0 {
		return
	}
	if s.silent {
		s = simulate(t, s.seed, true)
	}
	t.Errorf("%s\n%s\n%s", s, strings.Join(s.rules.broken, "\n"), strings.Join(s.log[max(0, len(s.log)-60):], "\n"))
}

func simulate(t testing.TB, seed uint64, loud bool) *simulation {
	t.Helper()
	w := newWorld(t, seed, Timing{})
	w.silent = !loud
	w.traced = loud && os.Getenv("AG_TRACE") != ""
	w.store.split = func(d time.Duration) (there, back time.Duration) {
		there = time.Duration(w.rng.Int64N(int64(d) + 1))
		return there, d - there
	}
	s := &simulation{world: w, seed: seed}
	periods := []time.Duration{500 * time.Millisecond, 5 * time.Second, time.Minute, time.Hour}
	span := periods[w.rng.IntN(len(periods))]
	w.timing = Timing{
		W: span, R: millis(span / time.Duration(3+w.rng.IntN(3))), C: millis(span / time.Duration(1+w.rng.IntN(4))),
		TTL: span / 2, tight: seed%2 == 1,
	}
	w.rules.longest = span
	s.size = []int{2, 2, 2, 3, 3, 5}[w.rng.IntN(6)]
	for i := range s.size {
		s.addOne(i)
	}
	s.calm()
	s.play(12)
	return s
}

func (s *simulation) addOne(i int) {
	w := s.world
	n := w.add(string(rune('a'+i)), func(c *Config) {
		c.Bootstrap = BootstrapCreate
		c.Gate = w.rng.IntN(2) == 0
		if w.rng.IntN(4) == 0 {
			c.Self.Priority = 50 + w.rng.IntN(100)
		}
		if i > 1 && w.rng.IntN(6) == 0 {
			c.Self.Priority = 0
		}
		if w.rng.IntN(8) == 0 {
			c.FailbackAfter = 2 * w.timing.W
		}
	})
	if !w.timing.tight {
		n.rate = 0.91 + w.rng.Float64()*0.18
	}
}

// millis rounds to what the record can say.
func millis(d time.Duration) time.Duration { return d.Truncate(time.Millisecond) }

// upTo is a random duration below d.
func (s *simulation) upTo(d time.Duration) time.Duration {
	return time.Duration(s.rng.Int64N(max(1, int64(d))))
}

// calm heals everything.
func (s *simulation) calm() {
	clear(s.net.cut)
	clear(s.store.refuse)
	u := s.timing.W / 15
	s.store.delay = func() time.Duration { return s.upTo(u / 4) }
	s.net.delay = func() time.Duration { return s.upTo(u / 4) }
	never := func() bool { return false }
	s.net.lose, s.net.doubled, s.store.doubled = never, never, never
	for _, n := range s.nodes {
		n.veto, n.stopFor = "", s.timing.W/200
		if n.frozen {
			s.thaw(n)
		}
		if n.m != nil && n.m.stopping {
			s.until(s.rules.longest, func() bool { return !n.up })
		}
		if !n.up {
			s.start(n, s.proof(n))
		}
		s.deliver(n, n.gen, Health{Healthy: true})
	}
}

// proof: sometimes a restarted process can prove that its old run is dead.
func (s *simulation) proof(n *node) string {
	if n.runs > 0 && s.rng.IntN(2) == 0 {
		return n.run()
	}
	return ""
}

func (s *simulation) request(n *node, r Request) {
	if n.up && !n.frozen {
		s.ask(n, r)
	}
}

func (s *simulation) play(rounds int) {
	s.run(3 * s.timing.W)
	for range rounds {
		for range 1 + s.rng.IntN(8) {
			s.trouble()
			s.run(s.upTo(s.timing.W * 3 / 2))
			if len(s.rules.broken) > 0 {
				return
			}
			if s.store.holds() {
				s.older = append(s.older, s.store.now)
			}
		}
		s.recover()
		if len(s.rules.broken) > 0 {
			return
		}
		s.run(s.upTo(s.timing.W))
	}
}

// recover ends the faults and waits for one Primary within the promised time,
// with the help that an operator would have to give.
func (s *simulation) recover() {
	s.calm()
	for _, n := range s.nodes {
		s.request(n, Request{Verb: VerbResume})
	}
	s.until(s.bound(), s.settled)
	if !s.settled() {
		s.operate()
	}
	for _, n := range s.nodes {
		if n.up && n.m.role == event.RoleNotInGroup {
			s.request(n, Request{Verb: VerbJoin, Self: n.cfg.Self, Timing: s.timing})
		}
	}
}

// operate is the operator: a group that is gone is created again, one that is
// paused, or that names nobody who can take over, gets a Primary by force.
func (s *simulation) operate() {
	stuck := s.store.now.Record.Paused || s.unable()
	for _, n := range s.nodes {
		switch {
		case n.m.cfg.Self.Priority <= 0:
			continue
		case !s.store.holds():
			s.request(n, Request{Verb: VerbCreate, Adopt: true, Self: n.cfg.Self, Timing: s.timing})
		default: // of those that the record lists, or that join, perhaps nobody looks
			s.request(n, Request{Verb: VerbJoin, Self: n.cfg.Self, Timing: s.timing})
			s.run(s.timing.W / 15)
			if stuck {
				s.request(n, Request{Verb: VerbForce, Reason: "the others are dead"})
			}
		}
		if s.until(s.bound(), s.settled) {
			s.reached["operator"]++
			return
		}
	}
	s.fail("I5: no Primary within %v after the faults ended", s.bound())
}

// unable: no confirmed member can ever be Primary.
func (s *simulation) unable() bool {
	for _, m := range s.store.now.Record.Members {
		if !m.Joining && m.Eligible() && s.node(m.ID).cfg.Self.Eligible() {
			return false
		}
	}
	return true
}

// bound is how long a healed group may have no Primary (I5): everybody waits
// for the failover period, the last rank longest, on the slowest clock; twice,
// as a silence may begin with the end of the faults.
func (s *simulation) bound() time.Duration {
	w := s.rules.longest
	b := 2*w*10/9 + time.Duration(s.size)*w/15 + w/15
	if s.reached["vetoes"] > s.vetoed {
		s.vetoed = s.reached["vetoes"]
		b += 64 * w // cooling down
	}
	return b
}

func (s *simulation) settled() bool { return s.store.holds() && len(s.primaries()) == 1 }
