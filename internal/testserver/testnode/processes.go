package testnode

import (
	"fmt"
	"sync"
)

// Processes are those that have been started and have not ended. The zero value
// has none; it is safe for concurrent use.
type Processes struct {
	mu   sync.Mutex
	pids map[int]string
}

// Add notes a process, and what it is.
func (p *Processes) Add(pid int, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pids == nil {
		p.pids = map[int]string{}
	}
	p.pids[pid] = what
}

// Remove notes that a process has ended.
func (p *Processes) Remove(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pids, pid)
}

// List is what has not ended.
func (p *Processes) List() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for pid, what := range p.pids {
		all = append(all, fmt.Sprintf("%s (%d)", what, pid))
	}
	return all
}
