//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/testserver"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// trouble is what a program of this package can have wrong: beside a handler
// that is right there is one that never returns and one that panics; event
// handlers and a hook do the same; and the health check hangs when it is told
// to.
type trouble struct{ unwell atomic.Bool }

// newTrouble adds the hooks.
func newTrouble(c *availability.Config) *trouble {
	x := &trouble{}
	c.Health = func(context.Context) error {
		for x.unwell.Load() {
			hang(time.Second / 20)
		}
		return nil
	}
	c.OnDemote = func(context.Context, availability.Demotion) { hang(forEver) }
	return x
}

const forEver = time.Hour

// hang pays no heed to any context.
func hang(d time.Duration) { <-time.NewTimer(d).C }

// handle adds the handlers.
func (x *trouble) handle(mux *http.ServeMux, g *availability.Group) {
	event.On(g, func(context.Context, event.RoleChange) { hang(forEver) })
	event.On(g, func(_ context.Context, e event.RoleChange) { panic("an event handler that fails at " + string(e.New)) })
	for path, f := range map[string]http.HandlerFunc{
		orders:    guarded(g),
		hanging:   func(http.ResponseWriter, *http.Request) { hang(forEver) },
		panicking: func(http.ResponseWriter, *http.Request) { panic("a handler that fails") },
	} {
		mux.Handle("POST "+path+"/{id}", httpapi.PrimaryOnly(g, f, httpapi.PrimaryOnlyConfig{HoldFor: 5 * time.Second}))
	}
	mux.HandleFunc("POST /health", func(_ http.ResponseWriter, r *http.Request) {
		x.unwell.Store(r.URL.Query().Has("hang"))
	})
}

const (
	hanging   = "/hanging"
	panicking = "/panicking"
)

// guarded answers at once, with the term.
func guarded(g *availability.Group) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		term, err := g.Guard(r.Context())
		if err != nil && httpapi.PassOn(r) {
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(written{r.PathValue("id"), g.GetNodeState().NodeID, term}) // the client may have gone
	}
}

// Handlers that hang and panic, event handlers and hooks that do so, and a
// health check that hangs, while the program is in use: what is right goes on as
// before, the role can be moved, and it moves by itself away from a node that is
// not healthy. Nothing is lost.
func loadTrouble(t *testing.T, sum *totals) {
	l := newLab(t, scenario{name: "load-trouble", times: loadTimes(), server: testserver.BIND}, sum)
	defer l.finish()
	a, b := l.programs(options{"trouble": true})
	plain := send(t, "plain", plainRate, patience, l.newObedient(), orders)
	plain.more(t, 2*plainRate)

	since := time.Now()
	hung := send(t, "hung", 10, forEver, l.newObedient(), hanging)
	broken := send(t, "broken", 20, patience, l.newObedient(), panicking)
	defer broken.stop()
	l.health(b, "?hang")
	plain.more(t, 3*plainRate)
	hung.halt() // and what hangs goes on to hang
	until := time.Now()
	l.compare(plain.kept(), since, until)

	l.health(b, "")
	begin := time.Now()
	l.enter(a, "/failover?to="+b.id)
	l.prove(l.name+"-failover", begin, time.Now(), l.times.stopBudget()+2*time.Second)
	l.settle(b, a)
	plain.more(t, plainRate)

	old := l.watch.Tenure(hostB).Term
	begin = time.Now()
	l.health(b, "?hang")
	next := l.watch.awaitNewer(old)
	// Three checks, each R/2 after the one before, and one that was right may have just begun.
	l.prove(l.name+"-unhealthy", begin, next.From, 4*l.times.r/2+l.times.stopBudget()+2*time.Second)
	l.settle(a, b)
	plain.more(t, plainRate)

	plain.stop()
	broken.stop()
	all := plain.kept()
	t.Attr("prove."+l.name, countRequests(all).String())
	t.Logf("%s: %v", l.name, countRequests(all))
	l.report(slices.Concat(l.lost(all), judgeTerms(all)))
	if n := len(served(broken.kept(), func(request) bool { return true })); n > 0 || len(broken.kept()) == 0 {
		t.Errorf("%d of %d requests were served by a handler that panics", n, len(broken.kept()))
	}
	if n := len(hung.kept()); n > 0 {
		t.Errorf("%d requests were answered by a handler that hangs", n)
	}
}

// health has the health check of a node hang, or not, and waits until the node
// says so.
func (l *lab) health(n *node, how string) {
	l.t.Helper()
	changes := func() int {
		all := n.lines(0)
		return len(slices.DeleteFunc(all, func(x testnode.Line) bool { return x.ID != string(event.HealthChanged) }))
	}
	before := changes()
	if status, problem := n.post("/health" + how); status != http.StatusOK {
		l.t.Fatalf("POST /health%s to %s: %d %s", how, n.id, status, problem)
	}
	await(l.t, "the health of "+n.id+" has changed", func() bool { return changes() > before })
}

// compare wants requests of the time of trouble to take not much longer than
// those before. What is below a second is the machine's.
func (l *lab) compare(all []request, since, until time.Time) {
	l.t.Helper()
	const much, least = 20, time.Second
	calm := countRequests(slices.DeleteFunc(slices.Clone(all), func(r request) bool { return r.answered.After(since) }))
	wild := countRequests(slices.DeleteFunc(all, func(r request) bool { return r.sent.Before(since) || r.sent.After(until) }))
	text := fmt.Sprintf("p99 %d ms, calm %d ms (%d requests)", wild.p99.Milliseconds(), calm.p99.Milliseconds(), wild.requests)
	l.t.Attr("prove."+l.name+"-p99", text)
	l.t.Logf("%s: %s", l.name, text)
	if late := machine.Between(since, until); wild.p99 > max(much*calm.p99, least)+late {
		l.t.Errorf("in trouble: %s (machine late by %v)", text, late)
	}
}

// judgeTerms wants all answers of a term from one node.
func judgeTerms(all []request) []string {
	var wrong []string
	server := map[uint64]string{}
	for _, r := range served(slices.Clone(all), func(request) bool { return true }) {
		if was := server[r.written.Term]; was != "" && was != r.written.Node {
			wrong = append(wrong, fmt.Sprintf("TWO NODES served in term %d: %s and %s", r.written.Term, was, r.written.Node))
		}
		server[r.written.Term] = r.written.Node
	}
	return wrong
}
