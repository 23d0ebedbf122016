package failover

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// found is what an exploration comes to.
type found struct {
	states, edges int
	depth         int // of the farthest state
	took          time.Duration
	violation     string
	trace         []string
	full          bool // the limit of states was reached, and there are more
}

// origin is how a state was reached.
type origin struct {
	from   int32
	depth  int32
	action string
}

// explore searches breadth first, so that a trace is a shortest one.
func explore(cfg *xconfig) found {
	began := time.Now()
	names := &xnames{}
	c := &canon{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	first := initial(cfg, names)
	cfg.reached = 0
	seen := map[[2]uint64]struct{}{c.key(first): {}}
	origins := []origin{{-1, 0, "start"}}
	queue := []*xworld{first}
	f := found{}
	twins := twins{}
	for i := 0; i < len(queue); i++ {
		x := queue[i]
		queue[i] = nil
		x.next(names, func(y *xworld, action string) {
			f.edges++
			k := c.key(y)
			// also of a state whose form is known: what was wrong with a write is not in it
			if v := cmp.Or(y.violation(), twins.differ(k, y, c, names)); v != "" && f.violation == "" {
				f.violation = v
				f.trace = trace(append(origins, origin{int32(i), 0, action}), len(origins), y)
			}
			if _, ok := seen[k]; ok {
				return
			}
			seen[k] = struct{}{}
			queue = append(queue, y)
			origins = append(origins, origin{int32(i), origins[i].depth + 1, action})
		})
		if f.violation != "" {
			break
		}
		if cfg.max > 0 && uint64(len(queue)) >= cfg.max {
			f.full = true
			break
		}
	}
	f.states, f.took = len(queue), time.Since(began)
	f.depth = int(origins[len(origins)-1].depth)
	return f
}

// twins are a sample of the canonical forms, with the state that was met first
// and the forms that can follow it.
type twins map[[2]uint64]twin

type twin struct {
	is    string
	after map[[2]uint64]string
}

// everyTwin is how many forms share one that is looked at.
const everyTwin = 128

// differ says in what y has other futures than the state of the same form that
// was met before: what the form leaves out must make no difference.
func (s twins) differ(k [2]uint64, y *xworld, c *canon, names *xnames) string {
	if k[0]%everyTwin != 0 || y.cfg.loose {
		return ""
	}
	now := twin{y.describe(), map[[2]uint64]string{}}
	y.next(names, func(z *xworld, action string) { now.after[c.key(z)] = action + " => " + z.describe() })
	before, ok := s[k]
	if !ok {
		s[k] = now
		return ""
	}
	var lines []string
	for k, action := range now.after {
		if _, ok := before.after[k]; !ok {
			lines = append(lines, "only here: "+action)
		}
	}
	for k, action := range before.after {
		if _, ok := now.after[k]; !ok {
			lines = append(lines, "only there: "+action)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "two states of one canonical form have different futures\n" + before.is + "\n" + strings.Join(lines, "\n")
}

func trace(origins []origin, at int, last *xworld) []string {
	var lines []string
	for ; at > 0; at = int(origins[at].from) {
		lines = append(lines, origins[at].action)
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return append(lines, "=> "+last.describe())
}

// initial is a settled group with a as its Primary.
func initial(cfg *xconfig, names *xnames) *xworld {
	x := &xworld{cfg: cfg, rec: Observation{Found: Absent, HostRead: true}}
	for i := range x.nodes[:cfg.nodes] {
		n := &x.nodes[i]
		n.slow, n.skip = i < cfg.slow, cfg.lag
		x.start(i, names)
		x.settle(names)
	}
	x.feed(0, Do{ID: 1, Request: Request{Verb: VerbCreate, Self: x.member(0), Timing: x.timing()}}, names)
	x.settle(names)
	for i := 1; i < cfg.nodes-cfg.outside; i++ {
		x.feed(i, Do{ID: 1, Request: Request{Verb: VerbJoin, Self: x.member(i), Timing: x.timing()}}, names)
		for range 8 {
			x.serve(i, names)
		}
		x.settle(names)
	}
	return x
}

// settle lets everything that is under way succeed.
func (x *xworld) settle(names *xnames) {
	for range 20 {
		for i := range x.nodes[:x.cfg.nodes] {
			x.serve(i, names)
		}
	}
}

// serve lets what a node has under way succeed.
func (x *xworld) serve(i int, names *xnames) {
	n := &x.nodes[i]
	if s := n.store; s.op != 0 && s.write {
		n.store = xstore{}
		end, token := x.apply(s.e, names)
		x.feed(i, WriteDone{Op: s.op, End: end, Token: token}, names)
	} else if s.op != 0 {
		n.store = xstore{}
		x.feed(i, ReadDone{Op: s.op, Seen: x.rec}, names)
	}
	for range len(n.calls) {
		call := n.calls[0]
		if !call.answered {
			x.feed(call.to, Received{Conn: uint64(i)*connsOf + call.op, From: xid(i), Message: call.message}, names)
			call = n.calls[0]
		}
		n.calls = n.calls[1:]
		if call.answered {
			x.feed(i, Answered{Op: call.op, From: xid(call.to), Message: call.answer}, names)
		}
	}
}

// raceStates is how far each search goes where the race detector slows it.
const raceStates = 4_000

// TestExplore searches every state of each set. With AG_NIGHTLY=1 it goes on
// with the larger ones, as far as AG_STATES, two million without.
func TestExplore(t *testing.T) {
	t.Parallel()
	was := debug.SetGCPercent(250) // most of what is made lasts until it is searched
	t.Cleanup(func() { debug.SetGCPercent(was) })
	for _, cfg := range xsets() {
		t.Run(strings.ReplaceAll(cfg.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if raced {
				cfg.max = raceStates
			}
			if f := search(t, &cfg); f.full != (raced || cfg.first) {
				t.Errorf("the search of all states came to its end: %v", !f.full)
			}
			if missing := cfg.must() &^ cfg.reached; missing != 0 && !raced {
				t.Errorf("never reached: %v", missing)
			}
		})
	}
}

// TestExplore_Night searches the larger sets.
func TestExplore_Night(t *testing.T) {
	t.Parallel()
	if os.Getenv("AG_NIGHTLY") == "" {
		t.Skip("set AG_NIGHTLY=1 for the larger explorations")
	}
	for _, cfg := range xnights() {
		t.Run(strings.ReplaceAll(cfg.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			most, ok := number("AG_STATES")
			if !ok {
				most = 2_000_000
			}
			cfg.max = most
			search(t, &cfg)
		})
	}
}

// search explores, and says what it came to.
func search(t *testing.T, cfg *xconfig) found {
	f := explore(cfg)
	t.Attr("prove.states", strconv.Itoa(f.states))
	t.Attr("prove.edges", strconv.Itoa(f.edges))
	t.Attr("prove.depth", strconv.Itoa(f.depth))
	t.Attr("prove.complete", strconv.FormatBool(!f.full))
	t.Attr("prove.seconds", fmt.Sprintf("%.1f", f.took.Seconds()))
	t.Logf("%d states, %d edges, %d deep, %v, all of them: %v", f.states, f.edges, f.depth, f.took.Round(time.Millisecond), !f.full)
	if f.violation != "" {
		t.Errorf("%s\n%s", f.violation, strings.Join(f.trace, "\n"))
	}
	return f
}

// TestExplore_Bites: a machine that counts its lease, or a promise, from the
// answer is found.
func TestExplore_Bites(t *testing.T) {
	t.Parallel()
	for what, cfg := range map[string]xconfig{
		"lease":   {nodes: 2, w: 2, tight: true, broken: true},
		"promise": {nodes: 2, w: 2, tight: true, peers: true, votes: true, max: boundStates},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := explore(&cfg)
			if f.violation == "" {
				t.Fatalf("no violation in %d states of a machine that counts its %s from the answer", f.states, what)
			}
			t.Logf("%d states: %s\n%s", f.states, f.violation, strings.Join(f.trace, "\n"))
		})
	}
}
