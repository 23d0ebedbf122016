//go:build linux

package hosts_test

import (
	"sync"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// lateness measures by how much this machine is late: it wants to be woken at
// every tick and notes when it was not.
type lateness struct {
	once sync.Once

	mu    sync.Mutex
	times []late // guarded by mu
}

type late struct {
	at time.Time
	by time.Duration
}

// The machine's own, for as long as the tests run.
var machine lateness

// notable is what counts: less is what the observer's own tick costs.
const notable = 4 * testnode.Every

func (m *lateness) start() {
	m.once.Do(func() {
		go func() { // ends with the tests
			last := time.Now()
			for range time.Tick(testnode.Every) {
				now := time.Now()
				if by := now.Sub(last) - testnode.Every; by > notable {
					m.mu.Lock()
					m.times = append(m.times, late{now, by})
					m.mu.Unlock()
				}
				last = now
			}
		}()
	})
}

// between is how much time the machine took away from its processes.
func (m *lateness) between(from, to time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sum time.Duration
	for _, l := range m.times {
		if l.at.After(from) && !l.at.Add(-l.by).After(to) {
			sum += l.by
		}
	}
	return sum
}

// longest is the longest time at one go.
func (m *lateness) longest(from, to time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var most time.Duration
	for _, l := range m.times {
		if l.at.After(from) && !l.at.Add(-l.by).After(to) {
			most = max(most, l.by)
		}
	}
	return most
}
