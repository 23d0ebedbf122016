//go:build linux

package hosts_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// The Primary's process is stopped past its authority and goes on: the other
// node has taken over, and the woken one says so at the first question.
func stopPrimary(l *lab) {
	a, b := l.pair()
	l.stopAndGoOn(a, b)
}

// The same with a program of which some part is stopped between its check and
// its write: the ledger refuses what it writes when it wakes.
func stopWriter(l *lab) {
	a, b := l.programs()
	begin := time.Now()
	l.stopAndGoOn(a, b)
	_, refused := count(l.ledger.kept())
	l.t.Logf("the ledger has refused %d writes", refused)
	// On a machine that is late, all of them may wait for the ledger instead.
	if late := machine.Between(begin, time.Now()); refused == 0 && late == 0 {
		l.t.Errorf("of %d writers none was between its check and its write", pens)
	}
}

// The same with a program that is stopped in the middle of asking for its role:
// it is told the truth when it wakes.
func stopAsker(l *lab) {
	a, b := l.programs()
	if status, problem := a.post("/spin"); status != http.StatusOK {
		l.t.Fatalf("POST /spin: %d %s", status, problem)
	}
	l.stopAndGoOn(a, b)
	var heard string
	await(l.t, "the woken program has told what it heard", func() bool {
		for _, x := range a.lines(0) {
			if x.Msg == "woken" {
				heard = x.Text
			}
		}
		return heard != ""
	})
	if heard != "secondary" {
		l.t.Errorf("the woken program heard %q first, want secondary", heard)
	}
}

func (l *lab) stopAndGoOn(a, b *node) {
	l.t.Helper()
	old := l.watch.Tenure(hostA)
	frozen := a.freeze()
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, frozen, next.From, l.times.takeover())
	await(l.t, "the new Primary has written to the ledger", func() bool { return l.ledger.wrote(b.id, next.Term) })

	// Sent while nothing of the process runs: these are its first answers.
	state, work := l.askFrozen(a, "/state"), l.askFrozen(a, "/work")
	woken := time.Now()
	a.thaw()
	if got := <-state; got.err != nil || !strings.Contains(got.body, `"node_role": "secondary"`) {
		l.t.Errorf("first answer after the stop: %+v, want secondary", got)
	}
	if got := <-work; got.err != nil || got.status != http.StatusServiceUnavailable {
		l.t.Errorf("first work after the stop: %+v, want %d", got, http.StatusServiceUnavailable)
	}
	l.settle(b, a)
	for _, e := range l.ledger.kept() {
		if e.node == a.id && e.accepted && e.at.After(woken) {
			l.t.Errorf("the ledger has accepted a write of the woken node in term %d", e.term)
		}
	}
	l.wantTerm(hostA, old.Term)
	l.wantTerm(hostB, next.Term)
}

// The Primary's process is stopped for longer than its authority lasts, and
// goes on before anybody else may take over: it is no Primary until it has
// taken the role again, in a new term.
func stopBriefly(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	frozen := a.freeze()
	rest := time.NewTimer(l.times.lease())
	<-rest.C
	state, work := l.askFrozen(a, "/state"), l.askFrozen(a, "/work")
	a.thaw()
	// It may have the role again when it answers, but not the old term.
	if got := <-state; got.err != nil || strings.Contains(got.body, `"node_role": "primary"`) && strings.Contains(got.body, termOf(old)) {
		l.t.Errorf("first answer after the stop: %+v, want no Primary in term %d", got, old.Term)
	}
	if got := <-work; got.err != nil || got.status == http.StatusOK && strings.Contains(got.body, termOf(old)) {
		l.t.Errorf("first work after the stop: %+v, want none in term %d", got, old.Term)
	}
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, frozen, next.From, l.times.takeover())
	l.settleAny(a, b)
	l.wantTerm(next.Node, next.Term)
}

// termOf is a term as a node writes it.
func termOf(x testnode.Tenure) string { return fmt.Sprintf(`"term": %d`, x.Term) }

// The server's process is stopped and goes on: what was sent to it meanwhile it
// does then, long after the senders have given up. Nothing changes.
func stopServer(l *lab) {
	a, b := l.pair()
	l.dns.Pause()
	l.awaitDNS("disconnected", hostA, hostB)
	l.proveSteady()
	l.dns.Resume()
	resumed := time.Now()
	l.prove(l.name, resumed, l.settle(a, b), l.times.again())
	l.steady(l.times.w)
}

// The same, and the Primary is killed meanwhile: what it had sent is done when
// it is dead. If the other node has never heard of it, that is a sign of life.
func stopServerKillPrimary(l *lab) {
	a, b := l.pair()
	old := l.watch.Tenure(hostA)
	l.dns.Pause()
	l.awaitDNS("disconnected", hostA, hostB)
	crash(a)
	during(l.t, l.times.takeover(), "nobody is Primary", func() bool { return l.watch.role(hostB) == "secondary" })
	l.dns.Resume()
	resumed := time.Now()
	next := l.watch.awaitNewer(old.Term)
	l.prove(l.name, resumed, next.From, l.times.alarmEvery()+l.times.takeover())
	a.start()
	l.settle(b, a)
	l.wantTerm(hostB, next.Term)
}

type reply struct {
	status int
	body   string
	err    error
}

// askFrozen returns when the request waits in the kernel for the process.
func (l *lab) askFrozen(n *node, path string) <-chan reply {
	l.t.Helper()
	answer, sent := make(chan reply, 1), make(chan struct{}) // one answer
	ctx := httptrace.WithClientTrace(l.t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
	})
	c := newClient(l.t, n.host)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		status, body, err := c.Ask(ctx, http.MethodGet, n.control(), path)
		answer <- reply{status, string(body), err}
	}()
	select {
	case <-sent:
	case <-time.After(patience):
		l.t.Fatalf("the request for %s was never sent", path)
	}
	return answer
}
