package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// serves waits until the name has that address and the workflow answers there.
func (s *show) serves(ctx context.Context, address netip.Addr) error {
	s.watcher.mu.Lock()
	before := s.watcher.counted
	s.watcher.mu.Unlock()
	for {
		s.watcher.mu.Lock()
		ok := s.watcher.host == address.String() && s.watcher.counted > before
		s.watcher.mu.Unlock()
		if ok {
			s.screen.line("dns", "%s is %s now, and the workflow answers there", name, address)
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("%s did not become %s: %w", name, address, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
