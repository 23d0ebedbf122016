package testnode

import (
	"sync"
	"time"
)

// Lateness measures by how much this machine is late: it wants to be woken at
// every tick and notes when it was not. The zero value is ready.
type Lateness struct {
	once sync.Once

	mu    sync.Mutex
	times []late // guarded by mu
}

type late struct {
	at time.Time
	by time.Duration
}

// notable is what counts: less is what the observer's own tick costs.
const notable = 4 * Every

// Start begins to measure, for as long as the tests run. It may be called again.
func (m *Lateness) Start() {
	m.once.Do(func() {
		go func() { // ends with the tests
			last := time.Now()
			for range time.Tick(Every) {
				now := time.Now()
				m.note(now, now.Sub(last)-Every)
				last = now
			}
		}()
	})
}

func (m *Lateness) note(at time.Time, by time.Duration) {
	if by <= notable {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = append(m.times, late{at, by})
}

// Between is how much time the machine took away from its processes.
func (m *Lateness) Between(from, to time.Time) (sum time.Duration) {
	for _, by := range m.within(from, to) {
		sum += by
	}
	return sum
}

// Longest is the longest time at one go.
func (m *Lateness) Longest(from, to time.Time) (most time.Duration) {
	for _, by := range m.within(from, to) {
		most = max(most, by)
	}
	return most
}

func (m *Lateness) within(from, to time.Time) (all []time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.times {
		if l.at.After(from) && !l.at.Add(-l.by).After(to) {
			all = append(all, l.by)
		}
	}
	return all
}
