package failover

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// world runs machines against a virtual store and network in virtual time.
// Everything random comes from rng, so that a seed is a run.
type world struct {
	t      testing.TB
	now    time.Duration
	epoch  time.Time
	queue  agenda
	order  uint64
	rng    *rand.Rand
	nodes  []*node
	timing Timing

	rec     Observation // the record at the primary master
	token   uint64
	cut     map[string]bool // "a>b", "a>store", "store>a"
	storeRT func() time.Duration
	netRT   func() time.Duration
	lose    func() bool // whether a message between nodes is lost
	stopFor time.Duration
	veto    map[string]string

	conns   uint64
	log     []string
	verbose bool
	reached map[string]int
	forced  bool // no safety claim any more
	broken  []string
	writer  map[uint64]string // the holder of each term
	last    pair
}

type node struct {
	id       string
	m        *Machine
	cfg      Config
	up       bool
	frozen   bool
	held     []func() // inputs that wait for a frozen node
	rate     float64
	began    time.Duration // real
	clock    Clock
	step     time.Duration // wall offset
	gen      uint64
	runs     int
	pending  map[uint64]func(Message) // conns
	results  map[uint64]Finish
	requests uint64
	done     bool
	seq      uint64
}

type job struct {
	at    time.Duration
	order uint64
	fn    func()
}

type agenda []job

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || (a[i].at == a[j].at && a[i].order < a[j].order)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(job)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func testTiming(w time.Duration) Timing {
	return Timing{W: w, R: w / 3, C: w / 2, TTL: w / 2}
}

func newWorld(t testing.TB, seed uint64, timing Timing) *world {
	w := &world{
		t: t, epoch: time.Unix(1_800_000_000, 0), rng: rand.New(rand.NewPCG(seed, 1)), timing: timing,
		cut: map[string]bool{}, reached: map[string]int{}, writer: map[uint64]string{}, veto: map[string]string{},
		stopFor: time.Millisecond,
	}
	w.storeRT = func() time.Duration { return 2 * time.Millisecond }
	w.netRT = func() time.Duration { return time.Millisecond }
	w.lose = func() bool { return false }
	w.rec = Observation{Found: Absent, Token: "0"}
	return w
}

func (w *world) add(id string, edit func(*Config)) *node {
	n := len(w.nodes) + 1
	cfg := Config{
		Group: "svc.lab.test",
		Self: record.Member{
			ID: id, Scheme: "http", Port: 80, Priority: 100,
			IPv4: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}),
		},
		Timing: w.timing,
		Random: w.rng.Uint64,
	}
	if edit != nil {
		edit(&cfg)
	}
	x := &node{id: id, cfg: cfg, rate: 1}
	w.nodes = append(w.nodes, x)
	return x
}

func (w *world) node(id string) *node {
	for _, n := range w.nodes {
		if n.id == id {
			return n
		}
	}
	w.t.Fatalf("no node %q", id)
	return nil
}

func (w *world) after(d time.Duration, fn func()) {
	w.order++
	heap.Push(&w.queue, job{at: w.now + max(0, d), order: w.order, fn: fn})
}

// run lets virtual time pass.
func (w *world) run(d time.Duration) {
	end := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= end {
		j := heap.Pop(&w.queue).(job)
		w.now = j.at
		j.fn()
		w.check()
	}
	w.now = end
	w.check()
}

// until lets time pass until ok, for at most d.
func (w *world) until(d time.Duration, ok func() bool) bool {
	end := w.now + d
	for !ok() {
		if len(w.queue) == 0 || w.queue[0].at > end {
			w.now = end
			return false
		}
		j := heap.Pop(&w.queue).(job)
		w.now = j.at
		j.fn()
		w.check()
	}
	return true
}

func (w *world) clock(n *node) time.Time {
	mono := time.Duration(float64(w.now-n.began) * n.rate)
	return w.epoch.Add(n.began + mono)
}

// read gives the clock pair of a node without an input.
func (w *world) ahead(n *node) Now { return n.clock.Ahead(w.clock(n)) }

func (w *world) start(n *node, proven string) {
	n.runs++
	n.up, n.frozen, n.done, n.held = true, false, false, nil
	n.began, n.clock, n.seq = w.now, Clock{}, 0
	n.pending, n.results = map[uint64]func(Message){}, map[uint64]Finish{}
	n.gen++
	cfg := n.cfg
	cfg.Run = fmt.Sprintf("%s%d", n.id, n.runs)
	cfg.ProvenDead = func(run string) bool { return proven != "" && run == proven }
	n.m = New(cfg, n.clock.Read(w.clock(n)))
	w.logf(n, "starts")
	w.feed(n, Tick{})
}

func (w *world) kill(n *node) {
	n.up = false
	n.gen++
	w.logf(n, "is killed")
}

func (w *world) freeze(n *node) { n.frozen = true; w.logf(n, "is stopped") }
func (w *world) thaw(n *node) {
	n.frozen = false
	w.logf(n, "goes on")
	held := n.held
	n.held = nil
	w.feed(n, Tick{})
	for _, fn := range held {
		fn()
	}
}

// deliver feeds an input to the run of a node that it was meant for.
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

func (w *world) feed(n *node, in Input) {
	now := n.clock.Read(w.clock(n))
	out := n.m.Step(now, in)
	if w.verbose {
		w.t.Logf("%12v %s <- %T%+v", w.now, n.id, in, in)
		for _, e := range out.Effects {
			w.t.Logf("%12s %s -> %T%+v", "", n.id, e, e)
		}
	}
	for _, e := range out.Events {
		n.seq++
		if e.Meta().Seq != n.seq {
			w.fail("event %d of %s is numbered %d", n.seq, n.id, e.Meta().Seq)
		}
		w.hear(n, e)
	}
	gen := n.gen
	for _, e := range out.Effects {
		w.perform(n, gen, e)
	}
	if out.Done {
		n.up, n.done = false, true
		n.gen++
		w.logf(n, "has stopped")
		return
	}
	if out.Wake < 0 {
		w.fail("%s asks to be woken in %v", n.id, out.Wake)
	}
	if out.Wake > 0 {
		w.timer(n, out.Wake)
	}
}

// timer sets the one timer of a node: a later step sets a new one.
func (w *world) timer(n *node, d time.Duration) {
	n.requests++
	mine := n.requests
	gen := n.gen
	w.after(time.Duration(float64(d)/n.rate)+time.Nanosecond, func() {
		if n.requests == mine {
			w.deliver(n, gen, Tick{})
		}
	})
}

func (w *world) perform(n *node, gen uint64, e Effect) {
	switch e := e.(type) {
	case Read:
		w.read(n, gen, e)
	case Write:
		w.write(n, gen, e)
	case Send:
		w.send(n, gen, e)
	case Reply:
		if answer := n.pending[e.Conn]; answer != nil {
			delete(n.pending, e.Conn)
			answer(e.Message)
		}
	case Demote:
		w.after(w.stopFor, func() { w.deliver(n, gen, DemoteDone{Op: e.Op}) })
	case Promote:
		w.after(time.Millisecond, func() { w.deliver(n, gen, PromoteDone{Op: e.Op, Veto: w.veto[n.id]}) })
	case Finish:
		n.results[e.ID] = e
		if e.Code == "" {
			w.logf(n, "request done")
		} else {
			w.logf(n, "request refused: %s (%s)", e.Code, e.Text)
		}
	}
}

// once answers an effect with the first of an answer and its time-out.
func (w *world) once(n *node, gen uint64, within time.Duration, late Input) func(Input) {
	answered := false
	give := func(in Input) {
		if !answered {
			answered = true
			w.deliver(n, gen, in)
		}
	}
	w.after(time.Duration(float64(within)/n.rate), func() { give(late) })
	return give
}

func (w *world) split(d time.Duration) (there, back time.Duration) {
	if d <= 0 {
		return 0, 0
	}
	there = time.Duration(w.rng.Int64N(int64(d) + 1))
	return there, d - there
}

func (w *world) read(n *node, gen uint64, e Read) {
	give := w.once(n, gen, e.Within, ReadDone{Op: e.Op, Problem: "timeout"})
	there, back := w.split(w.storeRT())
	w.after(there, func() {
		if w.cut[n.id+">store"] {
			return
		}
		o := w.rec
		o.HostRead = e.Host
		if !e.Host {
			o.Host = nil
		}
		w.after(back, func() {
			if !w.cut["store>"+n.id] {
				give(ReadDone{Op: e.Op, Seen: o})
			}
		})
	})
}

func (w *world) write(n *node, gen uint64, e Write) {
	give := w.once(n, gen, e.Within, WriteDone{Op: e.Op, End: Unknown, Problem: "timeout"})
	there, back := w.split(w.storeRT())
	w.after(there, func() {
		if w.cut[n.id+">store"] {
			return
		}
		end, token := w.apply(n, e), ""
		if there > e.Within && end == Applied {
			w.reached["late updates"]++
		}
		if end == Applied {
			token = w.rec.Token
		}
		w.after(back, func() {
			if !w.cut["store>"+n.id] {
				give(WriteDone{Op: e.Op, End: end, Token: token})
			}
		})
	})
}

// apply is the primary master: compare and swap of the record, the host record
// with it.
func (w *world) apply(n *node, e Write) End {
	want := e.Token
	if w.rec.Token != want || e.HostAbsent && len(w.rec.Host) > 0 {
		return Conflicted
	}
	w.token++
	host := w.rec.Host
	if e.Record.Dissolved {
		host = nil
	} else if x, ok := e.Record.Member(e.Record.Primary); ok {
		host = addresses(x)
	}
	w.rec = Observation{Found: Present, Record: e.Record.Clone(), Token: fmt.Sprint(w.token), Host: host}
	w.checkRecord(e.Record)
	if w.verbose {
		w.t.Logf("%12v store: %s wrote %d/%d primary=%s by=%s", w.now, n.id, e.Record.Term, e.Record.Seq, e.Record.Primary, e.Record.By)
	}
	return Applied
}

func (w *world) send(n *node, gen uint64, e Send) {
	give := w.once(n, gen, e.Within, Answered{Op: e.Op, From: e.To.ID, Problem: "timeout"})
	to := w.node(e.To.ID)
	there, back := w.split(w.netRT())
	w.after(there, func() {
		if w.cut[n.id+">"+to.id] || w.lose() {
			return
		}
		if !to.up {
			give(Answered{Op: e.Op, From: to.id, Problem: "connection refused"})
			return
		}
		w.conns++
		conn := w.conns
		to.pending[conn] = func(m Message) {
			w.after(back, func() {
				if !w.cut[to.id+">"+n.id] && !w.lose() {
					give(Answered{Op: e.Op, From: to.id, Message: m})
				}
			})
		}
		w.deliver(to, to.gen, Received{Conn: conn, From: n.id, Message: e.Message})
	})
}

// ask makes a request of a node's host and returns its number.
func (w *world) ask(n *node, r Request) uint64 {
	w.conns++
	id := w.conns
	w.logf(n, "is asked to %s%s", r.Verb, strings.TrimRight(" "+r.Target, " "))
	if r.Verb == VerbForce {
		w.forced = true
	}
	w.deliver(n, n.gen, Do{ID: id, Request: r})
	return id
}

func (w *world) logf(n *node, format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%-9s %-2s %s", stamp(w.now), n.id, fmt.Sprintf(format, args...)))
}

// stamp prints virtual time in a form that small delays do not change much.
func stamp(d time.Duration) string {
	return fmt.Sprintf("%.2fs", d.Seconds())
}

func (w *world) hear(n *node, e event.Event) {
	switch e := e.(type) {
	case event.RoleChange:
		w.logf(n, "%s -> %s (%s)", e.Previous, e.New, e.Cause)
		w.reached["role "+string(e.New)+" by "+string(e.Cause)]++
	case event.DNSConnectionChange:
		w.logf(n, "dns %s", e.New)
	case event.HeartbeatMethodChange:
		w.logf(n, "heartbeats over %s", e.New)
	case event.Conflict:
		w.logf(n, "conflict: %s", e.Problem)
	case event.HostRecordRepair:
		w.logf(n, "host record repaired: %v -> %v", e.Found, e.Set)
	case event.HeartbeatLoss:
		w.logf(n, "hears nothing of %s", e.Peer)
	case event.HeartbeatReturn:
		w.logf(n, "hears %s again", e.Peer)
	case event.AuthorityRisk:
		w.logf(n, "authority at risk")
	case event.MembersChange:
		w.logf(n, "members %v joining %v", e.Members, e.Joining)
	case event.PauseChange:
		w.logf(n, "paused %v", e.Paused)
	case event.FailoverResult:
		w.logf(n, "failover from %s to %s (%s) %s", e.From, e.To, e.Cause, e.Problem)
	case event.ConfigurationChange:
		w.logf(n, "configuration %v", e.Fields)
	case event.PrimaryChange, event.HealthChange, event.ClockSkew:
	}
}

// working tells whether a node may be doing a Primary's work at this instant.
func (w *world) working(n *node) bool {
	if !n.up {
		return false
	}
	hold := w.ahead(n).Hold
	m := n.m
	if m.auth.held && hold < m.auth.until {
		return true
	}
	return m.demotion.op != 0 && hold < m.demotion.until
}

// primaries are the nodes that say Primary now.
func (w *world) primaries() []string {
	var ids []string
	for _, n := range w.nodes {
		if n.up && n.m.role == event.RolePrimary && w.ahead(n).Hold < n.m.stopAt() {
			ids = append(ids, n.id)
		}
	}
	return ids
}

// check holds I1 after every event.
func (w *world) check() {
	if w.forced {
		return
	}
	var ids []string
	for _, n := range w.nodes {
		if w.working(n) {
			ids = append(ids, n.id)
		}
	}
	if len(ids) > 1 {
		w.fail("I1: %v hold authority at one instant", ids)
	}
}

// checkRecord holds I2 and I3 at every change of the record.
func (w *world) checkRecord(r record.Record) {
	p := pairOf(r)
	if p.less(w.last) && !w.forced {
		w.fail("I2: the record went from %v back to %v", w.last, p)
	}
	w.last = p
	if by, ok := w.writer[r.Term]; ok && by != r.Primary {
		w.fail("I2: term %d has two holders, %q and %q", r.Term, by, r.Primary)
	}
	w.writer[r.Term] = r.Primary
	if x, ok := r.Member(r.Primary); ok && !slices.Equal(w.rec.Host, addresses(x)) {
		w.fail("I3: the host record is %v, the Primary %s", w.rec.Host, r.Primary)
	}
}

func (w *world) fail(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf("%v: ", w.now)+fmt.Sprintf(format, args...))
	if len(w.broken) == 1 {
		w.log = append(w.log, "VIOLATION "+w.broken[0])
	}
}
