package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// The explorer drives the shipped machines through everything that can happen
// to them. What a machine asks for may be done, lost or left to happen later at
// every state. States are compared in a canonical form in which instants are
// ages and names are places, so that time is not bounded, and a search that
// comes to its end has seen every state there is.

// tick is the unit of time. It is so short that what the machine derives from W
// for its pauses, attempts and ranks is nothing: reports, checks and retries
// follow each other at once, and how long each takes is for the search to
// choose. What only those times decide is not searched here: who of several
// candidates comes first (rule 6), the stop budget and the two attempts that a
// target has (rule 9), the second look at an absence (rule 11), pauses. Scripts,
// named tests and the simulator are there for these.
const tick = time.Nanosecond

// connsOf is how many exchanges a node's conns are numbered for.
const connsOf = 1_000_000

// xconfig says what may happen in an exploration.
type xconfig struct {
	name    string
	nodes   int
	w       int  // W in ticks
	tight   bool // no slack between L and W
	slow    int  // so many clocks are slow
	lag     int  // a slow clock may lose one tick in so many
	suspend bool // the wait clock of a node may stop while its hold clock goes on
	crash   bool
	proof   bool // a restarted run can prove that the old one is dead
	peers   bool // direct heartbeats, which may be lost
	twice   bool // and may arrive twice
	mute    bool // but heartbeats never arrive
	prompt  bool // what a peer answers at once arrives at once
	ghosts  int  // writes of a node that may be applied after it gave them up
	vain    bool // reads that are not answered at all, not only late
	old     bool // reads are served at one time and answered at another
	counted bool // new terms count from the known ones: the wall clocks stand still
	deletes bool // somebody deletes the record
	stops   bool // nodes are asked to stop
	verbs   []Request
	outside int    // so many nodes begin outside of the group
	anyone  bool   // two Primaries are allowed: force
	max     uint64 // states
	loose   bool   // some states of one form have different futures: this finds faults, and proves nothing
	first   bool   // max is meant: only the first of them
	broken  bool   // the lease counts from the answer: the search must find it
	votes   bool   // a promise counts from the answer: the same
	reached reach
}

// verbal tells whether tasks, and all that only they look at, can be.
func (cfg *xconfig) verbal() bool { return len(cfg.verbs) > 0 || cfg.stops }

// beats tells whether direct heartbeats can arrive.
func (cfg *xconfig) beats() bool { return cfg.peers && !cfg.mute }

// named tells whether the order of the names decides something.
func (cfg *xconfig) named() bool { return cfg.verbal() && cfg.nodes > 2 }

// longest is the largest W.
func (cfg *xconfig) longest() time.Duration {
	w := time.Duration(cfg.w) * tick
	for _, r := range cfg.verbs {
		w = max(w, r.Timing.W)
	}
	return w
}

// gapTerms and gapSeqs: a new term falls between two others only if it is
// counted; a new number is always the largest of its term, and only the target
// of a handover is compared by how much is between.
func (cfg *xconfig) gapTerms() uint64 {
	if cfg.counted {
		return 3
	}
	return 1
}

func (cfg *xconfig) gapSeqs() uint64 {
	if cfg.verbal() {
		return 2
	}
	return 1
}

// xnode is one process and what is under way for it.
type xnode struct {
	m      *Machine
	live   bool
	slow   bool
	runs   int
	hold   time.Duration
	wait   time.Duration
	skip   int // ticks since a slow clock lost one
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
	end    End  // of a write that was served
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
	cfg     *xconfig
	nodes   [3]xnode
	rec     Observation
	gone    string // the group whose record was deleted by hand
	amnesty int    // ticks for which A1 says that the promise does not hold
	fault   string // a write that must not be
}

// xnames are counters that only have to be unique; the canonical form forgets
// them.
type xnames struct{ nonce, token, wall uint64 }

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
		c.tasks[i].asked = slices.Clone(c.tasks[i].asked)
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
	return Timing{W: time.Duration(x.cfg.w) * tick, tight: x.cfg.tight}
}

func (x *xworld) start(i int, names *xnames) {
	n := &x.nodes[i]
	n.runs++
	self, proof := fmt.Sprintf("%s%d", xid(i), n.runs), x.cfg.proof
	cfg := Config{
		Group: "svc.lab.test", Self: x.member(i), Run: self, Timing: x.timing(),
		ProvenDead: func(run string) bool { return proof && run != self && run[0] == self[0] },
	}
	n.m = New(cfg, Now{Hold: n.hold, Wait: n.wait})
	n.live = true
	x.feed(i, Tick{}, names)
}

// feed steps a machine and starts what it asks for.
func (x *xworld) feed(i int, in Input, names *xnames) {
	n := &x.nodes[i]
	was := n.m
	n.m = was.clone()
	n.spoil(x.cfg, in)
	now := Now{Hold: n.hold, Wait: n.wait}
	if !x.cfg.counted {
		names.wall += 1000 // so that every new term is larger than all others
		now.Wall = time.Unix(int64(names.wall), 0)
	}
	n.m.cfg.Random = func() uint64 { names.nonce++; return names.nonce<<32 | names.nonce }
	out := n.m.Step(now, in)
	x.cfg.note(was, n.m, in, out)
	for _, e := range out.Effects {
		x.begin(i, e)
	}
	n.calls = slices.DeleteFunc(n.calls, n.idle)
	if out.Done {
		x.die(i)
	}
}

// spoil breaks rule 2 where a search is to find that.
func (n *xnode) spoil(cfg *xconfig, in Input) {
	if cfg.broken {
		for k := range n.m.tries {
			n.m.tries[k].sent = n.hold
		}
	}
	if a, ok := in.(Answered); ok && cfg.votes {
		for k := range n.m.peers {
			if p := &n.m.peers[k]; p.op == a.Op {
				p.at = n.hold
			}
		}
	}
}

// idle tells whether a call can be forgotten: nobody waits for its end, and it
// asks for no more than a read, of which there is always one to come.
func (n *xnode) idle(k xcall) bool {
	switch k.message.(type) {
	case Told, Query:
	default:
		return false
	}
	m := n.m
	asked := len(m.tasks) > 0 && m.tasks[0].op == k.op
	return !asked && !slices.Contains(m.probe.open, k.op)
}

// die ends a process. A write of its that is under way may still be applied.
func (x *xworld) die(i int) {
	n := &x.nodes[i]
	ghosts := n.ghosts
	if s := n.store; s.op != 0 && s.write && !s.served && x.open(s.e) && len(ghosts) < max(1, x.cfg.ghosts) {
		ghosts = append(ghosts, s.e)
	}
	*n = xnode{slow: n.slow, runs: n.runs, hold: n.hold, wait: n.wait, skip: n.skip, ghosts: ghosts}
}

func (x *xworld) begin(i int, e Effect) {
	n := &x.nodes[i]
	switch e := e.(type) {
	case Read:
		n.store = xstore{op: e.Op, host: e.Host}
	case Write:
		n.store = xstore{op: e.Op, write: true, e: e}
	case Send:
		to := int(e.To.ID[0] - 'a')
		if _, beat := e.Message.(Heartbeat); beat && !x.cfg.beats() {
			return // nobody hears it, and no answer ever comes: as if it took for ever
		}
		n.calls = append(n.calls, xcall{op: e.Op, to: to, message: e.Message})
	case Reply:
		x.reply(i, e)
	case Demote:
		n.demote = e.Op
	case Promote, Finish:
	}
}

// reply gives an answer back to its call. Conns number the calls: the sender,
// and the call.
func (x *xworld) reply(from int, e Reply) {
	sender := &x.nodes[e.Conn/connsOf]
	op := e.Conn % connsOf
	for k := range sender.calls {
		if c := &sender.calls[k]; c.op == op && c.to == from && !c.answered {
			c.answered, c.answer = true, e.Message
		}
	}
}

// open tells whether a write can still be applied. Only the condition that
// there is no record can hold again.
func (x *xworld) open(e Write) bool {
	return e.Token == x.rec.Token || x.cfg.deletes && e.Token == ""
}

// apply is the primary master.
func (x *xworld) apply(e Write, names *xnames) (End, string) {
	if x.rec.Token != e.Token || e.HostAbsent && len(x.rec.Host) > 0 {
		return Conflicted, ""
	}
	names.token++
	host := x.rec.Host
	if p, ok := e.Record.Member(e.Record.Primary); ok {
		host = p.Addresses()
	}
	if e.Record.Dissolved {
		host = nil
	}
	x.fault = x.badTerm(e.Record)
	x.rec = Observation{Found: Present, Record: e.Record, Token: fmt.Sprint(names.token), Host: host, HostRead: true}
	for i := range x.nodes {
		n := &x.nodes[i]
		n.ghosts = slices.DeleteFunc(n.ghosts, func(g Write) bool { return !x.open(g) })
	}
	return Applied, x.rec.Token
}

// badTerm is the second invariant: terms grow, and one holder has each.
func (x *xworld) badTerm(r record.Record) string {
	was := x.rec.Record
	switch {
	case x.rec.Found != Present || was.Group != r.Group:
		return ""
	case r.Term < was.Term:
		return fmt.Sprintf("I2: term %d is written over by %d", was.Term, r.Term)
	case r.Term == was.Term && (r.Primary != was.Primary || r.Run != was.Run):
		return fmt.Sprintf("I2: term %d belongs to %s %s, and to %s %s", r.Term, was.Primary, was.Run, r.Primary, r.Run)
	}
	return ""
}

// remove is somebody who deletes the record by hand, against A1.
func (x *xworld) remove() {
	x.gone, x.amnesty = x.rec.Record.Group, 2*x.cfg.w
	x.rec = Observation{Found: Absent, HostRead: true}
}

// forgive lets the time pass for which A1 gives no promise after a deletion:
// 2·W after the last node has seen it.
func (x *xworld) forgive() {
	for i := range x.nodes[:x.cfg.nodes] {
		n := &x.nodes[i]
		if n.live && n.m.known.seen.Found == Present && n.m.known.seen.Record.Group == x.gone {
			return
		}
	}
	x.amnesty = max(0, x.amnesty-1)
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
	if x.fault != "" {
		return x.fault
	}
	var at []string
	for i := range x.nodes[:x.cfg.nodes] {
		if x.nodes[i].working() {
			at = append(at, xid(i))
		}
	}
	if len(at) > 1 && x.amnesty == 0 && !x.cfg.anyone {
		return fmt.Sprintf("I1: %v hold authority at one instant", at)
	}
	if r := x.rec; r.Found == Present {
		if p, ok := r.Record.Member(r.Record.Primary); ok && !slices.Equal(r.Host, p.Addresses()) {
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
