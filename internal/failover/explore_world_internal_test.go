package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// The explorer drives the shipped machines through everything that can happen
// to them. Time passes in ticks of one second; what a machine asks for may be
// done, lost or left to happen later at every state. States are compared in a
// canonical form in which instants are ages and names are ranks, so that time
// is not bounded.

const tick = time.Second

// xconfig says what may happen in an exploration.
type xconfig struct {
	name    string
	nodes   int
	w       int  // W in ticks
	tight   bool // no slack between L and W
	lag     int  // a clock may lose one tick in so many; 0: none
	suspend bool // the wait clock of a node may stop while its hold clock goes on
	crash   bool
	proof   bool // a restarted run can prove that the old one is dead
	peers   bool // direct heartbeats
	loss    bool // messages between nodes are lost at any time
	ghosts  int  // writes of a node that may be applied after it gave them up
	verbs   []Request
	joiner  bool   // the last node begins outside of the group
	slow    bool   // reads are served at one time and answered at another
	max     uint64 // states
	broken  bool   // the lease counts from the answer: the search must find it
}

// xnode is one process and what is under way for it.
type xnode struct {
	m      *Machine
	live   bool
	runs   int
	hold   time.Duration
	wait   time.Duration
	skip   int // ticks since the clock lost one
	store  xstore
	ghosts []Write
	calls  []xcall
	demote uint64
}

// xstore is the operation of the store under way.
type xstore struct {
	op     uint64
	write  bool
	e      Write
	host   bool
	served bool // the server has done it
	end    End
	token  string
	seen   Observation
}

// xcall is an exchange under way.
type xcall struct {
	op        uint64
	to        int
	message   Message
	delivered bool
	answered  bool
	answer    Message
}

// xworld is one state.
type xworld struct {
	cfg   *xconfig
	nodes [3]xnode
	rec   Observation
}

// xnames are counters that only have to be unique; the canonical form forgets
// them.
type xnames struct{ nonce, token uint64 }

// clone copies a state. Machines are shared until they are stepped: feed
// clones the one that it steps.
func (x *xworld) clone() *xworld {
	c := *x
	for i := range c.nodes[:c.cfg.nodes] {
		n := &c.nodes[i]
		n.ghosts = slices.Clone(n.ghosts)
		n.calls = slices.Clone(n.calls)
	}
	return &c
}

// clone copies everything that a step may change in place.
func (m *Machine) clone() *Machine {
	c := *m
	c.tries = slices.Clone(m.tries)
	c.peers = slices.Clone(m.peers)
	c.tasks = slices.Clone(m.tasks)
	for i := range c.tasks {
		c.tasks[i].why = slices.Clone(c.tasks[i].why)
		c.tasks[i].tried = slices.Clone(c.tasks[i].tried)
	}
	c.known.asked = slices.Clone(m.known.asked)
	c.probe.open = slices.Clone(m.probe.open)
	c.out = Output{}
	return &c
}

func xid(i int) string { return string(rune('a' + i)) }

func (x *xworld) member(i int) record.Member {
	return record.Member{
		ID: xid(i), Scheme: "http", Port: 80, Priority: 100, IPv4: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
	}
}

func (x *xworld) timing() Timing {
	w := time.Duration(x.cfg.w) * tick
	return Timing{W: w, R: tick, C: tick, TTL: tick, tight: x.cfg.tight}
}

func (x *xworld) start(i int, names *xnames) {
	n := &x.nodes[i]
	n.runs++
	self, proof := fmt.Sprintf("%s%d", xid(i), n.runs), x.cfg.proof
	cfg := Config{
		Group: "svc.lab.test", Self: x.member(i), Run: self, Timing: x.timing(),
		ProvenDead: func(run string) bool { return proof && run != self && run[0] == self[0] },
	}
	n.m = New(cfg, n.now())
	n.live = true
	x.feed(i, Tick{}, names)
}

func (n *xnode) now() Now { return Now{Hold: n.hold, Wait: n.wait, Wall: time.Unix(0, 0)} }

// feed steps a machine and starts what it asks for.
func (x *xworld) feed(i int, in Input, names *xnames) {
	n := &x.nodes[i]
	n.m = n.m.clone()
	if x.cfg.broken {
		for k := range n.m.tries {
			n.m.tries[k].sent = n.hold
		}
	}
	n.m.cfg.Random = func() uint64 { names.nonce++; return names.nonce }
	out := n.m.Step(n.now(), in)
	for _, e := range out.Effects {
		x.begin(i, e, names)
	}
}

func (x *xworld) begin(i int, e Effect, names *xnames) {
	n := &x.nodes[i]
	switch e := e.(type) {
	case Read:
		n.store = xstore{op: e.Op, host: e.Host}
	case Write:
		n.store = xstore{op: e.Op, write: true, e: e}
	case Send:
		to := int(e.To.ID[0] - 'a')
		if !x.cfg.peers {
			// nobody can be reached: the machine hears so at once
			x.feed(i, Answered{Op: e.Op, From: e.To.ID, Problem: "cut"}, names)
			return
		}
		n.calls = append(n.calls, xcall{op: e.Op, to: to, message: e.Message})
	case Reply:
		x.reply(i, e)
	case Demote:
		n.demote = e.Op
	case Promote, Finish:
	}
}

// reply gives an answer back to its call. Conns number the calls: the sender
// in thousands, and the call.
func (x *xworld) reply(from int, e Reply) {
	sender := &x.nodes[e.Conn/1_000_000]
	op := e.Conn % 1_000_000
	for k := range sender.calls {
		if c := &sender.calls[k]; c.op == op && c.to == from && !c.answered {
			c.answered, c.answer = true, e.Message
		}
	}
}

// apply is the primary master.
func (x *xworld) apply(e Write, names *xnames) (End, string) {
	if x.rec.Token != e.Token || x.rec.Found == Present && e.HostAbsent {
		return Conflicted, ""
	}
	names.token++
	host := x.rec.Host
	if p, ok := e.Record.Member(e.Record.Primary); ok {
		host = addresses(p)
	}
	if e.Record.Dissolved {
		host = nil
	}
	x.rec = Observation{Found: Present, Record: e.Record, Token: fmt.Sprint(names.token), Host: host, HostRead: true}
	return Applied, x.rec.Token
}

// working tells whether a node may do a Primary's work at this instant.
func (n *xnode) working() bool {
	if !n.live {
		return false
	}
	m := n.m
	return m.auth.held && n.hold < m.auth.until || m.demotion.op != 0 && n.hold < m.demotion.until
}

// violation says what must not be, "" if all is well.
func (x *xworld) violation() string {
	var at []string
	for i := range x.nodes[:x.cfg.nodes] {
		if x.nodes[i].working() {
			at = append(at, xid(i))
		}
	}
	if len(at) > 1 {
		return fmt.Sprintf("I1: %v hold authority at one instant", at)
	}
	if r := x.rec; r.Found == Present {
		if p, ok := r.Record.Member(r.Record.Primary); ok && !slices.Equal(r.Host, addresses(p)) {
			return fmt.Sprintf("I3: the host record is %v, the Primary %s", r.Host, p.ID)
		}
	}
	return ""
}

// describe is one line for a trace.
func (x *xworld) describe() string {
	s := ""
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		if !n.live {
			s += fmt.Sprintf("  %s down", xid(i))
			continue
		}
		m := n.m
		role := "."
		if m.auth.held {
			role = fmt.Sprintf("P%d/%d until %v", m.auth.term, m.auth.seq, m.auth.until-n.hold)
		}
		s += fmt.Sprintf("  %s[%s quiet %v heard %d/%d read %d/%d tries %d]", xid(i), role, n.wait-m.known.quiet,
			m.known.heard.term, m.known.heard.seq, m.known.read.term, m.known.read.seq, len(m.tries))
	}
	r := x.rec.Record
	return s + fmt.Sprintf("  record %d/%d %s by %s", r.Term, r.Seq, r.Primary, r.By)
}
