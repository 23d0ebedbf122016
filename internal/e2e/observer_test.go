//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// observer watches the nodes of one test.
type observer struct {
	*testnode.Observer
	t *testing.T
}

func newObserver(t *testing.T) *observer {
	o := &observer{testnode.NewObserver(), t}
	t.Cleanup(func() {
		o.Stop()
		for _, wrong := range o.Judge() {
			t.Error(wrong)
		}
		for id, answers := range o.Answers() {
			t.Logf("observer: %d answers of %s", answers, id)
		}
	})
	return o
}

var errNotThere = errors.New("the node is not there to be asked")

// watch begins to ask a node, for as long as the test runs.
func (o *observer) watch(n *node, roots *tls.Config) {
	c := newClient(o.t, roots)
	o.Watch(context.WithoutCancel(o.t.Context()), n.id, func(ctx context.Context) (testnode.State, error) {
		base := n.base.Load()
		if base == nil {
			return testnode.State{}, errNotThere
		}
		return c.State(ctx, *base)
	})
}

// awaitTenure waits for an answer of the node as Primary in a term later than
// after.
func (o *observer) awaitTenure(id string, after uint64) testnode.Tenure {
	o.t.Helper()
	await(o.t, "node "+id+" is Primary in a new term", func() bool { return o.Tenure(id).Term > after })
	return o.Tenure(id)
}

// gap is how long there was no Primary between two tenures: at most, and at
// least.
func gap(a, b testnode.Tenure) (most, least time.Duration) {
	return b.From.Sub(a.To), max(0, b.Asked.Sub(a.Answered))
}
