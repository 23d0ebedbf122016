package failover

import (
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// Bootstrap says what a node does that the record does not list.
type Bootstrap uint8

// What a node does that the record does not list.
const (
	// BootstrapManual: nothing.
	BootstrapManual Bootstrap = iota
	// BootstrapJoin: it joins, waiting for the group to exist.
	BootstrapJoin
	// BootstrapCreate: it joins, and creates the group after W of seen absence.
	BootstrapCreate
)

// Config is what a machine is made of.
type Config struct {
	// Group is the FQDN, for events only.
	Group string
	// Self is this node as the record is to list it.
	Self record.Member
	// Run is this incarnation, unique for ever.
	Run string
	// ProvenDead tells whether an earlier incarnation of this ID is proved to
	// be dead, always the same of the same one. Nil: there is no such proof.
	ProvenDead func(run string) bool
	// Timing is used until a record was read, and for a group created here.
	Timing    Timing
	Bootstrap Bootstrap
	// FailbackAfter is how long a healthy member of higher priority must have
	// been there before this Primary hands over to it; 0: never.
	FailbackAfter time.Duration
	// Gate: the host is asked before a won role shows.
	Gate bool
	// Idle: there is no group to look for until Create or Join is asked.
	Idle bool
	// Random is the source of nonces and group identities.
	Random func() uint64
}

// Machine is the protocol of one node. It is pure: what Step returns depends
// on the sequence of its arguments alone. It is not safe for concurrent use.
type Machine struct {
	cfg Config
	now Now
	out Output

	ops    uint64 // numbers effects
	events uint64 // numbers events

	role    event.Role
	dns     event.DNSConnectionState
	method  event.HeartbeatMethod
	healthy bool

	known    knowledge
	auth     authority
	tries    []attempt // writes of unknown end, all on the same record
	openOn   string    // that record
	store    storeOp
	demotion demotion
	promise  promise
	cool     coolDown
	probe    probe
	peers    []peer
	tasks    []task // the first one is being worked on

	lastDirect    time.Duration // wait: last direct heartbeat, or when one was first due
	lastHeard     time.Duration // wait: the same over either channel
	lost          bool
	lastHeartbeat time.Time
	lastUpdated   time.Time

	offered   bool // the machine wanted a failover itself
	offeredAt time.Duration

	settled  bool          // was a member in this run, or saw the group dissolved
	bootAt   time.Duration // wait: no join or create by itself before
	stopping bool
	stopBy   time.Duration // wait
}

// New returns the machine of a node that starts now.
func New(cfg Config, now Now) *Machine {
	m := &Machine{
		cfg: cfg, now: now, role: event.RoleNotInGroup, dns: event.DNSNotApplicable, healthy: true,
		lastDirect: now.Wait, lastHeard: now.Wait,
	}
	m.known.quiet = now.Wait
	m.store.wanted = !cfg.Idle
	return m
}

// Step takes one input and the clocks as they were read after it, and returns
// what is to be done. Any input is taken in any state.
func (m *Machine) Step(now Now, in Input) Output {
	m.out = Output{}
	m.now = Now{Hold: max(m.now.Hold, now.Hold), Wait: max(m.now.Wait, now.Wait), Wall: now.Wall}
	m.lapse()
	m.accept(in)
	m.act()
	return m.out
}

// accept looks at the input; act then decides what to do.
func (m *Machine) accept(in Input) {
	switch in := in.(type) {
	case Tick:
	case ReadDone:
		m.readDone(in)
	case WriteDone:
		m.writeDone(in)
	case Received:
		m.received(in)
	case Answered:
		m.answered(in)
	case DemoteDone:
		if in.Op == m.demotion.op {
			m.demotion = demotion{}
		}
	case PromoteDone:
		m.promoteDone(in)
	case Do:
		m.request(in)
	case Forget:
		m.forget(in.ID)
	case Look:
		m.store.wanted = true
	case Health:
		m.health(in)
	case Skew:
		m.tell(func(h event.Header) event.Event { return event.ClockSkew{Header: h, Peer: in.Peer, Ahead: in.Ahead} }, event.ClockSkewDetected)
	case Stop:
		m.stop()
	}
}

// act looks at the state and starts whatever is due. It asks every timer on
// its way, so that Wake is the earliest of them.
func (m *Machine) act() {
	m.noteSilence()
	m.noteRisk()
	m.voidCreate()
	m.work()
	if m.store.op == 0 {
		m.useStore()
	}
	m.beat()
	m.out.Done = m.stopped()
	m.wakeToStop()
}

// useStore starts at most one operation of the store: what was left unknown is
// read before anything else (rule 7), then writes, then reads that are due.
func (m *Machine) useStore() {
	if m.readFirst() {
		return
	}
	if m.renew() || m.writeTask() || m.claim() {
		return
	}
	m.readDue()
}

// op numbers an effect.
func (m *Machine) op() uint64 {
	m.ops++
	return m.ops
}

func (m *Machine) do(e Effect) { m.out.Effects = append(m.out.Effects, e) }

// due tells whether that instant of the wait clock has come, and asks to be
// woken then if not.
func (m *Machine) due(at time.Duration) bool {
	if m.now.Wait >= at {
		return true
	}
	m.wakeIn(at - m.now.Wait)
	return false
}

// dueHold is due on the hold clock.
func (m *Machine) dueHold(at time.Duration) bool {
	if m.now.Hold >= at {
		return true
	}
	m.wakeIn(at - m.now.Hold)
	return false
}

func (m *Machine) wakeIn(d time.Duration) {
	if m.out.Wake == 0 || d < m.out.Wake {
		m.out.Wake = d
	}
}

// tell emits one event.
func (m *Machine) tell(about func(event.Header) event.Event, id event.ID) {
	m.events++
	m.out.Events = append(m.out.Events, about(event.Header{
		ID: id, Seq: m.events, At: m.now.Wall, Group: m.cfg.Group, Node: m.cfg.Self.ID, Term: m.term(),
	}))
}

// term is the highest term of a record that this node knows of.
func (m *Machine) term() uint64 { return max(m.known.heard.term, m.auth.term) }

// become is the only place that changes the role.
func (m *Machine) become(r event.Role, cause event.Cause) {
	if m.role == r {
		return
	}
	prev := m.role
	m.role = r
	if r != event.RoleNotInGroup {
		m.settled = true
	}
	m.lost, m.lastDirect, m.lastHeard = false, m.now.Wait, m.now.Wait
	m.tell(func(h event.Header) event.Event {
		return event.RoleChange{Header: h, Previous: prev, New: r, Cause: cause}
	}, event.NodeRoleChanged)
	m.setDNS(m.known.fresh, m.known.problem)
	m.noteMethod()
}

// setDNS notes whether the store answers, and takes what this node has to write.
func (m *Machine) setDNS(ok bool, problem string) {
	if ok && m.store.barred != "" {
		ok, problem = false, m.store.barred
	}
	next := event.DNSDisconnected
	switch {
	case m.role == event.RoleNotInGroup && !m.joining():
		next = event.DNSNotApplicable
	case ok:
		next = event.DNSConnected
	}
	if next == m.dns {
		return
	}
	prev := m.dns
	m.dns = next
	if next == event.DNSConnected {
		problem = ""
	}
	m.tell(func(h event.Header) event.Event {
		return event.DNSConnectionChange{Header: h, Previous: prev, New: next, Problem: problem}
	}, event.DNSConnectionChanged)
}

// health takes what the host's check says.
func (m *Machine) health(in Health) {
	if m.healthy == in.Healthy {
		return
	}
	m.healthy = in.Healthy
	m.tell(func(h event.Header) event.Event {
		return event.HealthChange{Header: h, Healthy: in.Healthy, Problem: in.Problem}
	}, event.HealthChanged)
}

// conflict tells of something that must not be, once for each text.
func (m *Machine) conflict(problem string) {
	if m.known.conflict == problem {
		return
	}
	m.known.conflict = problem
	m.tell(func(h event.Header) event.Event { return event.Conflict{Header: h, Problem: problem} }, event.ConflictDetected)
}

// timing is what the group's record says, or the configuration without one.
func (m *Machine) timing() Timing {
	switch {
	case m.auth.held:
		return m.timingOf(m.auth.base)
	case m.known.seen.Found == Present && !m.known.seen.Record.Dissolved:
		return m.timingOf(m.known.seen.Record)
	default:
		return m.cfg.Timing
	}
}

func (m *Machine) timingOf(r record.Record) Timing {
	return Timing{
		W: r.AllowedAbsence, R: r.ReportInterval, C: r.CheckInterval, TTL: r.TTL, tight: m.cfg.Timing.tight,
	}
}

// self is this node as the last record lists it.
func (m *Machine) self() (record.Member, bool) {
	if m.known.seen.Found != Present {
		return record.Member{}, false
	}
	return m.known.seen.Record.Member(m.cfg.Self.ID)
}

// joining: the record lists this node, the Primary has yet to confirm it.
func (m *Machine) joining() bool {
	me, ok := m.self()
	return ok && me.Joining && m.sameAddress(me) && m.role == event.RoleNotInGroup
}

// stop begins the clean end.
func (m *Machine) stop() {
	if m.stopping {
		return
	}
	m.stopping = true
	t := m.timing()
	m.stopBy = m.now.Wait + t.StopBudget() + 2*t.Attempt()
	for i, t := range m.tasks {
		m.answer(t, CodeNotRunning, "the node is stopping")
		m.tasks[i].id, m.tasks[i].conn = 0, 0
	}
	// a handover that has already dropped the authority goes on
	m.tasks = slices.DeleteFunc(m.tasks, func(t task) bool { return t.step < stepYield })
	if m.auth.held {
		m.tasks = append(m.tasks, task{req: Request{Verb: verbYield}, cause: event.CauseShutdown})
	}
}

// abandon ends a handover for which the time is over.
func (m *Machine) abandon() {
	if len(m.tasks) == 0 || m.tasks[0].step < stepYield {
		return
	}
	problem := ""
	if m.tasks[0].step == stepYield {
		problem = "the record was not written in time" + because(m.known.problem)
	}
	m.endYield(&m.tasks[0], CodeStoreUnreachable, problem)
}

// stopped: a machine that is to stop has nothing left to do, or no time.
func (m *Machine) stopped() bool {
	if !m.stopping {
		return false
	}
	if m.due(m.stopBy) {
		if m.auth.held {
			m.demote(event.CauseShutdown, "")
		}
		m.abandon()
		return true
	}
	return !m.auth.held && m.demotion.op == 0 && len(m.tasks) == 0
}
