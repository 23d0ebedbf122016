package rfc2136

import (
	"context"
	"sync"
)

// calls are those under way, so that Close can end them. The zero value is
// ready for use.
type calls struct {
	mu      sync.Mutex
	closed  bool                               // guarded by mu
	last    uint64                             // guarded by mu
	cancels map[uint64]context.CancelCauseFunc // guarded by mu
	running sync.WaitGroup                     // Add under mu, before closed
}

// begin derives the context of a call. The call must end with end.
func (c *calls) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if c.cancels == nil {
		c.cancels = make(map[uint64]context.CancelCauseFunc)
	}
	c.last++
	id := c.last
	c.cancels[id] = cancel
	c.running.Add(1)
	return ctx, func() { c.end(id) }, nil
}

func (c *calls) end(id uint64) {
	c.mu.Lock()
	cancel := c.cancels[id]
	delete(c.cancels, id)
	c.mu.Unlock()
	cancel(nil)
	c.running.Done()
}

// close ends all calls and waits for them.
func (c *calls) close() {
	c.mu.Lock()
	c.closed = true
	for _, cancel := range c.cancels {
		cancel(ErrClosed)
	}
	c.mu.Unlock()
	c.running.Wait()
}

// begin bounds a call: by the caller's context, by the time-out if that has no
// deadline, and by Close.
func (s *Store) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	ctx, finish, err := s.calls.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, finish, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	return ctx, func() { cancel(); finish() }, nil
}
