package availability_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// simPlan is all that a seed decides: the group, and what happens to it. It is
// plain data, so that a part of the steps can be played again.
type simPlan struct {
	seed    uint64
	timing  availability.Timing
	members []simMemberPlan
	dnsOnly bool // no transport
	// silent: nobody asks the nodes for their state, which by itself would
	// wake a driver that is late.
	silent bool
	sample time.Duration // how often the world is looked at, beside all changes
	steps  []simStep
}

// simMemberPlan is one member, and its machine.
type simMemberPlan struct {
	rate      float64 // of its clocks, against real time
	priority  int
	bootstrap availability.Bootstrap
	failback  time.Duration
	stateDir  bool
	health    bool
	hooks     bool
	witness   bool
	ipv6      bool
}

// simStep is one thing that happens, after a while.
type simStep struct {
	number int
	wait   time.Duration
	deed   simDeed
	a, b   int  // members
	aimed  bool // at the Primary in the place of a, if there is one
	dice   uint64
}

func (p simPlan) w() time.Duration { return p.timing.AllowedAbsenceInterval }

// upTo is a part of d that the step's dice say, which is the n-th they are
// thrown for.
func (s simStep) upTo(n uint64, d time.Duration) time.Duration {
	return time.Duration(simHash(s.dice, "dice", n) % uint64(max(1, d)))
}

const (
	simRounds       = 8
	simMostTroubles = 8
)

// newSimPlan makes the plan of a seed.
func newSimPlan(seed uint64) simPlan {
	rng := rand.New(rand.NewPCG(seed, 3))
	one := func(in int) bool { return rng.IntN(in) == 0 }
	spans := []time.Duration{500 * time.Millisecond, 2 * time.Second, 5 * time.Second, time.Minute, time.Minute, 5 * time.Minute}
	w := spans[rng.IntN(len(spans))]
	millis := func(d time.Duration) time.Duration { return d.Truncate(time.Millisecond) }
	p := simPlan{
		seed: seed,
		timing: availability.Timing{
			AllowedAbsenceInterval: w,
			HealthReportInterval:   millis(w / time.Duration(3+rng.IntN(3))),
			HealthCheckInterval:    millis(w / time.Duration(1+rng.IntN(4))),
		},
		dnsOnly: one(12), silent: one(3),
		sample: w / time.Duration(3+rng.IntN(20)),
	}
	size := []int{2, 2, 2, 3, 3, 5}[rng.IntN(6)]
	for i := range size {
		m := simMemberPlan{
			rate:      0.91 + rng.Float64()*0.18,
			bootstrap: min(availability.Bootstrap(rng.IntN(4)), availability.BootstrapCreate),
			stateDir:  one(2), health: one(2), hooks: !one(3), witness: one(6), ipv6: one(4),
		}
		if one(4) {
			m.priority = 50 + rng.IntN(100)
		}
		if i > 1 && one(6) {
			m.priority = -1
		}
		if one(6) {
			m.failback = 2 * w
		}
		p.members = append(p.members, m)
	}
	p.steps = p.schedule(rng)
	return p
}

// schedule is what happens: rounds of troubles, each with a recovery.
func (p simPlan) schedule(rng *rand.Rand) []simStep {
	var all []simStep
	add := func(deed simDeed, wait time.Duration) {
		a := rng.IntN(len(p.members))
		b := (a + 1 + rng.IntN(len(p.members)-1)) % len(p.members)
		all = append(all, simStep{number: len(all) + 1, wait: wait, deed: deed, a: a, b: b, aimed: rng.IntN(2) == 0, dice: rng.Uint64()})
	}
	upTo := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	common, rare := simDeeds()
	for range simRounds {
		for range 1 + rng.IntN(simMostTroubles) {
			from := common
			if rng.IntN(18) == 0 {
				from = rare
			}
			add(from[rng.IntN(len(from))], upTo(p.w()*3/2))
		}
		add(deedRecover, upTo(p.w()))
	}
	return all
}

// only keeps the steps with these numbers, at their times.
func (p simPlan) only(numbers map[int]bool) simPlan {
	var kept []simStep
	var waited time.Duration
	for _, s := range p.steps {
		waited += s.wait
		if numbers[s.number] {
			s.wait, waited = waited, 0
			kept = append(kept, s)
		}
	}
	p.steps = kept
	return p
}

// numbers are those of the steps, for AG_STEPS.
func (p simPlan) numbers() string {
	var all []string
	for _, s := range p.steps {
		all = append(all, fmt.Sprint(s.number))
	}
	return strings.Join(all, ",")
}

// String says what group it is.
func (p simPlan) String() string {
	t := p.timing
	text := fmt.Sprintf("seed %d: W %v, R %v, C %v", p.seed, t.AllowedAbsenceInterval, t.HealthReportInterval, t.HealthCheckInterval)
	if p.dnsOnly {
		text += ", no transport"
	}
	if p.silent {
		text += ", nobody asks for the state"
	}
	for i, m := range p.members {
		text += fmt.Sprintf("\n  member %c: clocks at %.3f, priority %d, bootstrap %s", 'a'+i, m.rate, m.priority, m.bootstrap)
		if m.failback > 0 {
			text += fmt.Sprintf(", failback after %v", m.failback)
		}
		for _, f := range []struct {
			has  bool
			what string
		}{{m.stateDir, "a state directory"}, {m.health, "a health check"}, {m.hooks, "hooks"}, {m.witness, "a witness"}} {
			if f.has {
				text += ", " + f.what
			}
		}
	}
	return text
}
