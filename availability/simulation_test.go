package availability_test

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How much is simulated.
const (
	simSeeds      = 220 // in an ordinary run
	simHours      = 50
	simRaceSeeds  = 24 // with the race detector
	simNightHours = 5000
)

// TestSimulation plays whole groups: the driver, the subscriptions, the gates,
// the record's text, the messages and the state directory are those of the
// shipped package; network, primary master, clocks and hosts are of the test.
// Each seed is a group of 2, 3 or 5 nodes in a bubble of its own, in virtual
// time, and a schedule of faults and of what operators do. The invariants of
// package failover are checked at every change of a role, of the record and of
// the host's work, and now and then between.
//
// AG_NIGHTLY=1 plays 5,000 hours (with go test -timeout 2h). AG_SEEDS=n plays
// that many seeds, from AG_SEEDS_FROM on. AG_SEED=n replays a seed and prints
// all that happened; AG_STEPS=1,4,9 keeps only these steps of its schedule, at
// their times. A seed that fails prints both, after it has dropped the steps
// that the failure does not need.
//
// What is seen is what a program that uses the package can see, and every
// state of the primary master. The slack between the lease and the failover
// period is as shipped, so that small faults in the machine hide in it: for
// those there are the explorer and the simulator of package failover.
//
// A seed decides the group, the schedule, and how long each message is under
// way. Within one instant of virtual time the order of goroutines is the Go
// scheduler's, so that a seed gives the same run, to the nanosecond, in some
// nineteen of twenty cases (see TestSimulation_IsReproducible), and else one
// that parts from it where two things happened at one instant. The schedule is
// always the same.
func TestSimulation(t *testing.T) {
	if seed, ok := simNumber("AG_SEED"); ok {
		replay(t, seed)
		return
	}
	run := newSimRun()
	run.play(t)
	run.report(t)
}

// simRun is a number of seeds, and what they came across.
type simRun struct {
	next    atomic.Uint64
	enough  func(seeds uint64, virtual time.Duration) bool
	partial bool // too few seeds to come across everything
	mu      sync.Mutex
	seeds   uint64 // guarded by mu, as is all below
	virtual time.Duration
	reached map[string]int
	failed  []simResult
}

func newSimRun() *simRun {
	r := &simRun{reached: map[string]int{}}
	r.enough = func(seeds uint64, virtual time.Duration) bool {
		return seeds >= simSeeds && virtual >= simHours*time.Hour
	}
	switch {
	case os.Getenv("AG_NIGHTLY") != "":
		r.enough = func(_ uint64, virtual time.Duration) bool { return virtual >= simNightHours*time.Hour }
	case simUnderRace:
		r.partial = true
		r.enough = func(seeds uint64, _ time.Duration) bool { return seeds >= simRaceSeeds }
	}
	if from, ok := simNumber("AG_SEEDS_FROM"); ok {
		r.next.Store(from)
	}
	if n, ok := simNumber("AG_SEEDS"); ok {
		r.partial = true
		r.enough = func(seeds uint64, _ time.Duration) bool { return seeds >= n }
	}
	return r
}

func simNumber(name string) (uint64, bool) {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	return n, err == nil
}

// play plays seeds on all processors.
func (r *simRun) play(t *testing.T) {
	t.Run("seeds", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for r.wants() {
					r.add(simulate(t, newSimPlan(r.next.Add(1)-1), simPlant{}))
				}
			})
		}
	})
}

func (r *simRun) wants() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failed) < 3 && !r.enough(r.seeds, r.virtual)
}

func (r *simRun) add(s simResult) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seeds++
	r.virtual += s.virtual
	for k, v := range s.reached {
		r.reached[k] += v
	}
	if len(s.broken) > 0 {
		r.failed = append(r.failed, s)
	}
}

// report prints what was reached, and what went wrong.
func (r *simRun) report(t *testing.T) {
	t.Helper()
	for _, s := range r.failed {
		t.Errorf("%s", shrink(t, s))
	}
	for _, k := range slices.Sorted(maps.Keys(r.reached)) {
		t.Logf("%-40s %d", k, r.reached[k])
	}
	t.Logf("%d seeds, %.1f hours of virtual time", r.seeds, r.virtual.Hours())
	var all []string
	for _, m := range simMustReach() {
		n := r.reached[m.key]
		all = append(all, fmt.Sprintf("%s %d", m.words, n))
		if n == 0 && !r.partial && len(r.failed) == 0 {
			t.Errorf("the simulations never came across: %s (%s)", m.words, m.key)
		}
	}
	t.Attr("prove.hours", fmt.Sprintf("%.1f", r.virtual.Hours()))
	t.Attr("prove.seeds", fmt.Sprint(r.seeds))
	t.Attr("prove.reached", strings.Join(all, ", "))
	if r.reached["instants claimed"] < 2*r.reached["instants not claimed"] {
		t.Error("the simulations spend too much of their time where nothing is claimed")
	}
}

// replay plays one seed, or some of its steps.
func replay(t *testing.T, seed uint64) {
	t.Helper()
	plan := newSimPlan(seed)
	if list := os.Getenv("AG_STEPS"); list != "" {
		wanted := map[int]bool{}
		for s := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatalf("AG_STEPS: %v", err)
			}
			wanted[n] = true
		}
		plan = plan.only(wanted)
	}
	s := simulate(t, plan, simPlant{})
	t.Logf("%s\n%s", s.plan, s.transcript(len(s.log)))
	if len(s.broken) > 0 {
		t.Errorf("%s", s.broken[0])
	}
}

// transcript is the last of what happened.
func (s simResult) transcript(lines int) string {
	var text strings.Builder
	for _, l := range s.log[max(0, len(s.log)-lines):] {
		fmt.Fprintln(&text, l)
	}
	return text.String()
}
