package failover

import (
	"slices"
	"time"
)

// network is what is between the nodes, and what is wrong with it.
type network struct {
	cut     map[string]bool // "a>b", "a>store", "store>a"
	delay   func() time.Duration
	lose    func() bool
	doubled func() bool // whether a message arrives twice
}

func newNetwork() network {
	return network{
		cut:   map[string]bool{},
		delay: func() time.Duration { return time.Millisecond },
		lose:  func() bool { return false }, doubled: func() bool { return false },
	}
}

func (w *world) send(n *node, gen uint64, e Send) {
	give := w.once(n, gen, e.Op, e.Within, Answered{Op: e.Op, From: e.To.ID, Problem: "timeout"})
	i := slices.IndexFunc(w.nodes, func(x *node) bool { return x.id == e.To.ID })
	if i < 0 {
		return // no such machine: the time passes
	}
	to := w.nodes[i]
	there, back := w.store.split(w.net.delay())
	answer := func(m Message) {
		w.after(back, func() {
			if !w.net.cut[to.id+">"+n.id] && !w.net.lose() {
				give(Answered{Op: e.Op, From: to.id, Message: m})
			}
		})
	}
	arrive := func() {
		if w.net.cut[n.id+">"+to.id] || w.net.lose() {
			return
		}
		if !to.up {
			give(Answered{Op: e.Op, From: to.id, Problem: "connection refused"})
			return
		}
		id := w.number()
		to.conns[id] = conn{about: e.Message, answer: answer}
		w.deliver(to, to.gen, Received{Conn: id, From: n.cfg.Self.ID, Message: e.Message})
	}
	w.after(there, arrive)
	if w.net.doubled() {
		w.after(there+back, arrive)
	}
}
