//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
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
	t.Cleanup(func() {
		close(o.done)
		o.all.Wait()
		o.judge()
	})
	return o
}

// watch begins to ask a node, for as long as the test runs.
func (o *observer) watch(n *node, roots *tls.Config) {
	c := newClient(o.t, roots)
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
	base := n.base.Load()
	if base == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a frozen node answers later, or never
	defer cancel()
	asked := time.Now()
	s, err := c.state(ctx, *base)
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

// awaitTenure waits for an answer of the node as Primary in a term later than
// after.
func (o *observer) awaitTenure(id string, after uint64) tenure {
	o.t.Helper()
	await(o.t, "node "+id+" is Primary in a new term", func() bool { return o.tenure(id).term > after })
	return o.tenure(id)
}

// judge is the end of every test: never two.
func (o *observer) judge() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, a := range o.tenures {
		for _, b := range o.tenures[:i] {
			if why := rivals(a, b); why != "" {
				o.t.Errorf("TWO PRIMARIES: %s: %v and %v", why, b, a)
			}
		}
	}
	for id, answers := range o.answers {
		o.t.Logf("observer: %d answers of %s", answers, id)
	}
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

// gap is how long there was no Primary between two tenures: at most, and at
// least.
func gap(a, b tenure) (most, least time.Duration) {
	return b.from.Sub(a.to), max(0, b.asked.Sub(a.answered))
}

func TestObserver_Judges(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	span := func(node string, term uint64, from, to int) tenure {
		return tenure{node: node, term: term, asked: at(from), from: at(from), to: at(to), answered: at(to)}
	}
	for name, tt := range map[string]struct {
		a, b tenure
		want bool
	}{
		"one after the other": {span("a", 1, 0, 5), span("b", 2, 6, 9), false},
		"overlap":             {span("a", 1, 0, 5), span("b", 2, 4, 9), true},
		"one slow answer":     {span("a", 1, 0, 9), tenure{node: "b", term: 2, asked: at(8), from: at(10), to: at(8), answered: at(10)}, false},
		"within":              {span("a", 1, 0, 9), span("b", 2, 4, 5), true},
		"one answer":          {span("a", 1, 0, 9), tenure{node: "b", term: 2, asked: at(4), from: at(5), to: at(4), answered: at(5)}, true},
		"one node":            {span("a", 1, 0, 9), span("a", 2, 4, 5), false},
		"one term":            {span("a", 1, 0, 5), span("b", 1, 6, 9), true},
	} {
		for _, pair := range [][2]tenure{{tt.a, tt.b}, {tt.b, tt.a}} {
			if why := rivals(pair[0], pair[1]); (why != "") != tt.want {
				t.Errorf("%s: rivals = %q, want them: %t", name, why, tt.want)
			}
		}
	}
}
