package failover

import (
	"cmp"
	"slices"

	"github.com/availabilitygroup/ag/event"
)

// The part of the canonical form that is about exchanges between nodes.

func (c *canon) peers(m *Machine) {
	if !c.x.cfg.beats() {
		return
	}
	peers := slices.Clone(m.peers)
	slices.SortFunc(peers, func(a, b peer) int { return cmp.Compare(c.place[a.id[0]-'a'], c.place[b.id[0]-'a']) })
	for i := range peers {
		p := &peers[i]
		c.id(p.id)
		c.flags(p.op != 0, p.void, p.vote.given)
		if p.op != 0 && !p.void {
			c.agoHold(p.at)
		}
		if p.vote.given {
			c.agoHold(p.vote.at)
			c.num(int(p.vote.length / tick))
		}
		if c.x.cfg.stops {
			c.flags(p.failed, p.heard, p.stable)
			c.run(p.report.Run)
		}
	}
	c.num(-7)
}

func (c *canon) calls(n *xnode) {
	calls := slices.Clone(n.calls)
	slices.SortFunc(calls, func(a, b xcall) int {
		return cmp.Or(cmp.Compare(c.place[a.to], c.place[b.to]), cmp.Compare(a.op, b.op))
	})
	for i := range calls {
		k := &calls[i]
		c.num(int(c.place[k.to]))
		c.flags(k.delivered, k.answered)
		if !k.delivered || c.x.cfg.twice {
			c.unheard(k)
		}
		c.answer(k)
	}
	c.num(-4)
}

// answer is what can still come of a call, for whom it belongs to.
func (c *canon) answer(k *xcall) {
	r, _ := k.answer.(Report)
	switch p := c.asker(k.op); {
	case p != nil:
		c.num(1)
		if k.answered && !p.void && c.m.auth.held {
			c.counted(r)
		}
		if c.x.cfg.stops {
			c.run(r.Run)
		}
	case len(c.m.tasks) > 0 && c.m.tasks[0].op == k.op:
		c.num(2)
		c.forTask(k.answer)
	case slices.Contains(c.m.probe.open, k.op):
		c.num(3)
		c.id(r.PromisedTo)
		c.run(r.PromisedRun)
		c.num(int(min(r.PromisedAgo, c.x.cfg.longest()) / tick))
	default:
		c.num(4)
	}
}

// forTask is what a verb looks at in an answer.
func (c *canon) forTask(m Message) {
	switch m := m.(type) {
	case Report:
		c.num(1)
		c.group(m.Group)
		c.pair(pair{m.Term, m.Seq})
		c.flags(m.Healthy, m.Read, m.Role == event.RolePrimary)
		c.run(m.Run)
	case Verdict:
		c.num(2)
		c.flags(m.Code == "", m.Code == CodeNotPrimary)
	default:
		c.num(0)
	}
}

// asker is the peer entry whose heartbeat a call is, nil if it is none.
func (c *canon) asker(op uint64) *peer {
	for i := range c.m.peers {
		if c.m.peers[i].op == op {
			return &c.m.peers[i]
		}
	}
	return nil
}

// unheard is a message under way. Of a heartbeat that names a number which its
// receiver has heard of only the term can matter.
func (c *canon) unheard(k *xcall) {
	h, ok := k.message.(Heartbeat)
	to := &c.x.nodes[k.to]
	forgets := c.x.cfg.crash || c.x.cfg.stops // what it has heard of
	if !ok || !to.live || forgets || to.m.known.heard.less(pair{h.Term, h.Seq}) {
		c.message(k.message)
		return
	}
	c.flags(h.Term < to.m.known.heard.term, h.Term > to.m.known.read.term)
	c.run(h.Run)
	c.group(h.Group)
}

// counted is what an answer to a heartbeat is worth.
func (c *canon) counted(r Report) {
	c.flags(r.Group == c.m.auth.base.Group, r.Term == c.m.auth.term)
	c.num(int(r.Promise / tick))
}

func (c *canon) message(m Message) {
	switch m := m.(type) {
	case nil:
		c.num(0)
	case Heartbeat:
		c.num(1)
		c.pair(pair{m.Term, m.Seq})
		c.run(m.Run)
		c.group(m.Group)
	case Query:
		c.num(2)
		c.flags(m.Fresh)
	case Told:
		c.num(3)
	case Ask:
		c.num(4)
		c.word(string(m.Request.Verb))
		c.id(m.Request.Target)
		c.num(int(m.Request.Timing.W / tick))
	case Report, Verdict: // are answers
	}
}

func (c *canon) task(m *Machine, t *task) {
	c.word(string(t.req.Verb))
	c.id(t.req.Target)
	c.id(t.target.ID)
	c.run(t.run)
	c.num(int(t.step))
	c.num(max(-2, min(int(m.known.reads)-int(t.reads), 1)))
	c.num(int(min(m.known.failed, maxFailedReads)))
	c.num(int(t.req.Timing.W / tick))
	c.flags(t.wrote, t.op != 0, t.id != 0, t.conn != 0, t.req.Adopt, t.done, t.silent)
	if t.about != (pair{}) {
		c.pair(t.about)
	}
	if t.term != 0 {
		c.term(t.term)
	}
	for _, s := range t.tried {
		if len(s) > 1 {
			c.name(s) // a record
		} else {
			c.id(s)
		}
	}
	for _, id := range t.asked {
		c.id(id)
	}
	c.num(-8)
}
