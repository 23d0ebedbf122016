package agtest

import (
	"context"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// process is one run of a node's program.
type process struct {
	node  *Node
	group *availability.Group
	work  context.Context //nolint:containedctx // that of Run and of the program, which are called later
	stop  context.CancelFunc
	alive context.Context //nolint:containedctx // ended by kill, seen by all calls of the process
	die   context.CancelFunc
	done  chan struct{} // closed when Run has returned
	err   error         // of Run; read after done

	mu   sync.Mutex
	gate chan struct{} // guarded by mu; closed while the process is not frozen
	died time.Time     // guarded by mu; zero while it lives
}

// newProcess makes one that lives but does not run yet. It outlives the test's
// context, which ends before the Cleanup that kills it.
func newProcess(n *Node) *process {
	p := &process{node: n, done: make(chan struct{}), gate: make(chan struct{})}
	ctx := context.WithoutCancel(n.c.t.Context())
	p.work, p.stop = context.WithCancel(ctx)
	p.alive, p.die = context.WithCancel(ctx)
	close(p.gate)
	return p
}

func (p *process) run() {
	defer close(p.done)
	defer p.stop() // the program's context, if Run has failed
	p.err = p.group.Run(p.work)
}

// kill ends it for all others, and then in its own world.
func (p *process) kill() {
	p.mu.Lock()
	if !p.dead() {
		p.died = p.node.c.time.Now()
		p.die() // what is launched was launched before
	}
	p.mu.Unlock()
	p.stop()
}

// haste is how many times as fast as others a dead process lives until it has
// ended: nobody can tell, and nobody need wait for it.
const haste = 1000

// hurried tells how far the time of a dead process has run ahead.
func (p *process) hurried(now time.Time) time.Duration {
	if !p.hurries() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return haste * now.Sub(p.died)
}

func (p *process) hurries() bool { return p != nil && p.dead() && !p.ended() }

func (p *process) dead() bool { return p.alive.Err() != nil }

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.frozenLocked() {
		p.gate = make(chan struct{})
	}
}

func (p *process) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozenLocked() {
		close(p.gate)
	}
}

func (p *process) frozen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frozenLocked()
}

func (p *process) frozenLocked() bool {
	select {
	case <-p.gate:
		return false
	default:
		return true
	}
}

// pass waits while the process is frozen. It fails if the process is dead.
func (p *process) pass() error {
	for {
		p.mu.Lock()
		gate, frozen := p.gate, p.frozenLocked()
		p.mu.Unlock()
		switch {
		case p.dead():
			return errDead
		case !frozen:
			return nil
		}
		select {
		case <-gate:
		case <-p.alive.Done():
		}
	}
}

// launch calls f on a goroutine that the end of the test waits for, unless the
// process is dead.
func (p *process) launch(f func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead() {
		return errDead
	}
	p.node.c.all.Go(f)
	return nil
}
