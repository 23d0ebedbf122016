package agtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// String tells what a person needs to see why a group is not as expected: each
// node with its state and the faults that it has, the record, and the last
// events of all nodes in order. It has several lines and no final newline.
func (c *Cluster) String() string {
	var b strings.Builder
	for _, n := range c.nodes {
		fmt.Fprintf(&b, "node %s: %s\n", n, n.state())
		if faults := n.faults(); len(faults) > 0 {
			fmt.Fprintf(&b, "\tfaults: %s\n", strings.Join(faults, "; "))
		}
	}
	fmt.Fprintf(&b, "record: %s", c.recordText())
	c.log.write(&b)
	return b.String()
}

// String is the number and the ID of the node.
func (n *Node) String() string { return fmt.Sprintf("%d (%s)", n.i, n.id) }

// state is the state of the node in a line.
func (n *Node) state() string {
	p := n.process()
	switch {
	case p == nil:
		return "not started"
	case p.dead():
		return "killed"
	case p.ended() && p.err != nil:
		return "Run has failed: " + p.err.Error()
	case p.ended():
		return "stopped"
	}
	text := n.role(p.group.GetNodeState())
	if p.frozen() {
		return "frozen, " + text
	}
	return text
}

// role is the state as the node's own group has it.
func (n *Node) role(s availability.NodeState) string {
	if s.NodeRole == event.RoleNotInGroup {
		return string(s.NodeRole)
	}
	text := fmt.Sprintf("%s, term %d, Primary %s, DNS %s", s.NodeRole, s.Term, orNobody(s.PrimaryID), s.NodeDNSConnectionState)
	if s.NodeRole == event.RoleSecondary {
		text += ", " + n.heard(s)
	}
	if s.Paused {
		text += ", the group is paused"
	}
	if !s.Healthy {
		text += ", not healthy"
	}
	if !n.knows(n) {
		text += ", not confirmed"
	}
	return text
}

// heard is what the node has heard of its Primary.
func (n *Node) heard(s availability.NodeState) string {
	if s.LastHeartbeatTime.IsZero() {
		return "no heartbeat yet"
	}
	return fmt.Sprintf("heartbeats %s, the last one %s ago", s.HeartbeatMethod, round(n.clock.Now().Round(0).Sub(s.LastHeartbeatTime)))
}

func orNobody(id string) string {
	if id == "" {
		return "nobody"
	}
	return id
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// faults are those of the node's clocks, its way to the store and the links
// from it. What was done to [Node.Store] directly is not among them.
func (n *Node) faults() []string {
	var found []string
	if n.cut.Load() {
		found = append(found, "cut off from the store")
	}
	var cut []string
	for _, other := range n.c.nodes {
		fault := (&Link{n, other}).fault()
		if fault.cut {
			cut = append(cut, other.id)
		}
		if fault.delay > 0 {
			found = append(found, fmt.Sprintf("its link to %s takes %v", other.id, fault.delay))
		}
	}
	if len(cut) > 0 {
		found = append(found, "its messages to "+strings.Join(cut, ", ")+" are lost")
	}
	rate, step := n.clock.faults()
	if rate != 1 {
		found = append(found, fmt.Sprintf("its clocks run at a rate of %v", rate))
	}
	if step != 0 {
		found = append(found, fmt.Sprintf("its wall clock was stepped by %v", step))
	}
	return found
}

// recordText is the record, or why it cannot be read.
func (c *Cluster) recordText() string {
	strs, err := c.readRecord()
	switch {
	case err != nil:
		return err.Error()
	case len(strs) == 0:
		return "none"
	}
	return strings.Join(strs, " ")
}

// lastEvents is how many events a report shows.
const lastEvents = 20

// eventLog has the last events of all nodes, in the order in which they were
// heard.
type eventLog struct {
	time clock.Clock

	mu    sync.Mutex
	heard []heard // guarded by mu
}

type heard struct {
	at time.Time
	by *Node
	event.Event
}

// follow takes the events of one run. What a process tells that is dead for
// all others is not among them.
func (l *eventLog) follow(p *process) {
	_, _ = p.group.Subscribe(event.Any, func(_ context.Context, e event.Event) { // the ID is known
		if p.dead() {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, heard{l.time.Now(), p.node, e})
		l.heard = l.heard[max(0, len(l.heard)-lastEvents):]
	})
}

func (l *eventLog) write(b *strings.Builder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.time.Now()
	for i, h := range l.heard {
		if i == 0 {
			b.WriteString("\nlast events:")
		}
		fmt.Fprintf(b, "\n\t%8s ago  %s: %s", round(now.Sub(h.at)), h.by.id, failover.DescribeEvent(h.Event))
	}
}
