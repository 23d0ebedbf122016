//go:build linux

package hosts_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// every is how often the observer asks each node.
const every = 5 * time.Millisecond

// observer asks every node for its state, again and again. An answer was true
// at some instant between the question and the answer, whatever the machine
// did meanwhile. A node is Primary in a term once and without a pause, so
// between two such answers it was Primary all the time.
type observer struct {
	t    *testing.T
	done chan struct{}
	all  sync.WaitGroup

	mu      sync.Mutex // guards the following
	tenures []tenure
	answers map[string]int
	latest  map[string]sample
}

// tenure is what is certain of one node's time as Primary in one term.
type tenure struct {
	node string
	term uint64
	// from and to bound what is certain: from the first answer to the last
	// question. The times beyond, back to asked and on to answered, are not.
	asked, from, to, answered time.Time
}

func (x tenure) String() string {
	const clock = "15:04:05.000000"
	return fmt.Sprintf("%s in term %d from %s (asked %s) to %s (answered %s)", x.node, x.term,
		x.from.Format(clock), x.asked.Format(clock), x.to.Format(clock), x.answered.Format(clock))
}

type sample struct {
	state
	asked, answered time.Time
}

func newObserver(t *testing.T) *observer {
	o := &observer{t: t, done: make(chan struct{}), answers: map[string]int{}, latest: map[string]sample{}}
	t.Cleanup(o.stop)
	return o
}

// stop ends the watching; it may be called twice.
func (o *observer) stop() {
	o.mu.Lock()
	select {
	case <-o.done:
	default:
		close(o.done)
	}
	o.mu.Unlock()
	o.all.Wait()
}

// watch begins to ask a node, for as long as the test runs.
func (o *observer) watch(n *node) {
	c := newClient(o.t, n.host)
	ctx := context.WithoutCancel(o.t.Context())
	o.all.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-o.done:
				return
			case <-tick.C:
				o.ask(ctx, c, n)
			}
		}
	})
}

func (o *observer) ask(ctx context.Context, c client, n *node) {
	if !n.listens.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a stopped node answers later, or never
	defer cancel()
	asked := time.Now()
	s, err := c.state(ctx, n.control())
	if err != nil {
		return
	}
	o.note(n.id, sample{state: s, asked: asked, answered: time.Now()})
}

func (o *observer) note(id string, s sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[id]++
	o.latest[id] = s
	if s.Role != "primary" {
		return
	}
	i := slices.IndexFunc(o.tenures, func(x tenure) bool { return x.node == id && x.term == s.Term })
	if i < 0 {
		o.tenures = append(o.tenures, tenure{node: id, term: s.Term, asked: s.asked, from: s.answered})
		i = len(o.tenures) - 1
	}
	o.tenures[i].to, o.tenures[i].answered = s.asked, s.answered
}

// last is the last answer of a node.
func (o *observer) last(id string) sample {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.latest[id]
}

// role is what the node last said that it is.
func (o *observer) role(id string) string { return o.last(id).Role }

// roles is role of both nodes.
func (o *observer) roles() string { return o.role(hostA) + " " + o.role(hostB) }

// tenure is the latest of a node; the zero one if it was never Primary.
func (o *observer) tenure(id string) tenure {
	o.mu.Lock()
	defer o.mu.Unlock()
	var found tenure
	for _, x := range o.tenures {
		if x.node == id {
			found = x
		}
	}
	return found
}

// count is how many terms a node was seen as Primary in.
func (o *observer) count(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, x := range o.tenures {
		if x.node == id {
			n++
		}
	}
	return n
}

// newest is the tenure with the highest term.
func (o *observer) newest() tenure {
	a, b := o.tenure(hostA), o.tenure(hostB)
	if b.term > a.term {
		return b
	}
	return a
}

// awaitNewer waits for an answer as Primary in a term later than after.
func (o *observer) awaitNewer(after uint64) tenure {
	o.t.Helper()
	await(o.t, "there is a Primary in a new term", func() bool { return o.newest().term > after })
	return o.newest()
}

// judge is the end of every scenario: never two. It returns what is wrong.
func (o *observer) judge() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var wrong []string
	for i, a := range o.tenures {
		for _, b := range o.tenures[:i] {
			if why := rivals(a, b); why != "" {
				wrong = append(wrong, fmt.Sprintf("TWO PRIMARIES: %s: %v and %v", why, b, a))
			}
		}
	}
	return wrong
}

// tooLate counts the writes that were accepted of an old Primary when another
// node was seen as the new one: it had not written yet, so the ledger could not
// know.
func (o *observer) tooLate(entries []entry) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, e := range entries {
		newer := func(x tenure) bool { return x.node != e.node && x.term > e.term && x.from.Before(e.at) }
		if e.accepted && slices.ContainsFunc(o.tenures, newer) {
			n++
		}
	}
	return n
}

// samples is how many answers there were.
func (o *observer) samples() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, answers := range o.answers {
		n += answers
	}
	return n
}

// rivals tells why two tenures cannot both be right; empty if they can.
func rivals(a, b tenure) string {
	if a.node == b.node {
		return ""
	}
	if a.term == b.term {
		return fmt.Sprintf("both in term %d", a.term)
	}
	from, to := later(a.from, b.from), earlier(a.to, b.to)
	switch {
	case from.Before(to):
		return fmt.Sprintf("for %v at least", to.Sub(from))
	case a.within(b.asked, b.from), a.within(b.to, b.answered), b.within(a.asked, a.from), b.within(a.to, a.answered):
		return "at one instant at least"
	}
	return ""
}

// within tells whether the node was certainly Primary all that time.
func (x tenure) within(from, to time.Time) bool { return !from.Before(x.from) && !to.After(x.to) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
