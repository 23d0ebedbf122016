package availability_test

import (
	"fmt"
	"testing"
)

// TestSimulation_IsReproducible plays seeds twice and compares, to the
// nanosecond, all that was written, told and done. What differs comes from two
// things that happened at one instant, whose order is the scheduler's; that
// must be the exception.
func TestSimulation_IsReproducible(t *testing.T) {
	t.Parallel()
	seeds := 16
	if simUnderRace {
		seeds = 4
	}
	same := 0
	for seed := range seeds {
		a, b := simulate(t, newSimPlan(uint64(seed)), simPlant{}), simulate(t, newSimPlan(uint64(seed)), simPlant{})
		if a.digest == b.digest {
			same++
			continue
		}
		t.Logf("seed %d differs: %s", seed, difference(a, b))
	}
	t.Attr("prove.same", fmt.Sprintf("%d of %d", same, seeds))
	if same < seeds/2 {
		t.Errorf("%d of %d seeds gave the same run twice", same, seeds)
	}
}

// difference is the first line in which two runs differ.
func difference(a, b simResult) string {
	for i := range min(len(a.log), len(b.log)) {
		if a.log[i] != b.log[i] {
			return fmt.Sprintf("%v; and %v", a.log[i], b.log[i])
		}
	}
	return "one goes on"
}
