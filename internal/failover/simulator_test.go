package failover

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// simulation is one seeded run of a group under faults: clocks that differ,
// stopped and restarted processes, cut links, lost and late answers, planned
// failovers, and in between quiet times in which the group must recover.
type simulation struct {
	*world
	size int
	over bool // the group waits for an operator
}

func newSimulation(t testing.TB, seed uint64) *simulation {
	periods := []time.Duration{500 * time.Millisecond, 5 * time.Second, time.Minute, time.Hour}
	s := &simulation{}
	w := newWorld(t, seed, Timing{})
	span := periods[w.rng.IntN(len(periods))]
	w.timing = Timing{W: span, R: ms(span / time.Duration(3+w.rng.IntN(3))), C: ms(span / time.Duration(1+w.rng.IntN(4))), TTL: span / 2, tight: seed%2 == 1}
	s.world = w
	s.size = []int{2, 2, 2, 3, 3, 5}[w.rng.IntN(6)]
	for i := range s.size {
		n := w.add(string(rune('a'+i)), func(c *Config) {
			c.Bootstrap = BootstrapCreate
			c.Gate = w.rng.IntN(4) == 0
			if w.rng.IntN(4) == 0 {
				c.Self.Priority = 50 + w.rng.IntN(100)
			}
			if i > 1 && w.rng.IntN(6) == 0 {
				c.Self.Priority = 0
			}
			if w.rng.IntN(8) == 0 {
				c.FailbackAfter = 2 * span
			}
		})
		if !w.timing.tight {
			n.rate = 0.91 + w.rng.Float64()*0.18
		}
	}
	s.calm()
	return s
}

// ms rounds to what the record can say.
func ms(d time.Duration) time.Duration { return d.Truncate(time.Millisecond) }

// calm heals everything.
func (s *simulation) calm() {
	clear(s.cut)
	clear(s.veto)
	u := s.timing.W / 15
	s.storeRT = func() time.Duration { return time.Duration(s.rng.Int64N(int64(u / 4))) }
	s.netRT = func() time.Duration { return time.Duration(s.rng.Int64N(int64(u / 4))) }
	s.lose = func() bool { return false }
	s.stopFor = s.timing.W / 200
	for _, n := range s.nodes {
		if n.frozen {
			s.thaw(n)
		}
		if !n.up {
			s.start(n, s.proof(n))
		}
	}
}

// proof: sometimes a restarted process can prove that its old run is dead.
func (s *simulation) proof(n *node) string {
	if n.runs > 0 && s.rng.IntN(2) == 0 {
		return fmt.Sprintf("%s%d", n.id, n.runs)
	}
	return ""
}

// trouble makes one random fault or request.
func (s *simulation) trouble() {
	n := s.nodes[s.rng.IntN(len(s.nodes))]
	o := s.nodes[s.rng.IntN(len(s.nodes))]
	u := s.timing.W / 15
	switch s.rng.IntN(20) {
	case 0, 1:
		if n.up {
			s.kill(n)
		} else {
			s.start(n, s.proof(n))
		}
	case 2:
		if n.up && !n.frozen {
			s.freeze(n)
		} else if n.frozen {
			s.thaw(n)
		}
	case 3, 4:
		s.cut[n.id+">store"] = !s.cut[n.id+">store"]
	case 5:
		s.cut["store>"+n.id] = !s.cut["store>"+n.id]
	case 6, 7:
		s.cut[n.id+">"+o.id] = !s.cut[n.id+">"+o.id]
	case 8:
		for _, x := range s.nodes {
			s.cut[x.id+">store"] = true
		}
	case 9:
		s.storeRT = func() time.Duration { return time.Duration(s.rng.Int64N(int64(3 * u))) }
	case 10:
		s.storeRT = func() time.Duration { return time.Duration(s.rng.Int64N(int64(s.timing.W * 2))) }
	case 11:
		s.lose = func() bool { return s.rng.IntN(3) == 0 }
	case 12:
		s.netRT = func() time.Duration { return time.Duration(s.rng.Int64N(int64(s.timing.W))) }
	case 13, 14:
		s.request(n, Request{Verb: VerbFailover})
	case 15:
		s.request(n, Request{Verb: VerbLeave})
		s.request(o, Request{Verb: VerbJoin, Self: o.cfg.Self, Timing: s.timing})
	case 16:
		s.request(n, Request{Verb: VerbRemove, Target: o.id})
	case 17:
		s.veto[n.id] = "not now"
		s.stopFor = time.Duration(s.rng.Int64N(int64(s.timing.W / 8)))
	case 18:
		w := s.timing.W / 2 * []time.Duration{1, 2, 4}[s.rng.IntN(3)]
		s.request(n, Request{Verb: VerbConfigure, Timing: Timing{W: ms(w), R: ms(w / 3), C: ms(w / 2), TTL: ms(w / 4)}})
	case 19:
		s.request(n, Request{Verb: []Verb{VerbPause, VerbResume}[s.rng.IntN(2)]})
	}
}

func (s *simulation) request(n *node, r Request) {
	if n.up && !n.frozen {
		s.ask(n, r)
	}
}

// recover ends the faults and waits for one Primary within the promised time.
func (s *simulation) recover() {
	s.calm()
	for _, n := range s.nodes {
		s.request(n, Request{Verb: VerbResume})
	}
	if !s.until(s.bound(), s.settled) {
		if s.rec.Record.Paused {
			s.reached["paused without a Primary"]++
			s.over = true
			return
		}
		s.fail("I5: no Primary %v after the faults ended", s.bound())
	}
	for _, n := range s.nodes {
		if n.up && n.m.role == event.RoleNotInGroup {
			s.request(n, Request{Verb: VerbJoin, Self: n.cfg.Self, Timing: s.timing})
		}
	}
}

// bound is how long a healed group may have no Primary.
func (s *simulation) bound() time.Duration {
	w := s.timing.W
	if s.rec.Found == Present && !s.rec.Record.Dissolved {
		w = max(w, s.rec.Record.AllowedAbsence)
	}
	return 64*w + 2*w*10/9 + time.Duration(s.size)*w/5 + w
}

func (s *simulation) settled() bool {
	return s.rec.Found == Present && len(s.primaries()) == 1
}

func (s *simulation) play(rounds int) {
	s.run(3 * s.timing.W)
	for range rounds {
		for range 1 + s.rng.IntN(8) {
			s.trouble()
			s.run(time.Duration(s.rng.Int64N(int64(s.timing.W * 3 / 2))))
			if len(s.broken) > 0 {
				return
			}
		}
		s.recover()
		if s.over {
			return
		}
		s.run(time.Duration(s.rng.Int64N(int64(s.timing.W))))
	}
}

// tail is the end of the log, for people.
func (s *simulation) tail(n int) string {
	return strings.Join(s.log[max(0, len(s.log)-n):], "\n")
}

func TestSimulator(t *testing.T) {
	seeds := 300
	if v := os.Getenv("AG_SEEDS"); v != "" {
		seeds, _ = strconv.Atoi(v)
	}
	first := 0
	if v := os.Getenv("AG_SEED"); v != "" {
		first, _ = strconv.Atoi(v)
		seeds = 1
	}
	reached := map[string]int{}
	var total time.Duration
	for seed := first; seed < first+seeds; seed++ {
		s := newSimulation(t, uint64(seed))
		s.verbose = os.Getenv("AG_VERBOSE") != ""
		s.play(12)
		for k, v := range s.reached {
			reached[k] += v
		}
		total += s.now
		if len(s.broken) > 0 {
			t.Fatalf("seed %d (size %d, %+v): %s\n%s", seed, s.size, s.timing, strings.Join(s.broken, "\n"), s.tail(60))
		}
	}
	var lines []string
	for k, v := range reached {
		lines = append(lines, fmt.Sprintf("%-40s %d", k, v))
	}
	slices.Sort(lines)
	t.Logf("%v of virtual time\n%s", total, strings.Join(lines, "\n"))
}
