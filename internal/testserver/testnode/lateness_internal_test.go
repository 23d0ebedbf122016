package testnode

import (
	"testing"
	"time"
)

// TestLateness needs the inside: nobody can make a machine late to order.
func TestLateness(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	var m Lateness
	m.note(at(5), time.Second)
	m.note(at(9), 2*time.Second)
	m.note(at(9), notable) // is nothing
	for name, tt := range map[string]struct {
		from, to     int
		sum, longest time.Duration
	}{
		"all of it":        {0, 10, 3 * time.Second, 2 * time.Second},
		"before":           {0, 3, 0, 0},
		"after":            {9, 10, 0, 0},
		"the first":        {0, 5, time.Second, time.Second},
		"into the second":  {6, 7, 2 * time.Second, 2 * time.Second},
		"within the first": {4, 5, time.Second, time.Second},
	} {
		if sum, longest := m.Between(at(tt.from), at(tt.to)), m.Longest(at(tt.from), at(tt.to)); sum != tt.sum || longest != tt.longest {
			t.Errorf("%s: %v, %v at one go, want %v, %v", name, sum, longest, tt.sum, tt.longest)
		}
	}
}
