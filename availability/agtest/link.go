package agtest

import (
	"sync"
	"time"
)

// Link is the way of messages from one node to another. The way back is a link
// of its own.
type Link struct{ from, to *Node }

// Link returns the link from node i to node j. A request goes over it and its
// answer over Link(j, i), so either of them cut leaves the request without an
// answer; to separate two nodes cut both.
func (c *Cluster) Link(i, j int) *Link {
	c.t.Helper()
	return &Link{c.Node(i), c.Node(j)}
}

// Cut loses what is sent from now on, and what is on its way.
func (l *Link) Cut() {
	l.from.c.net.Cut(l.from.id, l.to.id)
	l.note(func(f *linkFault) { f.cut = true })
}

// Heal ends Cut. What was lost stays lost.
func (l *Link) Heal() {
	l.from.c.net.Heal(l.from.id, l.to.id)
	l.note(func(f *linkFault) { f.cut = false })
}

// Delay sets how long a message is on its way from now on, 0: not at all.
func (l *Link) Delay(d time.Duration) {
	l.from.c.net.Delay(l.from.id, l.to.id, d)
	l.note(func(f *linkFault) { f.delay = d })
}

// linkFaults are the faults of all links, for reports: the network does not
// tell.
type linkFaults struct {
	mu sync.Mutex
	of map[Link]linkFault // guarded by mu
}

type linkFault struct {
	cut   bool
	delay time.Duration
}

func (l *Link) note(change func(*linkFault)) {
	all := &l.from.c.faults
	all.mu.Lock()
	defer all.mu.Unlock()
	fault := all.of[*l]
	change(&fault)
	all.of[*l] = fault
}

func (l *Link) fault() linkFault {
	all := &l.from.c.faults
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.of[*l]
}
