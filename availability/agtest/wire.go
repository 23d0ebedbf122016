package agtest

import (
	"context"
	"errors"
)

// errDead: the process that calls, or is called, was killed.
var errDead = errors.New("agtest: the process is dead")

// answer is what a call over the wire came to.
type answer[T any] struct {
	value T
	err   error
}

// send makes a call of a process that goes over the wire. What was sent by a
// process that is killed meanwhile is still delivered, and its answer goes to
// nobody. A frozen process neither sends nor takes an answer, however long.
func send[T any](ctx context.Context, p *process, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if err := p.pass(); err != nil {
		return none, err
	}
	if ctx.Err() != nil {
		return call(ctx)
	}
	wire, cancel := p.wire(ctx)
	answers := make(chan answer[T], 1) // the process may not be there to take it
	err := p.launch(func() {
		defer cancel()
		value, err := call(wire)
		answers <- answer[T]{value, err}
	})
	if err != nil {
		cancel()
		return none, err
	}
	var got answer[T]
	select {
	case got = <-answers:
	case <-p.alive.Done():
	}
	if err := p.pass(); err != nil {
		return none, err
	}
	return got.value, got.err
}

// wire is the context of what a process has sent. It ends with ctx as long as
// the process lives; after that only the deadline of ctx ends it, or the test.
func (p *process) wire(ctx context.Context) (context.Context, context.CancelFunc) {
	wire, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	release := func() { cancel(context.Canceled) }
	if due, ok := ctx.Deadline(); ok {
		wire, release = context.WithDeadline(wire, due)
	}
	given := context.AfterFunc(ctx, func() {
		if !p.dead() && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel(context.Cause(ctx))
		}
	})
	over := context.AfterFunc(p.node.c.over, func() { cancel(errDead) })
	return wire, func() {
		given()
		over()
		release()
		cancel(context.Canceled)
	}
}

// bound returns a context that also ends when the process is killed.
func (p *process) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(p.alive, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}
