package failover

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// canon writes the canonical form of a state: instants as ages that are capped
// where nothing depends on them any more, terms and sequence numbers as ranks
// with small gaps, nonces and runs in the order of their appearance. What only
// people read is left out.
type canon struct {
	buf    []byte
	terms  []uint64 // sorted
	seqs   []pair   // sorted
	nonces []string
	alive  []string      // nonces of writes that may be applied, or are
	far    time.Duration // ages beyond this are equal
	node   *xnode
	alone  bool // there are no direct heartbeats
	id     byte
}

const (
	gapTerms = 3 // how many terms lie between two that matter
	gapSeqs  = 2
)

// key is the canonical form as a hash of 128 bits.
func (x *xworld) key(c *canon, seeds [2]maphash.Seed) [2]uint64 {
	c.buf, c.terms, c.seqs, c.nonces = c.buf[:0], c.terms[:0], c.seqs[:0], c.nonces[:0]
	c.alive = c.alive[:0]
	c.alone = !x.cfg.peers
	c.far = time.Duration(x.cfg.w+1) * tick
	x.numbers(c)
	c.observation(x.rec)
	for i := range x.nodes[:x.cfg.nodes] {
		c.node, c.id = &x.nodes[i], byte('a'+i)
		c.xnode(c.node)
	}
	return [2]uint64{maphash.Bytes(seeds[0], c.buf), maphash.Bytes(seeds[1], c.buf)}
}

// numbers collects all terms and sequence numbers.
func (x *xworld) numbers(c *canon) {
	add := func(p pair) {
		c.terms = append(c.terms, p.term)
		c.seqs = append(c.seqs, p)
	}
	rec := func(r record.Record) { add(pairOf(r)) }
	rec(x.rec.Record)
	c.alive = append(c.alive, x.rec.Record.Nonce)
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		for _, g := range n.ghosts {
			rec(g.Record)
			c.alive = append(c.alive, g.Record.Nonce)
		}
		if n.store.op != 0 {
			c.alive = append(c.alive, n.store.e.Record.Nonce, n.store.seen.Record.Nonce)
			rec(n.store.e.Record)
			rec(n.store.seen.Record)
		}
		for _, k := range n.calls {
			for _, m := range []Message{k.message, k.answer} {
				switch m := m.(type) {
				case Heartbeat:
					add(pair{m.Term, m.Seq})
				case Report:
					add(pair{m.Term, m.Seq})
				default:
				}
			}
		}
		if n.m != nil {
			n.m.numbers(add)
		}
	}
	slices.Sort(c.terms)
	c.terms = slices.Compact(c.terms)
	slices.SortFunc(c.seqs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.seq, b.seq)) })
	c.seqs = slices.Compact(c.seqs)
}

func (m *Machine) numbers(add func(pair)) {
	k := &m.known
	for _, p := range []pair{pairOf(k.seen.Record), k.read, k.top, k.heard, {k.terms, 0}, {k.voidTerm, 0}, m.probe.number} {
		add(p)
	}
	if m.auth.held {
		add(pair{m.auth.term, m.auth.seq})
		add(pairOf(m.auth.base))
	}
	for _, a := range m.tries {
		add(pairOf(a.rec))
	}
	for _, p := range m.peers {
		add(p.named)
	}
	for _, t := range m.tasks {
		add(pair{t.term, 0})
	}
}

func (c *canon) num(n int)    { c.buf = binary.AppendVarint(c.buf, int64(n)) }
func (c *canon) str(s string) { c.num(len(s)); c.buf = append(c.buf, s...) }
func (c *canon) flags(bs ...bool) {
	n := 0
	for _, b := range bs {
		n *= 2
		if b {
			n++
		}
	}
	c.num(n)
}

// term is the rank of a term, with gaps of at most gapTerms.
func (c *canon) term(t uint64) {
	rank, last := 0, uint64(0)
	for _, x := range c.terms {
		if x == 0 {
			continue
		}
		if last != 0 {
			rank += int(min(x-last, gapTerms))
		} else {
			rank++
		}
		if x == t {
			c.num(rank)
			return
		}
		last = x
	}
	c.num(0)
}

func (c *canon) pair(p pair) {
	c.term(p.term)
	rank, last := 0, uint64(0)
	for _, x := range c.seqs {
		if x.term != p.term || x.seq == 0 {
			continue
		}
		if last != 0 {
			rank += int(min(x.seq-last, gapSeqs))
		} else {
			rank++
		}
		if x.seq == p.seq {
			c.num(rank)
			return
		}
		last = x.seq
	}
	c.num(0)
}

func (c *canon) nonce(s string) {
	if s == "" {
		c.num(-1)
		return
	}
	i := slices.Index(c.nonces, s)
	if i < 0 {
		i = len(c.nonces)
		c.nonces = append(c.nonces, s)
	}
	c.num(i)
}

// wait and hold are ages of instants, negative for the future.
func (c *canon) wait(at time.Duration) { c.age(c.node.wait - at) }
func (c *canon) hold(at time.Duration) { c.age(c.node.hold - at) }
func (c *canon) age(d time.Duration) {
	d = max(min(d, c.far), -c.far)
	c.num(int(d / time.Millisecond))
}

// due is an instant that matters only while it is to come.
func (c *canon) due(at time.Duration) { c.age(min(0, c.node.wait-at)) }

func (c *canon) record(r record.Record) {
	c.pair(pairOf(r))
	c.nonce(r.Nonce)
	c.str(r.Primary)
	c.runOf(r.Run)
	c.str(r.By)
	c.num(int(r.AllowedAbsence / time.Millisecond))
	c.flags(r.Paused, r.Dissolved)
	for _, m := range r.Members {
		c.str(m.ID)
		c.flags(m.Joining, m.Eligible())
	}
	c.num(-9)
}

// runOf is a run as the record or a message names it: present or old.
func (c *canon) runOf(run string) { c.str(run) }

func (c *canon) observation(o Observation) {
	c.num(int(o.Found))
	if o.Found == Present {
		c.record(o.Record)
	}
	c.nonce("token" + o.Token)
}

func (c *canon) xnode(n *xnode) {
	c.flags(n.live, n.demote != 0, n.store.op != 0, n.store.write, n.store.served, n.store.host)
	c.num(n.skip)
	for _, g := range n.ghosts {
		c.write(g)
	}
	c.num(-3)
	if n.live {
		c.storeOp(n)
		c.calls(n)
		c.machine(n.m)
	}
}

func (c *canon) write(w Write) {
	c.nonce("token" + w.Token)
	c.record(w.Record)
	c.flags(w.HostAbsent)
}

func (c *canon) storeOp(n *xnode) {
	s := &n.store
	if s.op == 0 {
		return
	}
	c.flags(s.op == n.m.store.op)
	if s.write {
		c.write(s.e)
		c.num(int(s.end))
		if s.served {
			c.nonce("token" + s.token)
		}
	} else if s.served {
		c.observation(s.seen)
	}
}

func (c *canon) calls(n *xnode) {
	slices.SortFunc(n.calls, func(a, b xcall) int { return cmp.Or(a.to-b.to, cmp.Compare(a.op, b.op)) })
	for _, k := range n.calls {
		c.num(k.to)
		c.flags(k.delivered, k.answered)
		c.message(k.message)
		c.message(k.answer)
		// whose call it is
		p := -1
		for i := range n.m.peers {
			if n.m.peers[i].op == k.op {
				p = i
			}
		}
		c.num(p)
		c.flags(len(n.m.tasks) > 0 && n.m.tasks[0].op == k.op, slices.Contains(n.m.probe.open, k.op))
	}
	c.num(-4)
}

func (c *canon) message(m Message) {
	switch m := m.(type) {
	case nil:
		c.num(0)
	case Heartbeat:
		c.num(1)
		c.pair(pair{m.Term, m.Seq})
		c.runOf(m.Run)
	case Query:
		c.num(2)
		c.flags(m.Fresh)
	case Told:
		c.num(3)
	case Ask:
		c.num(4)
		c.str(string(m.Request.Verb) + m.Request.Target)
	case Report:
		c.num(5)
		c.pair(pair{m.Term, m.Seq})
		c.num(int(m.Promise / time.Millisecond))
		c.flags(m.Healthy, m.Read)
		c.str(m.Primary + string(m.Role) + m.PromisedTo)
		c.runOf(m.Run)
		c.runOf(m.PromisedRun)
		c.age(m.PromisedAgo)
	case Verdict:
		c.num(6)
		c.str(string(m.Code))
	}
}

func (c *canon) machine(m *Machine) {
	k := &m.known
	c.str(string(m.role))
	c.runOf(m.cfg.Run)
	c.observation(k.seen)
	c.flags(m.healthy, k.fresh, k.older, k.absent, m.settled, m.stopping, m.store.wanted, m.store.must, m.store.op != 0)
	c.pair(k.read)
	c.pair(k.top)
	c.pair(k.heard)
	c.term(k.terms)
	c.term(k.voidTerm)
	c.wait(k.quiet)
	c.due(k.learned + 2*m.timing().Attempt())
	if k.absent {
		c.wait(k.absentAt)
		c.wait(k.absentOf)
	}
	c.num(len(k.asked))
	c.num(int(min(k.failed, maxFailedReads)))
	c.due(m.store.readAt)
	c.due(m.store.writeAt)
	c.due(m.store.began + tick)
	c.nonce(m.openOn)
	c.attempts(m)
	c.authority(m)
	c.promises(m)
	for i := range m.tasks {
		c.task(m, &m.tasks[i])
	}
	c.num(-6)
}

// attempts: one that can still be applied, or has been, stands with all it is;
// one that was lost on its way matters only for what it holds up.
func (c *canon) attempts(m *Machine) {
	claims, lost := false, 0
	for _, a := range m.tries {
		if !slices.Contains(c.alive, a.rec.Nonce) {
			claims = claims || a.kind.claims()
			lost++
			if w := m.timingOf(a.rec).W; w != m.timing().W {
				c.num(int(w / time.Millisecond))
			}
			continue
		}
		c.num(int(a.kind))
		c.record(a.rec)
		c.hold(max(a.sent, c.node.hold-m.timingOf(a.rec).Lease()))
		c.flags(a.void)
	}
	c.flags(lost > 0, claims)
	c.num(-5)
}

func (c *canon) authority(m *Machine) {
	a := &m.auth
	c.flags(a.held, a.shown, a.urgent, a.absent, m.demotion.op != 0)
	if a.held {
		c.hold(a.until)
		c.hold(a.stop)
		c.pair(pair{a.term, a.seq})
		c.record(a.base)
		c.due(a.sent + tick)
	}
	if m.demotion.op != 0 {
		c.hold(m.demotion.until)
	}
	for i := range m.peers {
		if c.alone {
			break
		}
		p := &m.peers[i]
		c.str(p.id)
		c.flags(p.op != 0, p.void, p.failed, p.vote.given)
		c.pair(p.named)
		if p.op != 0 {
			c.hold(p.at)
		}
		c.due(p.sent + tick)
		if p.vote.given {
			c.hold(p.vote.at)
			c.num(int(p.vote.length / time.Millisecond))
		}
	}
	c.num(-7)
}

func (c *canon) promises(m *Machine) {
	c.flags(m.promise.given)
	if m.promise.given {
		c.wait(m.promise.at)
		c.num(int(m.promise.length / time.Millisecond))
		c.str(m.promise.to)
		c.runOf(m.promise.run)
	}
	p := &m.probe
	c.flags(p.done, p.refused, p.quiet == m.known.quiet)
	c.pair(p.number)
	c.num(len(p.open))
}

func (c *canon) task(m *Machine, t *task) {
	c.str(string(t.req.Verb) + t.req.Target + t.target.ID)
	c.runOf(t.run)
	c.num(int(t.step))
	c.flags(m.known.reads > t.reads, t.wrote, t.op != 0, t.id != 0, t.conn != 0)
	c.term(t.term)
	c.due(t.askAt)
	for _, s := range t.tried {
		if len(s) == 16 {
			c.nonce(s)
		} else {
			c.str(s)
		}
	}
	c.num(-8)
}
