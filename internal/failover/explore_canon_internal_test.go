package failover

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// canon writes the canonical form of a state: two states with the same form
// have the same future. Instants become ages, capped where nothing depends on
// them any more; terms and sequence numbers become ranks among those that can
// still be compared; records, runs and groups become names in the order of
// their appearance; what only people read, or what only schedules, is left
// out. It goes over the state twice, first to collect the numbers.
type canon struct {
	x     *xworld
	node  *xnode
	m     *Machine
	seeds [2]maphash.Seed

	collecting bool
	buf        []byte
	terms      []uint64 // sorted
	seqs       []pair   // sorted
	names      []string
	groups     []string
	alive      []string // nonces of records that are, or can still become, the record
	place      [3]byte  // of each node in this order of them
}

// key is the least hash of the canonical forms that the orders of the nodes
// give: nothing depends on their names where ranks take no time.
func (c *canon) key(x *xworld) [2]uint64 {
	c.x = x
	c.findAlive()
	least := [2]uint64{}
	for i, order := range x.orders() {
		for at, node := range order {
			c.place[node] = byte(at)
		}
		if k := c.keyOf(order); i == 0 || k[0] < least[0] {
			least = k
		}
	}
	return least
}

// orders are the orders of the nodes by what they are, not by their names:
// one, unless some look the same at first sight.
func (x *xworld) orders() [][]int {
	nodes := x.cfg.nodes
	if x.cfg.named() {
		return [][]int{{0, 1, 2}}
	}
	var sight [3]int
	for i := range nodes {
		sight[i] = x.sight(i)
	}
	var all [][]int
	for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		inRange := nodes == 3 || order[2] == 2
		if inRange && slices.IsSortedFunc(order[:nodes], func(a, b int) int { return sight[a] - sight[b] }) {
			all = append(all, order[:nodes])
		}
	}
	return all
}

// sight is what a node looks like at first sight.
func (x *xworld) sight(i int) int {
	n := &x.nodes[i]
	look := 0
	add := func(most, v int) { look = look*(most+1) + min(v, most) }
	flag := func(b bool) {
		if b {
			add(1, 1)
		} else {
			add(1, 0)
		}
	}
	flag(n.slow)
	flag(n.live)
	flag(x.rec.Record.Primary == xid(i))
	if !n.live {
		return look
	}
	s := &n.store
	flag(n.m.auth.held)
	flag(s.write)
	flag(s.served)
	flag(n.m.known.seen.Record.Nonce == x.rec.Record.Nonce)
	flag(n.m.known.fresh)
	flag(n.m.store.must)
	add(7, int(min(n.wait-n.m.known.quiet, x.cfg.longest())/tick))
	add(7, int(max(0, n.m.auth.until-n.hold)/tick))
	add(3, len(n.calls))
	return look
}

func (c *canon) keyOf(order []int) [2]uint64 {
	c.terms, c.seqs = c.terms[:0], c.seqs[:0]
	for _, c.collecting = range []bool{true, false} {
		c.buf, c.names, c.groups = c.buf[:0], c.names[:0], c.groups[:0]
		c.world(order)
		slices.Sort(c.terms)
		c.terms = slices.Compact(c.terms)
		slices.SortFunc(c.seqs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.seq, b.seq)) })
		c.seqs = slices.Compact(c.seqs)
	}
	return [2]uint64{maphash.Bytes(c.seeds[0], c.buf), maphash.Bytes(c.seeds[1], c.buf)}
}

// findAlive collects the nonces. A write whose condition is not the record any
// more can never be applied.
func (c *canon) findAlive() {
	c.alive = append(c.alive[:0], c.x.rec.Record.Nonce)
	for i := range c.x.nodes[:c.x.cfg.nodes] {
		n := &c.x.nodes[i]
		for _, g := range n.ghosts {
			if c.x.open(g) {
				c.alive = append(c.alive, g.Record.Nonce)
			}
		}
		switch s := &n.store; {
		case s.op == 0:
		case s.write && (s.served || c.x.open(s.e)): // its answer makes it what was seen
			c.alive = append(c.alive, s.e.Record.Nonce)
		case !s.write && s.served:
			c.alive = append(c.alive, s.seen.Record.Nonce)
		}
	}
}

func (c *canon) num(n int) { c.buf = binary.AppendVarint(c.buf, int64(n)) }

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

func (c *canon) word(s string) {
	c.num(len(s))
	c.buf = append(c.buf, s...)
}

// term and pair are ranks, with the gaps that something can still fall into.
func (c *canon) term(t uint64) {
	if c.collecting {
		c.terms = append(c.terms, t)
		return
	}
	rank, last := 0, uint64(0)
	for _, x := range c.terms {
		rank += int(min(x-last, c.x.cfg.gapTerms()))
		last = x
		if x == t {
			break
		}
	}
	c.num(rank)
}

func (c *canon) pair(p pair) {
	c.term(p.term)
	if c.collecting {
		c.seqs = append(c.seqs, p)
		return
	}
	rank, last := 0, uint64(0)
	for _, x := range c.seqs {
		if x.term != p.term {
			continue
		}
		rank += int(min(x.seq-last, c.x.cfg.gapSeqs()))
		last = x.seq
		if x.seq == p.seq {
			break
		}
	}
	c.num(rank)
}

// name is the place of a string among those that were met.
func (c *canon) name(s string) (isNew bool) {
	i := slices.Index(c.names, s)
	if i < 0 {
		i = len(c.names)
		c.names = append(c.names, s)
		isNew = true
	}
	c.num(i)
	return isNew
}

// group is the place of a group among those that were met.
func (c *canon) group(s string) {
	i := slices.Index(c.groups, s)
	if i < 0 {
		i = len(c.groups)
		c.groups = append(c.groups, s)
	}
	c.num(i)
}

func (c *canon) id(s string) {
	if s == "" {
		c.num(-1)
		return
	}
	c.num(int(c.place[s[0]-'a']))
}

func (c *canon) run(s string) {
	if s == "" {
		c.num(-1)
		return
	}
	c.name(s)
	c.id(s[:1])
}

// ago is the age of an instant on the wait clock, up to the largest W.
func (c *canon) ago(at time.Duration) { c.num(int(min(c.node.wait-at, c.x.cfg.longest()) / tick)) }

// agoHold is the same on the hold clock.
func (c *canon) agoHold(at time.Duration) { c.num(int(min(c.node.hold-at, c.x.cfg.longest()) / tick)) }

// left is how far an instant on the hold clock is away, 0 if it is over.
func (c *canon) left(at time.Duration) { c.num(int(max(0, at-c.node.hold) / tick)) }

// record writes one record in full where it is met first.
func (c *canon) record(r record.Record) {
	if !c.name(r.Nonce) {
		return
	}
	c.pair(pairOf(r))
	c.id(r.Primary)
	c.run(r.Run)
	c.id(r.By)
	c.group(r.Group)
	c.num(int(r.AllowedAbsence / tick))
	c.flags(r.Paused, r.Dissolved)
	var members, joining int
	for _, m := range r.Members {
		bit := 1 << c.place[m.ID[0]-'a']
		members |= bit
		if m.Joining {
			joining |= bit
		}
	}
	c.num(members<<3 | joining)
}

func (c *canon) observation(o Observation) {
	c.num(int(o.Found))
	if o.Found == Present {
		c.record(o.Record)
	}
}

func (c *canon) world(order []int) {
	c.observation(c.x.rec)
	c.num(c.x.amnesty)
	if c.x.amnesty > 0 {
		c.group(c.x.gone)
	}
	for _, i := range order {
		c.node = &c.x.nodes[i]
		c.m = c.node.m
		c.xnode(c.node)
	}
}

func (c *canon) xnode(n *xnode) {
	s := &n.store
	c.flags(n.live, n.slow, n.demote != 0, s.op != 0, s.write, s.served, s.host)
	if c.x.cfg.lag > 0 && n.slow {
		c.num(n.skip)
	}
	for _, g := range n.ghosts {
		if c.x.open(g) {
			c.write(g)
		}
	}
	c.num(-3)
	if n.live {
		c.storeOp(s)
		c.calls(n)
		c.machine(n.m)
	}
}

func (c *canon) write(w Write) {
	c.record(w.Record)
	c.flags(w.HostAbsent)
}

func (c *canon) storeOp(s *xstore) {
	switch {
	case s.op == 0:
	case s.write && s.served:
		c.write(s.e)
	case s.write && c.x.open(s.e):
		c.write(s.e)
	case s.served:
		c.observation(s.seen)
	default:
		c.num(-2)
	}
}

func (c *canon) machine(m *Machine) {
	k, all := &m.known, c.x.cfg.verbal()
	c.run(m.cfg.Run)
	c.observation(k.seen)
	c.flags(m.role == event.RoleNotInGroup, m.healthy, k.fresh, k.older, k.absent, m.settled, m.stopping, m.store.must,
		m.store.wanted && (all || m.role == event.RoleNotInGroup), all && m.blind())
	c.pair(k.read)
	c.pair(k.top)
	c.pair(k.heard)
	if c.x.cfg.counted {
		c.term(k.terms)
	}
	if k.voidTerm != 0 {
		c.term(k.voidTerm)
	}
	c.group(k.group)
	c.ago(k.quiet)
	for _, a := range k.asked {
		from := a.conn / connsOf
		if slices.ContainsFunc(c.x.nodes[from].calls, func(k xcall) bool { return k.op == a.conn%connsOf }) {
			c.num(int(c.place[from]))
			c.flags(a.after != 0 && a.after == m.store.op)
		}
	}
	c.num(-2)
	c.attempts(m)
	c.authority(m)
	c.peers(m)
	c.promises(m)
	for i := range m.tasks {
		c.task(m, &m.tasks[i])
	}
	c.num(-6)
}

// attempts: one that can still be applied, or has been, stands with all it is;
// the others matter only for what they hold up together.
func (c *canon) attempts(m *Machine) {
	var lost lostWrites
	for _, a := range m.tries {
		if !slices.Contains(c.alive, a.rec.Nonce) {
			lost.add(a, c)
			continue
		}
		c.num(int(a.kind))
		c.record(a.rec)
		c.agoHold(a.sent)
		c.flags(a.void)
	}
	c.flags(lost.any && c.x.cfg.verbal(), lost.claims && c.x.cfg.beats())
	if c.x.cfg.verbal() {
		c.num(lost.members)
		c.num(int(lost.shortest / tick))
		if lost.create > 0 {
			c.ago(lost.create)
		}
	}
	if len(m.tries) > 0 {
		_, nonce, _ := strings.Cut(m.openOn, "/")
		c.flags(nonce == m.known.seen.Record.Nonce)
	}
	c.num(-5)
}

// lostWrites are those of unknown end that can not be applied any more.
type lostWrites struct {
	any, claims bool
	members     int           // whose promises they ask for
	shortest    time.Duration // of their Ws
	create      time.Duration // wait: the send of a create
}

func (l *lostWrites) add(a attempt, c *canon) {
	l.claims = l.claims || a.kind.claims()
	for _, x := range a.rec.Members {
		if !x.Joining {
			l.members |= 1 << c.place[x.ID[0]-'a']
		}
	}
	if w := a.rec.AllowedAbsence; !l.any || w < l.shortest {
		l.shortest = w
	}
	if a.kind == kindCreate {
		l.create = a.wait
	}
	l.any = true
}

func (c *canon) authority(m *Machine) {
	a := &m.auth
	c.flags(a.held, a.shown, a.urgent && c.x.cfg.verbal(), a.absent, m.demotion.op != 0)
	if a.held {
		c.left(a.until)
		c.left(a.stop)
		c.pair(pair{a.term, a.seq})
		c.record(a.base)
	}
	if m.demotion.op != 0 {
		c.left(m.demotion.until)
	}
}

func (c *canon) promises(m *Machine) {
	p := &m.promise
	running := p.given && m.now.Wait < p.at+max(p.length, c.x.cfg.longest())
	c.flags(running)
	if running {
		c.ago(p.at)
		c.num(int(p.length / tick))
		c.id(p.to)
		c.run(p.run)
	}
	b := &m.probe
	asked := b.number != (pair{}) && b.quiet == m.known.quiet
	c.flags(asked)
	if asked {
		c.pair(b.number)
		c.flags(b.done, b.refused)
		c.num(len(b.open))
	}
}
