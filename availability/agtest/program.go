package agtest

import (
	"context"

	"github.com/availabilitygroup/ag/availability"
)

// program is what the test runs on each node.
type program func(ctx context.Context, i int, g *availability.Group)

// Go runs a program on every node, each on a goroutine of its own, as a main
// function begins its work beside Run: at once on the nodes that run, and on
// every node that is started again later. Its context ends when the run does,
// by [Node.Kill], [Node.Stop] or the end of the test, which waits for it.
func (c *Cluster) Go(program func(ctx context.Context, i int, g *availability.Group)) {
	c.mu.Lock()
	c.programs = append(c.programs, program)
	c.mu.Unlock()
	for _, n := range c.nodes {
		n.process().begin(program)
	}
}

// begin begins all programs in a new run.
func (c *Cluster) begin(p *process) {
	c.mu.Lock()
	programs := c.programs
	c.mu.Unlock()
	for _, program := range programs {
		p.begin(program)
	}
}

func (p *process) begin(program program) {
	if p.work.Err() == nil {
		_ = p.launch(func() { program(p.work, p.node.i, p.group) }) // nothing runs on a dead node
	}
}
