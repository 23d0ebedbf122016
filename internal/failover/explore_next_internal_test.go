package failover

import (
	"fmt"
	"slices"
)

// next emits every state that can follow x, with the action that leads to it.
func (x *xworld) next(names *xnames, emit func(*xworld, string)) {
	x.passTime(names, emit)
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		for k := range n.ghosts {
			c := x.clone()
			g := c.nodes[i].ghosts[k]
			c.nodes[i].ghosts = slices.Delete(c.nodes[i].ghosts, k, k+1)
			if end, _ := c.apply(g, names); end == Applied {
				emit(c, fmt.Sprintf("%s: a write that was given up is applied", xid(i)))
			}
		}
		if !n.live {
			c := x.clone()
			c.start(i, names)
			emit(c, xid(i)+" starts again")
			continue
		}
		x.stopWork(i, names, emit)
		x.storeActions(i, names, emit)
		x.peerActions(i, names, emit)
		x.crashAction(i, emit)
		x.verbActions(i, names, emit)
	}
}

// passTime lets a tick pass, for all clocks or for all but one, and wakes every
// node. A node that is not woken does later what it would have done now, as if
// what it then asks for were late; and asks its clock before anything else.
func (x *xworld) passTime(names *xnames, emit func(*xworld, string)) {
	pass := func(c *xworld, late int, waitOnly bool) {
		for i := range c.nodes[:c.cfg.nodes] {
			n := &c.nodes[i]
			n.skip = min(n.skip+1, c.cfg.lag)
			switch {
			case i == late && waitOnly:
				n.hold += tick
			case i == late:
				n.skip = 0
			default:
				n.hold += tick
				n.wait += tick
			}
		}
		for i := range c.nodes[:c.cfg.nodes] {
			if c.nodes[i].live {
				c.feed(i, Tick{}, names)
			}
		}
	}
	c := x.clone()
	pass(c, -1, false)
	emit(c, "tick")
	for i := range x.nodes[:x.cfg.nodes] {
		if x.cfg.lag > 0 && x.nodes[i].skip >= x.cfg.lag {
			c := x.clone()
			pass(c, i, false)
			emit(c, "tick, the clock of "+xid(i)+" is late")
		}
		if x.cfg.suspend {
			c := x.clone()
			pass(c, i, true)
			emit(c, "tick, the monotonic clock of "+xid(i)+" stands still")
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
	if !s.write {
		x.readActions(i, s, emit, done)
		return
	}
	if !s.served {
		c := x.clone()
		n := &c.nodes[i]
		n.store.served = true
		n.store.end, n.store.token = c.apply(s.e, names)
		if n.store.end == Conflicted { // a late answer is as good as a late request
			done("write refused by its condition", WriteDone{Op: s.op, End: Conflicted}, nil)
			return
		}
		emit(c, xid(i)+": write applied")
		label := "gives up a write that is still under way"
		if x.cfg.ghosts > len(x.nodes[i].ghosts) {
			done(label, WriteDone{Op: s.op, End: Unknown}, func(c *xworld) {
				c.nodes[i].ghosts = append(c.nodes[i].ghosts, s.e)
			})
		} else {
			done("write lost", WriteDone{Op: s.op, End: Unknown}, nil)
		}
		return
	}
	done("write answered", WriteDone{Op: s.op, End: s.end, Token: s.token}, nil)
	done("the answer to a write is lost", WriteDone{Op: s.op, End: Unknown}, nil)
}

func (x *xworld) readActions(i int, s xstore, emit func(*xworld, string), done func(string, Input, func(*xworld))) {
	seen := x.rec
	if !s.host {
		seen.Host, seen.HostRead = nil, false
	}
	switch {
	case !x.cfg.slow:
		done("reads", ReadDone{Op: s.op, Seen: seen}, nil)
	case !s.served:
		c := x.clone()
		c.nodes[i].store.served, c.nodes[i].store.seen = true, seen
		emit(c, xid(i)+": read served")
	default:
		done("read answered", ReadDone{Op: s.op, Seen: s.seen}, nil)
	}
	done("reads in vain", ReadDone{Op: s.op, Problem: "cut"}, nil)
}

func (x *xworld) peerActions(i int, names *xnames, emit func(*xworld, string)) {
	for k, call := range x.nodes[i].calls {
		to := xid(call.to)
		if call.answered {
			c := x.clone()
			c.nodes[i].calls = slices.Delete(c.nodes[i].calls, k, k+1)
			c.feed(i, Answered{Op: call.op, From: to, Message: call.answer}, names)
			emit(c, fmt.Sprintf("%s hears %s's answer %s", xid(i), to, short(call.answer)))
		} else if x.nodes[call.to].live && !call.delivered {
			c := x.clone()
			c.nodes[i].calls[k].delivered = true
			conn := uint64(i)*1_000_000 + call.op
			c.feed(call.to, Received{Conn: conn, From: xid(i), Message: call.message}, names)
			emit(c, fmt.Sprintf("%s hears %s of %s", to, short(call.message), xid(i)))
		}
		if x.cfg.loss || !call.answered && !x.nodes[call.to].live {
			c := x.clone()
			c.nodes[i].calls = slices.Delete(c.nodes[i].calls, k, k+1)
			c.feed(i, Answered{Op: call.op, From: to, Problem: "lost"}, names)
			emit(c, fmt.Sprintf("%s: %s to %s is lost", xid(i), short(call.message), to))
		}
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

func (x *xworld) crashAction(i int, emit func(*xworld, string)) {
	if !x.cfg.crash {
		return
	}
	c := x.clone()
	n := &c.nodes[i]
	ghosts := n.ghosts
	if s := n.store; s.op != 0 && s.write && !s.served && len(ghosts) < max(1, x.cfg.ghosts) {
		ghosts = append(ghosts, s.e)
	}
	*n = xnode{runs: n.runs, hold: n.hold, wait: n.wait, skip: n.skip, ghosts: ghosts}
	emit(c, xid(i)+" dies")
}

func (x *xworld) verbActions(i int, names *xnames, emit func(*xworld, string)) {
	if len(x.nodes[i].m.tasks) > 0 {
		return
	}
	for _, r := range x.cfg.verbs {
		if !x.sensible(i, r) {
			continue
		}
		c := x.clone()
		c.feed(i, Do{ID: 0, Request: r}, names)
		emit(c, fmt.Sprintf("%s is asked to %s %s", xid(i), r.Verb, r.Target))
	}
}

// sensible leaves out requests that would be refused at once.
func (x *xworld) sensible(i int, r Request) bool {
	m := x.nodes[i].m
	switch r.Verb {
	case VerbJoin:
		return m.role == "not_in_group"
	case VerbLeave:
		return m.role == "secondary"
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
