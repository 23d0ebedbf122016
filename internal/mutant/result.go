package mutant

import (
	"slices"
	"time"
)

// Outcome is what became of a mutant.
type Outcome string

// The outcomes.
const (
	// Killed: its killer failed.
	Killed Outcome = "killed"
	// Panicked: its killer ended the process. It counts as killed.
	Panicked Outcome = "killed by a panic"
	// Hung: its killer did not end in time. It counts as killed.
	Hung Outcome = "killed by the time limit"
	// Survived: its killer passed.
	Survived Outcome = "SURVIVED"
	// Equivalent: there is nothing to notice.
	Equivalent Outcome = "equivalent"
	// Mistaken: the entry shows nothing, see the text of the result.
	Mistaken Outcome = "MISTAKEN"
)

// Dead tells whether the mutant was noticed.
func (o Outcome) Dead() bool { return o == Killed || o == Panicked || o == Hung }

// Fine tells whether nothing has to be done about it.
func (o Outcome) Fine() bool { return o.Dead() || o == Equivalent }

// Result is one mutant and what became of it.
type Result struct {
	Mutant
	Outcome Outcome
	// Text is what the test wrote, or what is wrong with the entry.
	Text string
	Took time.Duration
}

// Count returns how many results have one of the outcomes.
func Count(all []Result, outcomes ...Outcome) int {
	n := 0
	for _, r := range all {
		if slices.Contains(outcomes, r.Outcome) {
			n++
		}
	}
	return n
}
