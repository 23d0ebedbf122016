package availability_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// simMember is a member of the group: its machine, and the process on it.
type simMember struct {
	w       *simWorld
	id      string
	ordinal int
	plan    simMemberPlan
	machine *simMachine
	runs    int
	setBack time.Time   // when its wall clock was last set back
	stopped *simProcess // the last one that used the state directory

	mu   sync.Mutex
	now  *simProcess // guarded by mu; nil if none runs
	mood simMood     // guarded by mu
}

// simMood is what the host's hooks do.
type simMood struct {
	veto, sick, hang bool
	promote, demote  time.Duration
}

func (m *simMember) process() *simProcess {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *simMember) setProcess(p *simProcess) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = p
}

func (m *simMember) hostMood() simMood {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mood
}

func (m *simMember) change(edit func(*simMood)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit(&m.mood)
}

// simProcess is one run of a node. It runs, or it is stopped (SIGSTOP, or with
// its machine), or it is dead: then nothing of it reaches anybody, though its
// goroutines go on until they notice.
type simProcess struct {
	w   *simWorld
	m   *simMember
	run int
	*availability.Group

	cancel  context.CancelFunc
	told    time.Time     // when it was told to end
	rested  bool          // it was stopped or suspended after that
	done    chan struct{} // closed when Run has returned
	err     error         // of Run; read after done
	killed  chan struct{} // closed by kill
	calls   sync.WaitGroup
	hosts   sync.WaitGroup // the host's own goroutines
	watches []*simWatch

	mu         sync.Mutex
	gate       chan struct{}     // guarded by mu, as is all below; closed while the process runs
	handler    transport.Handler // nil: it does not serve
	promised   time.Duration     // how long its last promise binds it
	promisedAt time.Time
	read       time.Time       // when the record was served that it has read last
	worked     uint64          // the term in which the host works
	work       context.Context // the tenure that is looked at
	resumed    time.Time       // when its machine went on after a suspension
	until      time.Time       // the work that was told to stop has until then
}

func (p *simProcess) name() string { return fmt.Sprintf("%s.%d", p.m.id, p.run) }

// dead: it was killed.
func (p *simProcess) dead() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// ended: Run has returned.
func (p *simProcess) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// frozen: it makes no progress.
func (p *simProcess) frozen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gate:
		return false
	default:
		return true
	}
}

// awake waits while the process is stopped.
func (p *simProcess) awake() {
	for {
		p.mu.Lock()
		gate := p.gate
		p.mu.Unlock()
		select {
		case <-gate:
			return
		case <-p.killed:
			return
		}
	}
}

func (p *simProcess) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = make(chan struct{})
}

// wake notes the end of a suspension.
func (p *simProcess) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resumed = time.Now()
}

func (p *simProcess) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.gate)
}

// out is the way of a request out of the process.
func (p *simProcess) out(ctx context.Context) error {
	p.awake()
	return p.alive(ctx)
}

// in is the way of an answer into it. The context of a call may have ended
// long before a stopped process hears of it.
func (p *simProcess) in(ctx context.Context, err error) error {
	p.awake()
	if dead := p.alive(ctx); dead != nil {
		return dead
	}
	return err
}

// alive: from and to a dead process nothing comes through.
func (p *simProcess) alive(ctx context.Context) error {
	if !p.dead() {
		return nil
	}
	<-ctx.Done()
	return errSimDying
}

func (p *simProcess) hasRead(served time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = served
}

// start begins a process of a member.
func (w *simWorld) start(m *simMember) {
	if m.process() != nil {
		return
	}
	if before := m.stopped; m.plan.stateDir && before != nil {
		// A dead process has given up its lock; here its goroutines must end first.
		w.until(w.longest, before.ended)
	}
	m.runs++
	p := &simProcess{
		w: w, m: m, run: m.runs, done: make(chan struct{}), killed: make(chan struct{}), gate: make(chan struct{}),
	}
	close(p.gate)
	g, err := availability.New(p.config())
	if err != nil {
		w.fail("New of %s: %v", p.name(), err)
		return
	}
	p.Group = g
	p.watch("any", event.Any, 0)
	p.watch("roles", event.NodeRoleChanged, 0)
	ctx, cancel := context.WithCancel(w.ctx)
	p.cancel = cancel
	w.all = append(w.all, p)
	m.stopped = p
	m.setProcess(p)
	w.say(p.name(), "starts")
	w.reach("starts")
	if w.plant.leak {
		go func() { <-make(chan struct{}) }()
	}
	p.hosts.Go(func() { _ = p.RunWhilePrimary(ctx, p.labour) }) // its error is that of ctx
	go func() {
		p.err = p.Run(ctx)
		close(p.done)
		w.nudge()
	}()
}

func (p *simProcess) config() availability.Config {
	w, m := p.w, p.m
	c := availability.Config{
		NodeID: m.id, Priority: m.plan.priority, Bootstrap: m.plan.bootstrap, FailbackAfter: m.plan.failback,
		Settings: availability.Settings{
			GroupFQDN:           simName,
			ExternalIPv4Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(m.ordinal + 1)}),
			Timing:              w.plan.timing,
		},
		Store: simStore{p}, Clock: &simClock{Clock: clock.New(), machine: m.machine, process: p},
	}
	if m.plan.ipv6 {
		c.Settings.ExternalIPv6Address = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(m.ordinal + 1)})
	}
	if !w.plan.dnsOnly {
		c.Transport = simTransport{p}
	}
	if m.plan.stateDir {
		c.StateDir = filepath.Join(w.dir, m.id)
	}
	if m.plan.health {
		c.Health = p.health
	}
	if m.plan.hooks {
		c.BeforePromote, c.OnDemote = p.beforePromote, p.onDemote
	}
	if m.plan.witness {
		c.Witness = p
	}
	return c
}

// labour is what the host does only while it is Primary, and what it takes to
// stop it.
func (p *simProcess) labour(ctx context.Context, term uint64) error {
	p.mu.Lock()
	p.worked, p.work = term, ctx
	if p.w.plant.forget {
		p.work = context.WithoutCancel(ctx)
	}
	p.mu.Unlock()
	p.w.nudge()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, availability.ErrNotPrimary) && !errors.Is(cause, context.Canceled) {
		p.w.fail("I7: the tenure of %s ended with %v", p.name(), cause)
	}
	if p.w.plant.forget {
		p.w.pass(2 * p.w.plan.w())
	}
	p.w.pass(p.m.hostMood().demote / 2)
	p.mu.Lock()
	p.worked, p.work = 0, nil
	p.mu.Unlock()
	p.w.nudge()
	return nil
}

var (
	errSimSick = errors.New("disk full")
	errSimVeto = errors.New("not ready")
)

func (p *simProcess) health(ctx context.Context) error {
	p.awake()
	mood := p.m.hostMood()
	if mood.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if mood.sick {
		return errSimSick
	}
	return nil
}

func (p *simProcess) beforePromote(ctx context.Context, _ availability.Promotion) error {
	p.awake()
	mood := p.m.hostMood()
	if mood.promote > 0 {
		p.w.reach("slow promotions")
		_ = simSleep(ctx, mood.promote)
		p.awake()
	}
	if mood.veto {
		return errSimVeto
	}
	return nil
}

// onDemote stops the work, in time or not. What it is told counts from now on.
func (p *simProcess) onDemote(ctx context.Context, _ availability.Demotion) {
	p.awake()
	if deadline, ok := ctx.Deadline(); ok {
		p.mu.Lock()
		p.until = time.Now().Add(time.Duration(float64(time.Until(deadline)) / p.m.machine.rate))
		p.mu.Unlock()
	}
	mood := p.m.hostMood()
	if mood.demote > 0 {
		p.w.reach("slow demotions")
		p.w.pass(mood.demote)
	}
	p.mu.Lock()
	p.until = time.Time{}
	p.mu.Unlock()
}

// Watch is the witness; it is no good.
func (p *simProcess) Watch(context.Context, availability.Incarnation) error {
	p.w.reach("witness told")
	return errors.New("blind")
}

// acts tells whether the host may do a Primary's work at this instant, without
// asking the group: its tenure lives, or it is stopping within its time.
func (p *simProcess) acts() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.resumed) <= p.w.longestW()/36 { // W/40 on the slowest clock
		return false // it is not awake yet, unless it is asked
	}
	return p.work != nil && p.work.Err() == nil || time.Now().Before(p.until)
}

// tenure is the term of the host's work that nobody has told to stop, else 0.
func (p *simProcess) tenure() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.work == nil || p.work.Err() != nil {
		return 0
	}
	return p.worked
}
