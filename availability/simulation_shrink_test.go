package availability_test

import (
	"fmt"
	"strings"
	"testing"
)

// shrink plays a failed plan again and again, with ever fewer steps, as long
// as it breaks the same invariant, and returns what is left as a script.
func shrink(t *testing.T, failed simResult) string {
	t.Helper()
	best := failed
	kind := failed.kind()
	left := 120 // simulations
	for n := len(best.plan.steps) / 2; n >= 1; n /= 2 {
		for from := 0; from+n <= len(best.plan.steps) && left > 0; left-- {
			wanted := map[int]bool{}
			for i, s := range best.plan.steps {
				wanted[s.number] = i < from || i >= from+n
			}
			less := simulate(t, best.plan.only(wanted), simPlant{})
			if less.kind() == kind {
				best = less
			} else {
				from += n
			}
		}
	}
	return best.script()
}

// kind is the invariant that was broken, as "I1"; "" if none was.
func (s simResult) kind() string {
	if len(s.broken) == 0 {
		return ""
	}
	kind, _, ok := strings.Cut(s.broken[0], ":")
	if !ok {
		return "another"
	}
	return kind
}

// script says what to do to see it again, and what happened.
func (s simResult) script() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nthe schedule:\n", s.broken[0])
	fmt.Fprintf(&text, "%s\n", s.plan)
	for _, step := range s.plan.steps {
		fmt.Fprintf(&text, "%s\n", step)
	}
	const lines = 60
	fmt.Fprintf(&text, "what happened:\n%s", s.transcript(lines))
	fmt.Fprintf(&text, "again: AG_SEED=%d AG_STEPS=%s go test -run 'TestSimulation$' -v ./availability\n", s.plan.seed, s.plan.numbers())
	return text.String()
}
