package failover

import (
	"fmt"
	"slices"

	"github.com/availabilitygroup/ag/event"
)

// next emits every state that can follow x, with the action that leads to it.
func (x *xworld) next(names *xnames, emit func(*xworld, string)) {
	x.passTime(names, emit)
	if x.cfg.deletes && x.rec.Found == Present && x.amnesty == 0 {
		c := x.clone()
		c.remove()
		emit(c, "somebody deletes the record")
	}
	for i := range x.nodes[:x.cfg.nodes] {
		x.ghostActions(i, names, emit)
		if !x.nodes[i].live {
			c := x.clone()
			c.start(i, names)
			emit(c, xid(i)+" starts again")
			continue
		}
		x.stopWork(i, names, emit)
		x.storeActions(i, names, emit)
		x.peerActions(i, names, emit)
		x.endActions(i, names, emit)
		x.verbActions(i, names, emit)
	}
}

// ghostActions applies what a node has given up, or left behind.
func (x *xworld) ghostActions(i int, names *xnames, emit func(*xworld, string)) {
	for k, g := range x.nodes[i].ghosts {
		c := x.clone()
		c.nodes[i].ghosts = slices.Delete(c.nodes[i].ghosts, k, k+1)
		if end, _ := c.apply(g, names); end == Applied {
			x.cfg.reached |= xLate
			emit(c, fmt.Sprintf("%s: a write that was given up is applied", xid(i)))
		}
	}
}

// passTime lets a tick pass, for all clocks or for all but one, and wakes every
// node. A node that is not woken does later what it would have done now, as if
// what it then asks for were late; and asks its clock before anything else.
func (x *xworld) passTime(names *xnames, emit func(*xworld, string)) {
	c := x.clone()
	c.pass(-1, false, names)
	emit(c, "tick")
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		if n.slow && n.skip >= x.cfg.lag {
			c := x.clone()
			c.pass(i, false, names)
			emit(c, "tick, the clock of "+xid(i)+" is late")
		}
		if x.cfg.suspend && n.live {
			c := x.clone()
			c.pass(i, true, names)
			emit(c, "tick, the monotonic clock of "+xid(i)+" stands still")
		}
	}
}

// pass is one tick; late is the node whose clocks, or whose wait clock, miss it.
func (x *xworld) pass(late int, waitOnly bool, names *xnames) {
	x.forgive()
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		n.skip = min(n.skip+1, x.cfg.lag)
		switch {
		case i == late && waitOnly:
			n.hold += tick
		case i == late:
			n.skip = 1
		default:
			n.hold += tick
			n.wait += tick
		}
	}
	for i := range x.nodes[:x.cfg.nodes] {
		if x.nodes[i].live {
			x.feed(i, Tick{}, names)
		}
	}
}

// stopWork lets the host of a node that was demoted say that it has stopped.
func (x *xworld) stopWork(i int, names *xnames, emit func(*xworld, string)) {
	if n := x.nodes[i]; n.demote != 0 {
		c := x.clone()
		c.nodes[i].demote = 0
		c.feed(i, DemoteDone{Op: n.demote}, names)
		emit(c, xid(i)+"'s work has stopped")
	}
}

func (x *xworld) storeActions(i int, names *xnames, emit func(*xworld, string)) {
	s := x.nodes[i].store
	if s.op == 0 {
		return
	}
	done := func(label string, in Input, before func(c *xworld)) {
		c := x.clone()
		c.nodes[i].store = xstore{}
		if before != nil {
			before(c)
		}
		c.feed(i, in, names)
		emit(c, xid(i)+": "+label)
	}
	switch {
	case !s.write:
		x.readActions(i, s, emit, done)
	case !s.served:
		x.writeActions(i, s, names, emit, done)
	default:
		done("write answered", WriteDone{Op: s.op, End: s.end, Token: s.token}, nil)
		done("the answer to a write is lost", WriteDone{Op: s.op, End: Unknown}, nil)
	}
}

type xdone func(label string, in Input, before func(*xworld))

// writeActions: a write that its condition refuses is answered at once, since a
// late answer is as good as a late request.
func (x *xworld) writeActions(i int, s xstore, names *xnames, emit func(*xworld, string), done xdone) {
	c := x.clone()
	n := &c.nodes[i]
	n.store.served = true
	n.store.end, n.store.token = c.apply(s.e, names)
	if n.store.end == Conflicted {
		done("write refused by its condition", WriteDone{Op: s.op, End: Conflicted}, nil)
	} else {
		emit(c, xid(i)+": write applied")
	}
	done("write lost", WriteDone{Op: s.op, End: Unknown}, nil)
	if x.open(s.e) && x.cfg.ghosts > len(x.nodes[i].ghosts) {
		done("gives up a write that is still under way", WriteDone{Op: s.op, End: Unknown}, func(c *xworld) {
			c.nodes[i].ghosts = append(c.nodes[i].ghosts, s.e)
		})
	}
}

func (x *xworld) readActions(i int, s xstore, emit func(*xworld, string), done xdone) {
	seen := x.rec
	if !s.host {
		seen.Host, seen.HostRead = nil, false
	}
	switch {
	case !x.cfg.old:
		done("reads", ReadDone{Op: s.op, Seen: seen}, nil)
	case !s.served:
		c := x.clone()
		c.nodes[i].store.served, c.nodes[i].store.seen = true, seen
		emit(c, xid(i)+": read served")
	default:
		done("read answered", ReadDone{Op: s.op, Seen: s.seen}, nil)
	}
	if x.cfg.vain {
		done("reads in vain", ReadDone{Op: s.op, Problem: "cut"}, nil)
	}
}

func (x *xworld) peerActions(i int, names *xnames, emit func(*xworld, string)) {
	for k, call := range x.nodes[i].calls {
		to := xid(call.to)
		deliver := func(again string) {
			c := x.clone()
			c.nodes[i].calls[k].delivered = true
			conn := uint64(i)*connsOf + call.op
			c.feed(call.to, Received{Conn: conn, From: xid(i), Message: call.message}, names)
			if now := c.nodes[i].calls[k]; x.cfg.prompt && now.answered {
				c.nodes[i].calls = slices.Delete(c.nodes[i].calls, k, k+1)
				c.feed(i, Answered{Op: call.op, From: to, Message: now.answer}, names)
			}
			emit(c, fmt.Sprintf("%s hears %s of %s%s", to, short(call.message), xid(i), again))
		}
		end := func(label string, in Answered) {
			c := x.clone()
			c.nodes[i].calls = slices.Delete(c.nodes[i].calls, k, k+1)
			c.feed(i, in, names)
			emit(c, label)
		}
		switch live := x.cfg.peers && x.nodes[call.to].live; {
		case live && !call.delivered:
			deliver("")
		case live && x.cfg.twice && !call.answered:
			deliver(" again")
		}
		if call.answered {
			end(fmt.Sprintf("%s hears %s's answer %s", xid(i), to, short(call.answer)), Answered{Op: call.op, From: to, Message: call.answer})
			if x.cfg.twice && x.nodes[call.to].live {
				deliver(" again")
			}
		}
		end(fmt.Sprintf("%s: %s to %s is lost", xid(i), short(call.message), to), Answered{Op: call.op, From: to, Problem: "lost"})
	}
}

func short(m Message) string {
	switch m := m.(type) {
	case Heartbeat:
		return fmt.Sprintf("heartbeat %d/%d", m.Term, m.Seq)
	case Report:
		if m.Promise > 0 {
			return fmt.Sprintf("promise of %v in term %d", m.Promise, m.Term)
		}
		return fmt.Sprintf("report of term %d", m.Term)
	default:
		return fmt.Sprintf("%T", m)
	}
}

// endActions end a process, by force or on request.
func (x *xworld) endActions(i int, names *xnames, emit func(*xworld, string)) {
	if x.cfg.crash {
		c := x.clone()
		c.die(i)
		emit(c, xid(i)+" dies")
	}
	if x.cfg.stops && !x.nodes[i].m.stopping {
		c := x.clone()
		c.feed(i, Stop{}, names)
		emit(c, xid(i)+" is asked to stop")
	}
}

func (x *xworld) verbActions(i int, names *xnames, emit func(*xworld, string)) {
	m := x.nodes[i].m
	if len(m.tasks) > 0 || m.stopping {
		return
	}
	for _, r := range x.cfg.verbs {
		if r.Verb == VerbRemove {
			r.Target = xid(1 - i)
		}
		if !x.sensible(i, r) {
			continue
		}
		if r.Verb == VerbCreate || r.Verb == VerbJoin {
			r.Self = x.member(i)
		}
		c := x.clone()
		c.feed(i, Do{ID: 1, Request: r}, names)
		emit(c, fmt.Sprintf("%s is asked to %s %s", xid(i), r.Verb, r.Target))
	}
}

// sensible leaves out requests that would be refused at once.
func (x *xworld) sensible(i int, r Request) bool {
	m := x.nodes[i].m
	switch r.Verb {
	case VerbJoin, VerbCreate:
		return m.role == event.RoleNotInGroup
	case VerbLeave:
		return m.role != event.RoleNotInGroup
	case VerbForce:
		return m.role == event.RoleSecondary
	case VerbPause:
		return m.auth.held && !m.auth.base.Paused
	case VerbResume:
		return m.auth.held && m.auth.base.Paused
	case VerbRemove:
		_, ok := m.auth.base.Member(r.Target)
		return m.auth.held && ok && r.Target != xid(i)
	case VerbConfigure:
		return m.auth.held && m.auth.base.AllowedAbsence != r.Timing.W
	default:
		return m.auth.held
	}
}
