//go:build linux

package hosts_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// observer watches the nodes of one scenario.
type observer struct {
	*testnode.Observer
	t *testing.T
}

func newObserver(t *testing.T) *observer {
	o := &observer{testnode.NewObserver(), t}
	t.Cleanup(o.Stop)
	return o
}

var errNotThere = errors.New("the node is not there to be asked")

// watch begins to ask a node, for as long as the test runs.
func (o *observer) watch(n *node) {
	c := newClient(o.t, n.host)
	o.Watch(context.WithoutCancel(o.t.Context()), n.id, func(ctx context.Context) (testnode.State, error) {
		if !n.listens.Load() {
			return testnode.State{}, errNotThere
		}
		return c.State(ctx, n.control())
	})
}

// role is what the node last said that it is.
func (o *observer) role(id string) string { return o.Last(id).Role }

// roles is role of both nodes.
func (o *observer) roles() string { return o.role(hostA) + " " + o.role(hostB) }

// count is how many terms a node was seen as Primary in.
func (o *observer) count(id string) int {
	n := 0
	for _, x := range o.Tenures() {
		if x.Node == id {
			n++
		}
	}
	return n
}

// newest is the tenure with the highest term.
func (o *observer) newest() testnode.Tenure {
	a, b := o.Tenure(hostA), o.Tenure(hostB)
	if b.Term > a.Term {
		return b
	}
	return a
}

// awaitNewer waits for an answer as Primary in a term later than after.
func (o *observer) awaitNewer(after uint64) testnode.Tenure {
	o.t.Helper()
	await(o.t, "there is a Primary in a new term", func() bool { return o.newest().Term > after })
	return o.newest()
}

// tooLate counts the writes that were accepted of an old Primary when another
// node was seen as the new one: it had not written yet, so the ledger could not
// know.
func (o *observer) tooLate(entries []entry) int {
	tenures := o.Tenures()
	n := 0
	for _, e := range entries {
		newer := func(x testnode.Tenure) bool { return x.Node != e.node && x.Term > e.term && x.From.Before(e.at) }
		if e.accepted && slices.ContainsFunc(tenures, newer) {
			n++
		}
	}
	return n
}

// samples is how many answers there were.
func (o *observer) samples() int {
	n := 0
	for _, answers := range o.Answers() {
		n += answers
	}
	return n
}
