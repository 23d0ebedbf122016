package availability_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// simWorld is one bubble: the members of one group, the network between them,
// the primary master, and what is wrong with all that.
type simWorld struct {
	plan  simPlan
	plant simPlant
	ctx   context.Context // it ends with the bubble
	dir   string          // of the state directories
	began time.Time

	members   []*simMember
	all       []*simProcess // that ever ran
	net       *transport.Memory
	ledger    *simLedger
	lingering atomic.Int64 // goroutines of the world that wait for time to pass
	news      chan struct{}

	mu      sync.Mutex
	faults  simFaults         // guarded by mu, as is all below
	draws   map[string]uint64 // of each stream of random numbers
	reached map[string]int
	broken  []string
	log     []simLine
	claim   simClaim
	longest time.Duration     // the longest failover period so far
	actors  map[uint64]string // who was Primary, by term
	vetoes  int               // at the last recovery
}

// simLine is one line of the transcript.
type simLine struct {
	at        time.Duration
	who, text string
}

func (l simLine) String() string {
	return fmt.Sprintf("%12.3fs %-8s %s", l.at.Seconds(), l.who, l.text)
}

// simFaults is what is wrong at present.
type simFaults struct {
	toStore, fromStore, refuse map[string]bool // by member
	late, lose, doubled        map[string]int  // how many of the next updates
	brokenAnswers              map[string]int
	slow                       time.Duration // the longest way to anywhere
	lossy, twice               bool          // the network loses, doubles a third
}

func (w *simWorld) calmFaults() simFaults {
	return simFaults{
		toStore: map[string]bool{}, fromStore: map[string]bool{}, refuse: map[string]bool{},
		late: map[string]int{}, lose: map[string]int{}, doubled: map[string]int{}, brokenAnswers: map[string]int{},
		slow: w.plan.w() / 120, // an eighth of an attempt
	}
}

// simWay is what happens to one update.
type simWay struct{ late, lost, doubled, broken bool }

func (w *simWorld) wayOf(id string) simWay {
	w.mu.Lock()
	defer w.mu.Unlock()
	use := func(left map[string]int) bool {
		left[id]--
		return left[id] >= 0
	}
	f := &w.faults
	return simWay{late: use(f.late), lost: use(f.lose), doubled: use(f.doubled), broken: use(f.brokenAnswers)}
}

func (w *simWorld) faulty(is func(f *simFaults) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return is(&w.faults)
}

func (w *simWorld) spoil(edit func(f *simFaults)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	edit(&w.faults)
}

// draw returns the next random number of a stream. Each stream has numbers of
// its own, so that the order in which goroutines draw does not matter.
func (w *simWorld) draw(stream string) uint64 {
	w.mu.Lock()
	w.draws[stream]++
	n := w.draws[stream]
	w.mu.Unlock()
	return simHash(w.plan.seed, stream, n)
}

func simHash(seed uint64, stream string, n uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(stream)) // never fails
	x := h.Sum64() ^ seed*0x9e3779b97f4a7c15 ^ n*0xd1342543de82ef95
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// trip is how long one request and its answer are under way.
func (w *simWorld) trip(stream string) (there, back time.Duration) {
	slow := uint64(w.faultySlow())
	return time.Duration(1 + w.draw(stream)%slow), time.Duration(1 + w.draw(stream)%slow)
}

func (w *simWorld) faultySlow() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults.slow
}

// carry does something that takes time by itself.
func (w *simWorld) carry(do func()) {
	w.lingering.Add(1)
	go func() {
		defer w.lingering.Add(-1)
		do()
	}()
}

// pass lets time pass for one goroutine; in a bubble that costs nothing.
func (w *simWorld) pass(d time.Duration) { time.Sleep(d) }

// nudge has the world looked at, at this instant.
func (w *simWorld) nudge() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *simWorld) reach(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached[what]++
}

func (w *simWorld) reachedSoFar(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reached[what]
}

// say writes a line of the transcript.
func (w *simWorld) say(who, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, simLine{at: time.Since(w.began), who: who, text: fmt.Sprintf(format, args...)})
}

func (w *simWorld) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.say("!", "%s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, text)
}

func (w *simWorld) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.broken) > 0
}

// heard notes what the first subscriber of a process hears.
func (w *simWorld) heard(v *simWatch, e event.Event) {
	if v.kind != "any" {
		return
	}
	defer w.nudge()
	switch e := e.(type) {
	case event.RoleChange:
		if e.Previous == "" {
			return
		}
		w.say(v.p.name(), "is %s (%s), term %d", e.New, e.Cause, e.Term)
		w.reach(string(e.New) + " by " + string(e.Cause))
		w.checkRole(v.p, e)
	case event.FailoverResult:
		if strings.HasPrefix(e.Problem, "vetoed") {
			w.reach("vetoes")
			w.say(v.p.name(), "its host refuses the role")
		}
	case event.HostRecordRepair:
		w.reach("host record repairs")
	case event.Conflict:
		w.reach("conflicts told")
	default:
	}
}

// until lets time pass until ok, for at most d, and looks at the world at every
// change and now and then.
func (w *simWorld) until(d time.Duration, ok func() bool) bool {
	end := time.Now().Add(d)
	for {
		synctest.Wait()
		w.check()
		if ok() {
			return true
		}
		left := time.Until(end)
		if left <= 0 || w.failed() {
			return false
		}
		t := time.NewTimer(min(left, w.plan.sample))
		select {
		case <-w.news:
		case <-t.C:
		}
		t.Stop()
	}
}

func (w *simWorld) run(d time.Duration) { w.until(d, func() bool { return false }) }

// newSimWorld makes the members; none runs yet.
func newSimWorld(ctx context.Context, plan simPlan, plant simPlant, dir string) *simWorld {
	w := &simWorld{
		plan: plan, plant: plant, ctx: ctx, dir: dir, began: time.Now(), net: transport.NewMemory(),
		news: make(chan struct{}, 1), draws: map[string]uint64{}, reached: map[string]int{}, longest: plan.w(),
		actors: map[uint64]string{},
	}
	w.ledger = newSimLedger(w)
	w.faults = w.calmFaults()
	third := func(stream string, flag func(f *simFaults) bool) func(from, to string, n uint64) bool {
		return func(from, to string, n uint64) bool {
			hit := w.faulty(flag) && simHash(plan.seed, stream+from+">"+to, n)%3 == 0
			if hit {
				w.reach(stream)
			}
			return hit
		}
	}
	w.net.Drop = third("messages lost", func(f *simFaults) bool { return f.lossy })
	w.net.Duplicate = third("messages doubled", func(f *simFaults) bool { return f.twice })
	for i, p := range plan.members {
		m := &simMember{w: w, id: string(rune('a' + i)), ordinal: i, plan: p}
		m.machine = &simMachine{began: w.began, rate: p.rate, hidden: plant.hiddenSleep}
		if plant.wildClock && i == 0 {
			m.machine.rate = 0.4
		}
		if plant.hastyClock && i == 1 {
			m.machine.rate = 2.5
		}
		w.members = append(w.members, m)
	}
	return w
}

// simResult is what became of a simulation.
type simResult struct {
	plan    simPlan
	virtual time.Duration
	reached map[string]int
	broken  []string
	log     []simLine
	digest  uint64
}

// simulate plays a plan in a bubble of its own.
func simulate(t *testing.T, plan simPlan, plant simPlant) (result simResult) {
	t.Helper()
	dir := ""
	if slices.ContainsFunc(plan.members, func(m simMemberPlan) bool { return m.stateDir }) {
		dir = t.TempDir()
	}
	result.plan = plan
	defer func() {
		if p := recover(); p != nil { // a goroutine is left over
			result.broken = append(result.broken, fmt.Sprintf("I7: the bubble does not end: %v", p))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := newSimWorld(ctx, plan, plant, dir)
		defer func() { result = w.result() }()
		doors := w.open(ctx)
		w.play()
		w.end()
		cancel()
		doors.Wait()
	})
	return result
}

// open has all machines reachable.
func (w *simWorld) open(ctx context.Context) *sync.WaitGroup {
	var doors sync.WaitGroup
	for _, m := range w.members {
		doors.Go(func() {
			if err := w.net.Node(m.id).Serve(ctx, simDoor{m}); err != nil {
				w.fail("serve %s: %v", m.id, err)
			}
		})
	}
	return &doors
}

// end kills what still runs, and waits for all that was ever started.
func (w *simWorld) end() {
	for _, m := range w.members {
		if p := m.process(); p != nil {
			w.kill(p)
		}
	}
	for _, p := range w.all {
		<-p.done
		p.hosts.Wait()
		if p.IsPrimary() {
			w.fail("I7: %s is Primary after Run", p.name())
		}
		if p.err != nil {
			w.fail("Run of %s: %v", p.name(), p.err)
		}
	}
	for w.lingering.Load() > 0 {
		time.Sleep(w.plan.w())
	}
}

func (w *simWorld) result() simResult {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Whoever speaks at one instant may do so in any order.
	slices.SortStableFunc(w.log, func(a, b simLine) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.who, b.who), cmp.Compare(a.text, b.text))
	})
	h := fnv.New64a()
	for _, l := range w.log {
		_, _ = fmt.Fprintln(h, l.at, l.who, l.text) // never fails
	}
	return simResult{
		plan: w.plan, virtual: time.Since(w.began), reached: w.reached, broken: w.broken, log: w.log, digest: h.Sum64(),
	}
}

// ask has an operator ask something of a process.
func (w *simWorld) ask(m *simMember, what string, verb func(ctx context.Context, g *availability.Group) error) {
	p := m.process()
	if p == nil || p.frozen() {
		return
	}
	w.say(p.name(), "is asked to %s", what)
	w.carry(func() {
		ctx, cancel := context.WithTimeout(w.ctx, 4*w.plan.w())
		defer cancel()
		err := verb(ctx, p.Group)
		name, _, _ := strings.Cut(what, " ")
		if p.dead() {
			return
		}
		if err == nil {
			w.reach(name + " done")
			w.say(p.name(), "has done it: %s", what)
			return
		}
		w.reach(name + " refused")
	})
}
