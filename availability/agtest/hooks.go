package agtest

import (
	"context"

	"github.com/availabilitygroup/ag/availability"
)

// hooked is the configuration of one run: its hooks wait while the process is
// frozen, and are not called once it is dead.
func (n *Node) hooked(p *process) availability.Config {
	c := n.config
	if hook := c.Health; hook != nil {
		c.Health = func(ctx context.Context) error {
			return p.call(func() error { return hook(ctx) })
		}
	}
	if hook := c.BeforePromote; hook != nil {
		c.BeforePromote = func(ctx context.Context, what availability.Promotion) error {
			return p.call(func() error { return hook(ctx, what) })
		}
	}
	if hook := c.OnDemote; hook != nil {
		c.OnDemote = func(ctx context.Context, what availability.Demotion) {
			_ = p.call(func() error { hook(ctx, what); return nil }) // a dead process does not hear of it
		}
	}
	if c.Witness != nil {
		c.Witness = hookedWitness{p, c.Witness}
	}
	return c
}

func (p *process) call(hook func() error) error {
	if err := p.pass(); err != nil {
		return err
	}
	return hook()
}

type hookedWitness struct {
	p       *process
	witness availability.Witness
}

// Watch asks the witness, if the process lives.
func (w hookedWitness) Watch(ctx context.Context, i availability.Incarnation) error {
	return w.p.call(func() error { return w.witness.Watch(ctx, i) })
}
