package objectfence

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	first   = 8 * time.Millisecond
	longest = time.Second
)

// pause waits before each try but the first, number 0: up to twice as long each
// time, and how long is chance, so that writers who have met do not meet again.
func pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	bound := min(first<<(try-1), longest)
	timer := time.NewTimer(rand.N(bound))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
