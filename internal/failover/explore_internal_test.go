package failover

import (
	"hash/maphash"
	"strings"
	"testing"
	"time"
)

// found is what an exploration comes to.
type found struct {
	states, edges int
	took          time.Duration
	violation     string
	trace         []string
	full          bool // the limit of states was reached
}

// origin is how a state was reached.
type origin struct {
	from   int32
	action string
}

// explore searches breadth first, so that a trace is a shortest one.
func explore(cfg *xconfig) found {
	began := time.Now()
	names := &xnames{}
	c := &canon{}
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	first := initial(cfg, names)
	seen := map[[2]uint64]int32{first.key(c, seeds): 0}
	origins := []origin{{-1, "start"}}
	queue := []*xworld{first}
	f := found{}
	for i := 0; i < len(queue); i++ {
		x := queue[i]
		queue[i] = nil
		x.next(names, func(y *xworld, action string) {
			f.edges++
			k := y.key(c, seeds)
			if _, ok := seen[k]; ok {
				return
			}
			seen[k] = int32(len(queue))
			queue = append(queue, y)
			origins = append(origins, origin{int32(i), action})
			if f.violation == "" {
				if v := y.violation(); v != "" {
					f.violation = v
					f.trace = trace(origins, len(origins)-1, y)
				}
			}
		})
		if f.violation != "" {
			break
		}
		if uint64(len(queue)) > cfg.max {
			f.full = true
			break
		}
	}
	f.states, f.took = len(queue), time.Since(began)
	return f
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
	x := &xworld{cfg: cfg, rec: Observation{Found: Absent, Token: "", HostRead: true}}
	for i := range x.nodes[:cfg.nodes] {
		x.nodes[i].skip = cfg.lag
		x.start(i, names)
		x.settle(names)
	}
	x.feed(0, Do{ID: 1, Request: Request{Verb: VerbCreate, Self: x.member(0), Timing: x.timing()}}, names)
	x.settle(names)
	members := cfg.nodes
	if cfg.joiner {
		members--
	}
	for i := 1; i < members; i++ {
		x.feed(i, Do{ID: 1, Request: Request{Verb: VerbJoin, Self: x.member(i), Timing: x.timing()}}, names)
		for range 4 {
			x.settle(names)
			for j := range x.nodes[:cfg.nodes] {
				n := &x.nodes[j]
				n.hold += tick
				n.wait += tick
				x.feed(j, Tick{}, names)
			}
		}
	}
	x.settle(names)
	for i := range x.nodes[:cfg.nodes] {
		x.nodes[i].m.cfg.Timing = x.timing()
	}
	return x
}

// settle lets everything that is under way succeed.
func (x *xworld) settle(names *xnames) {
	for range 50 {
		for i := range x.nodes[:x.cfg.nodes] {
			n := &x.nodes[i]
			if s := n.store; s.op != 0 && s.write {
				n.store = xstore{}
				end, token := x.apply(s.e, names)
				x.feed(i, WriteDone{Op: s.op, End: end, Token: token}, names)
			} else if s.op != 0 {
				seen := x.rec
				n.store = xstore{}
				x.feed(i, ReadDone{Op: s.op, Seen: seen}, names)
			}
			for len(n.calls) > 0 {
				call := n.calls[0]
				if !call.answered {
					x.feed(call.to, Received{Conn: uint64(i)*1_000_000 + call.op, From: xid(i), Message: call.message}, names)
					call = n.calls[0]
				}
				n.calls = n.calls[1:]
				x.feed(i, Answered{Op: call.op, From: xid(call.to), Message: call.answer}, names)
			}
		}
	}
}

// xsets are the explorations of every test run. They are bounded: what they
// show is that the shortest traces hold no violation.
func xsets() []xconfig {
	return []xconfig{
		{name: "two nodes over DNS alone, with crashes", nodes: 2, w: 2, tight: true, crash: true, ghosts: 1},
		{name: "two nodes over both channels", nodes: 2, w: 2, tight: true, peers: true, loss: true},
		{name: "two nodes, a clock that is late one tick in four", nodes: 2, w: 4, lag: 4},
		{
			name: "two nodes that hand over and restart with proof", nodes: 2, w: 2, tight: true, crash: true, proof: true, peers: true,
			verbs: []Request{{Verb: VerbFailover}},
		},
		{name: "three nodes over both channels", nodes: 3, w: 2, tight: true, peers: true, loss: true},
	}
}

// TestExplore searches the first AG_STATES states of each set, 20,000 without.
func TestExplore(t *testing.T) {
	t.Parallel()
	most, ok := number("AG_STATES")
	if !ok {
		most = 20_000
	}
	for _, cfg := range xsets() {
		cfg.max = most
		t.Run(strings.ReplaceAll(cfg.name, " ", "_"), func(t *testing.T) {
			f := explore(&cfg)
			t.Logf("%d states, %d edges, %v, all of them: %v", f.states, f.edges, f.took.Round(time.Millisecond), !f.full)
			if f.violation != "" {
				t.Fatalf("%s\n%s", f.violation, strings.Join(f.trace, "\n"))
			}
		})
	}
}

// TestExplore_Bites: a machine that counts its lease from the answer is found.
func TestExplore_Bites(t *testing.T) {
	t.Parallel()
	cfg := xconfig{nodes: 2, w: 2, tight: true, max: 200_000, broken: true}
	if f := explore(&cfg); f.violation == "" {
		t.Errorf("no violation in %d states of a machine that counts its lease from the answer", f.states)
	} else {
		t.Logf("%d states: %s\n%s", f.states, f.violation, strings.Join(f.trace, "\n"))
	}
}
