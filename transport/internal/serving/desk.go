package serving

import (
	"context"
	"sync"
)

// Desk takes calls for a handler of type H while Serve runs. The zero value is
// ready for use. All methods are safe for concurrent use.
type Desk[H any] struct {
	mu      sync.Mutex  // guards the following
	busy    bool        // Serve has not returned
	session *session[H] // nil: takes no calls
}

type session[H any] struct {
	handler H
	base    func() context.Context
	calls   sync.WaitGroup
}

// Serve takes calls until ctx ends, and then waits for those that run. It
// returns false at once, and takes none, if it is running already.
func (d *Desk[H]) Serve(ctx context.Context, h H) bool {
	s := &session[H]{handler: h, base: func() context.Context { return ctx }}
	if !d.open(s) {
		return false
	}
	<-ctx.Done()
	d.shut()
	s.calls.Wait()
	d.leave()
	return true
}

func (d *Desk[H]) open(s *session[H]) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy {
		return false
	}
	d.busy, d.session = true, s
	return true
}

func (d *Desk[H]) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = nil
}

func (d *Desk[H]) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
}

// enter returns the session and adds a call to it; nil if there is none. Calls
// are added under the lock, so never after Serve has begun to wait.
func (d *Desk[H]) enter() *session[H] {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		d.session.calls.Add(1)
	}
	return d.session
}

// Open tells whether calls are taken.
func (d *Desk[H]) Open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session != nil
}

// Go runs call on a goroutine of its own, with Serve's context. It returns
// false, and calls nothing, if no calls are taken.
func (d *Desk[H]) Go(call func(ctx context.Context, h H)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.session
	if s == nil {
		return false
	}
	s.calls.Go(func() { call(s.base(), s.handler) })
	return true
}

// Do runs call and returns after it, with a context that has the values of ctx
// and ends when ctx or Serve's context does. It returns false, and calls
// nothing, if no calls are taken.
func (d *Desk[H]) Do(ctx context.Context, call func(ctx context.Context, h H)) bool {
	s := d.enter()
	if s == nil {
		return false
	}
	defer s.calls.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	base := s.base()
	stop := context.AfterFunc(base, func() { cancel(context.Cause(base)) })
	defer stop()
	call(ctx, s.handler)
	return true
}
