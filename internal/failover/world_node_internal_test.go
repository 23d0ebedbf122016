package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// node is a member's process, or what is left of it, and its machine.
type node struct {
	id  string
	cfg Config
	m   *Machine

	up, frozen, done bool
	gen              uint64   // of the process; what was meant for an older one is lost
	runs             int      // processes so far
	held             []func() // what waits for a stopped process
	timers           uint64
	conns            map[uint64]conn
	ops              map[uint64]bool // effects that wait for their answer; true: of the store
	lastOp           uint64
	events           uint64
	role             event.Role
	asked            map[uint64]string // requests that wait for their end
	results          map[uint64]Finish

	rate    float64       // of both clocks
	began   time.Duration // real time of the start
	shift   time.Duration // of the wall clock
	asleep  time.Duration // how long the monotonic clock has stood still
	slept   time.Duration // real time at which it stopped
	resting bool
	clock   Clock
	stepped bool // the wall clock was set since the last step

	stopFor time.Duration // what the host needs to stop its work
	veto    string        // what the host says when it is asked to be Primary
}

// conn is a message that waits for its answer.
type conn struct {
	about  Message
	answer func(Message)
}

// start begins a process. proven is the incarnation whose death it can prove.
func (w *world) start(n *node, proven string) {
	n.runs++
	n.gen++
	n.up, n.frozen, n.resting, n.done, n.held = true, false, false, false, nil
	n.began, n.clock, n.asleep = w.now, Clock{}, 0
	n.conns, n.ops, n.lastOp, n.events, n.role = map[uint64]conn{}, map[uint64]bool{}, 0, 0, event.RoleNotInGroup
	n.asked, n.results = map[uint64]string{}, map[uint64]Finish{}
	cfg := n.cfg
	cfg.Run = n.run()
	cfg.ProvenDead = func(run string) bool { return proven != "" && run == proven }
	n.m = New(cfg, n.clock.Read(w.clockOf(n)))
	w.say(n.id, "starts as %s", cfg.Run)
	w.feed(n, Tick{})
}

// run is the incarnation of the present process.
func (n *node) run() string { return fmt.Sprintf("%s%d", n.id, n.runs) }

func (w *world) kill(n *node) {
	n.up = false
	n.gen++
	w.say(n.id, "is killed")
}

// freeze stops a process as SIGSTOP does; with rest the monotonic clock of the
// machine stands still, too, as in a suspended laptop.
func (w *world) freeze(n *node, rest bool) {
	n.frozen, n.resting, n.slept = true, rest, w.now
	if rest {
		w.say(n.id, "is suspended")
		return
	}
	w.say(n.id, "is stopped")
}

func (w *world) thaw(n *node) {
	if n.resting {
		n.asleep += w.now - n.slept
		n.stepped = true
	}
	n.frozen, n.resting = false, false
	w.say(n.id, "goes on")
	held := n.held
	n.held = nil
	w.feed(n, Tick{})
	for _, do := range held {
		do()
	}
}

// clockOf reads the system clock of a node.
func (w *world) clockOf(n *node) time.Time {
	passed := w.now - n.began
	mono := passed - n.asleep
	if n.resting {
		mono -= w.now - n.slept
	}
	scale := func(d time.Duration) time.Duration { return time.Duration(float64(d) * n.rate) }
	return reading(w.epoch.Add(n.began+scale(passed)+n.shift), scale(mono))
}

// holdOf is what a reader of a node's clocks sees at this instant.
func (w *world) holdOf(n *node) time.Duration { return n.clock.Ahead(w.clockOf(n)).Hold }

// deliver feeds an input to the process that it was meant for.
func (w *world) deliver(n *node, gen uint64, in Input) {
	if n.gen != gen || !n.up {
		return
	}
	if n.frozen {
		n.held = append(n.held, func() { w.deliver(n, gen, in) })
		return
	}
	w.feed(n, in)
}

// feed takes one step, and does what comes of it.
func (w *world) feed(n *node, in Input) {
	out := n.m.Step(n.clock.Read(w.clockOf(n)), in)
	n.stepped = false
	if w.traced {
		w.trace(n.id, "<- %s", DescribeInput(in))
	}
	w.checkStep(n, out)
	for _, e := range out.Events {
		w.hear(n, e)
	}
	gen := n.gen
	for _, e := range out.Effects {
		if w.traced {
			w.trace(n.id, "-> %s", DescribeEffect(e))
		}
		w.perform(n, gen, e)
	}
	if out.Done {
		n.up, n.done = false, true
		n.gen++
		w.say(n.id, "has stopped")
		return
	}
	w.timer(n, out.Wake)
}

// timer sets the one timer of a node: every step sets a new one.
func (w *world) timer(n *node, d time.Duration) {
	n.timers++
	if d <= 0 {
		return
	}
	mine, gen := n.timers, n.gen
	w.after(w.local(n, d)+time.Nanosecond, func() {
		if n.timers == mine {
			w.deliver(n, gen, Tick{})
		}
	})
}

// local is how long real time takes for d of a node's clock.
func (w *world) local(n *node, d time.Duration) time.Duration {
	return time.Duration(float64(d) / n.rate)
}

func (w *world) perform(n *node, gen uint64, e Effect) {
	switch e := e.(type) {
	case Read:
		if len(n.m.tasks) > 0 && n.m.tasks[0].done {
			w.reached["verbs looked at when the Primary has done them"]++
		}
		w.read(n, gen, e)
	case Write:
		w.write(n, gen, e)
	case Send:
		if _, ok := e.Message.(Ask); ok && len(n.m.tasks[0].asked) > 1 {
			w.reached["verbs asked of a second Primary"]++
		}
		w.send(n, gen, e)
	case Reply:
		c := n.conns[e.Conn]
		delete(n.conns, e.Conn)
		if r, ok := e.Message.(Report); ok && r.Promise == 0 {
			if _, ok := c.about.(Heartbeat); ok {
				w.reached["promises refused"]++
			}
		}
		if c.answer != nil {
			c.answer(e.Message)
		}
	case Demote:
		left := w.local(n, max(0, e.Until-w.holdOf(n)))
		w.say(n.id, "is to stop its work within %v (%s)", left.Round(time.Millisecond), e.Cause)
		w.after(min(left, n.stopFor), func() { w.answer(n, gen, e.Op, DemoteDone{Op: e.Op}) })
	case Promote:
		w.after(time.Millisecond, func() { w.answer(n, gen, e.Op, PromoteDone{Op: e.Op, Veto: n.veto}) })
	case Finish:
		n.results[e.ID] = e
		w.say(n.id, "%s: %s", n.asked[e.ID], verdictText(e.Code, e.Text))
		delete(n.asked, e.ID)
	}
}

// answer answers an effect.
func (w *world) answer(n *node, gen, op uint64, in Input) {
	if n.gen == gen {
		delete(n.ops, op)
	}
	w.deliver(n, gen, in)
}

// once answers an effect with the first of an answer and its time-out.
func (w *world) once(n *node, gen, op uint64, within time.Duration, late Input) func(Input) {
	answered := false
	give := func(in Input) {
		if !answered {
			answered = true
			w.answer(n, gen, op, in)
		}
	}
	w.after(w.local(n, within), func() { give(late) })
	return give
}

// ask makes a request of a node's host and returns its number.
func (w *world) ask(n *node, r Request) uint64 {
	id := w.number()
	n.asked[id] = strings.TrimRight(string(r.Verb)+" "+r.Target, " ")
	w.say(n.id, "is asked to %s", n.asked[id])
	w.deliver(n, n.gen, Do{ID: id, Request: r})
	return id
}

// hear takes an event as a subscriber does.
func (w *world) hear(n *node, e event.Event) {
	w.checkEvent(n, e)
	if !w.silent {
		w.say(n.id, "%s", DescribeEvent(e))
	}
	switch e := e.(type) {
	case event.RoleChange:
		w.reached[string(e.New)+" by "+string(e.Cause)]++
	case event.FailoverResult:
		if strings.HasPrefix(e.Problem, "vetoed") {
			w.reached["vetoes"]++
		}
	default:
	}
}

// primaries are the nodes that say Primary when they are asked now.
func (w *world) primaries() []string {
	var ids []string
	for _, n := range w.nodes {
		if v := viewOf(n); n.up && v.Role == event.RolePrimary && w.holdOf(n) < v.Stop {
			ids = append(ids, n.id)
		}
	}
	return slices.Clip(ids)
}

func viewOf(n *node) View {
	if n.m == nil {
		return View{}
	}
	return n.m.View()
}
