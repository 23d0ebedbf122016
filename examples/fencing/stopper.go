package main

import (
	"context"
	"sync"

	"github.com/availabilitygroup/ag/dnsstore"
)

// stopper is where a node can be stopped, as SIGSTOP stops a process: what
// comes by waits until the node goes on.
type stopper struct {
	mu      sync.Mutex
	stopped chan struct{} // guarded by mu; closed when the node goes on; nil while it runs
}

func (s *stopper) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = make(chan struct{})
}

func (s *stopper) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		close(s.stopped)
		s.stopped = nil
	}
}

// pass tells whether it had to wait.
func (s *stopper) pass(ctx context.Context) (waited bool, err error) {
	s.mu.Lock()
	stopped := s.stopped
	s.mu.Unlock()
	if stopped == nil {
		return false, nil
	}
	select {
	case <-stopped:
		return true, nil
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
}

// stoppable is a store that a stopped node does not get through to.
type stoppable struct {
	dnsstore.Store
	stopper *stopper
}

// Lookup waits while the node is stopped.
func (s stoppable) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	if _, err := s.stopper.pass(ctx); err != nil {
		return dnsstore.RRSet{}, err
	}
	return s.Store.Lookup(ctx, k)
}

// Apply waits while the node is stopped.
func (s stoppable) Apply(ctx context.Context, c dnsstore.Change) error {
	if _, err := s.stopper.pass(ctx); err != nil {
		return err
	}
	return s.Store.Apply(ctx, c)
}
