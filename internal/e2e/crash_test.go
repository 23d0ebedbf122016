//go:build linux

package e2e_test

import (
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// The Primary's process dies. The other node takes over when it has heard
// nothing for W: never earlier, and soon after.
func TestCrash(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	old := l.watch.Tenure("a")
	trip := l.roundTrip()

	killed := a.crash()
	next := l.watch.awaitTenure("b", old.Term)
	l.wantInTime(b, next, killed, trip)
	l.awaitAddress(b)
	l.wantWorkAtName(b)

	a.start()
	await(t, "a has come back as Secondary", func() bool { return l.watch.Last("a").Role == "secondary" })
	l.settle(b, a)
	if got := l.watch.Tenure("b").Term; got != next.Term {
		t.Errorf("the return of a has cost a change of terms: %d after %d", got, next.Term)
	}
	l.wantWorker(b, a)
}

// wantInTime checks when n took over: not before it had heard nothing for W,
// and not much later than three round trips to the store after that.
func (l *lab) wantInTime(n *node, got testnode.Tenure, lost time.Time, trip time.Duration) {
	l.t.Helper()
	heard := n.relay.lastHanded()
	silence := got.From.Sub(heard)
	l.t.Logf("takeover: Primary %v after the last heartbeat was handed over (W = %v), %v after the loss; a round trip is %v",
		silence, w, got.From.Sub(lost), trip)
	if silence < w {
		l.t.Errorf("%s took over %v after it had heard the Primary, want %v at least", n.id, silence, w)
	}
	if most := w + 3*trip + allowed(lost); silence > most {
		l.t.Errorf("%s took over %v after it had heard the Primary, want %v at most", n.id, silence, most)
	}
}

// The Primary's process is stopped for longer than its authority lasts, and
// goes on. Whatever it is asked first, it does not take itself for Primary.
func TestFrozenPrimary(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	old := l.watch.Tenure("a")
	trip := l.roundTrip()

	a.freeze()
	frozen := time.Now()
	next := l.watch.awaitTenure("b", old.Term)
	l.wantInTime(b, next, frozen, trip)

	// Sent while nothing of the process runs: these are its first answers.
	state, work := askFrozen(t, a, "/state"), askFrozen(t, a, "/work")
	a.thaw()
	if got := <-state; got.err != nil || !strings.Contains(got.body, `"node_role": "secondary"`) {
		t.Errorf("first answer after the stop: %+v, want secondary", got)
	}
	if got := <-work; got.err != nil || got.status != http.StatusServiceUnavailable {
		t.Errorf("first work after the stop: %+v, want %d", got, http.StatusServiceUnavailable)
	}
	l.settle(b, a)
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("a was Primary again, in term %d", got)
	}
	l.wantWorker(b, a)
}

type reply struct {
	status int
	body   string
	err    error
}

// askFrozen returns when the request waits in the kernel for the process.
func askFrozen(t *testing.T, n *node, path string) <-chan reply {
	t.Helper()
	answer, sent := make(chan reply, 1), make(chan struct{}) // one answer
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
	})
	c := newClient(t, nil)
	go func() {
		status, body, err := c.Ask(ctx, http.MethodGet, *n.base.Load(), path)
		answer <- reply{status, string(body), err}
	}()
	select {
	case <-sent:
	case <-time.After(patience):
		t.Fatalf("the request for %s was never sent", path)
	}
	return answer
}
