package testnode

import (
	"testing"
	"time"
)

// Await waits for a condition, for that long at most.
func Await(tb testing.TB, most time.Duration, what string, ok func() bool) {
	tb.Helper()
	deadline := time.Now().Add(most)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

// During checks a condition again and again for as long as it has to hold.
func During(tb testing.TB, d time.Duration, what string, ok func() bool) {
	tb.Helper()
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if !ok() {
			tb.Fatalf("it must not be otherwise for %v: %s", d, what)
		}
		select {
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}
