package testnode

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Every is how often the observer asks each node.
const Every = 5 * time.Millisecond

// Observer asks every node for its state, again and again. An answer was true
// at some instant between the question and the answer, whatever the machine
// did meanwhile. A node is Primary in a term once and without a pause, so
// between two such answers it was Primary all the time.
type Observer struct {
	done chan struct{}
	once sync.Once
	all  sync.WaitGroup

	mu      sync.Mutex // guards the following
	tenures []Tenure
	answers map[string]int
	latest  map[string]Sample
}

// Sample is one answer, and when it was asked for and came.
type Sample struct {
	State
	Asked, Answered time.Time
}

// NewObserver returns an observer that asks nobody yet.
func NewObserver() *Observer {
	return &Observer{done: make(chan struct{}), answers: map[string]int{}, latest: map[string]Sample{}}
}

// Watch begins to ask a node, until Stop. An error of ask is no answer; its
// context ends after a second, since a node that was stopped answers later, or
// never.
func (o *Observer) Watch(ctx context.Context, id string, ask func(context.Context) (State, error)) {
	o.all.Go(func() {
		tick := time.NewTicker(Every)
		defer tick.Stop()
		for {
			select {
			case <-o.done:
				return
			case <-tick.C:
				o.ask(ctx, id, ask)
			}
		}
	})
}

// Stop ends the watching; it may be called twice.
func (o *Observer) Stop() {
	o.once.Do(func() { close(o.done) })
	o.all.Wait()
}

func (o *Observer) ask(ctx context.Context, id string, ask func(context.Context) (State, error)) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	asked := time.Now()
	s, err := ask(ctx)
	if err != nil {
		return
	}
	o.note(id, Sample{State: s, Asked: asked, Answered: time.Now()})
}

func (o *Observer) note(id string, s Sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[id]++
	o.latest[id] = s
	if s.Role != "primary" {
		return
	}
	i := slices.IndexFunc(o.tenures, func(x Tenure) bool { return x.Node == id && x.Term == s.Term })
	if i < 0 {
		o.tenures = append(o.tenures, Tenure{Node: id, Term: s.Term, Asked: s.Asked, From: s.Answered})
		i = len(o.tenures) - 1
	}
	o.tenures[i].To, o.tenures[i].Answered = s.Asked, s.Answered
}

// Last is the last answer of a node, the zero one if there was none.
func (o *Observer) Last(id string) Sample {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.latest[id]
}

// Tenures are all so far, in the order in which they were seen to begin.
func (o *Observer) Tenures() []Tenure {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tenures)
}

// Tenure is the latest of a node; the zero one if it was never Primary.
func (o *Observer) Tenure(id string) Tenure {
	var found Tenure
	for _, x := range o.Tenures() {
		if x.Node == id {
			found = x
		}
	}
	return found
}

// Answers is how many there were, by node.
func (o *Observer) Answers() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.answers)
}

// Judge is the end of every test: never two. It returns what is wrong.
func (o *Observer) Judge() []string {
	var wrong []string
	tenures := o.Tenures()
	for i, a := range tenures {
		for _, b := range tenures[:i] {
			if why := Rivals(a, b); why != "" {
				wrong = append(wrong, fmt.Sprintf("TWO PRIMARIES: %s: %v and %v", why, b, a))
			}
		}
	}
	return wrong
}
