package availability_test

import (
	"strings"
	"testing"
)

// simPlant is a fault that is planted in what is around the library, to see
// that the simulation finds it.
type simPlant struct {
	ignoreCondition bool // the store applies updates whatever they are conditional on
	forgetHost      bool // the store changes the record and not the host record
	lie             bool // the store confirms updates that it has not applied
	forge           bool // the network promises on behalf of nodes that it cannot reach
	wildClock       bool // a machine's clocks run at less than half of real time
	hastyClock      bool // a machine's clocks run at more than twice of real time
	hiddenSleep     bool // all clocks of a suspended machine stand still
	forget          bool // the host does not stop its work when its tenure ends
	deaf            bool // a subscriber misses role changes
	leak            bool // a goroutine is left over
	neverCalm       bool // cut links and outages never end
}

// TestSimulation_Bites plants faults in what the library rests on, each of
// which breaks an assumption or a promise of the surroundings, and wants the
// simulation to say which invariant is broken.
func TestSimulation_Bites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plant simPlant
		want  string // the invariants that may be found broken first
	}{
		"a store that ignores conditions":          {simPlant{ignoreCondition: true}, "I1 I2"},
		"a store that forgets the host record":     {simPlant{forgetHost: true}, "I3"},
		"a store that confirms and does not apply": {simPlant{lie: true}, "I1 I2 I5"},
		"a network that promises for others":       {simPlant{forge: true}, "I1"},
		"clocks at less than half of real time":    {simPlant{wildClock: true}, "I1 I4 I5"},
		"clocks at more than twice of real time":   {simPlant{hastyClock: true}, "I1 I4 I5"},
		"a suspension that no clock shows":         {simPlant{hiddenSleep: true}, "I1"},
		"work that goes on after the tenure":       {simPlant{forget: true}, "I1 I7"},
		"a subscriber that misses role changes":    {simPlant{deaf: true}, "I6"},
		"a goroutine that is left over":            {simPlant{leak: true}, "I7"},
		"outages that never end":                   {simPlant{neverCalm: true}, "I5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most = 200
			for seed := range uint64(most) {
				s := simulate(t, newSimPlan(seed), c.plant)
				if len(s.broken) == 0 {
					continue
				}
				if !strings.Contains(c.want, s.kind()) {
					t.Errorf("seed %d finds %q, want one of %s", seed, s.broken[0], c.want)
				}
				t.Logf("seed %d: %s", seed, s.broken[0])
				return
			}
			t.Errorf("none of %d seeds finds it", most)
		})
	}
}
