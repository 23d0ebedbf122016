//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

func newClient(t *testing.T, roots *tls.Config) testnode.Client {
	return testnode.NewClient(t, &http.Transport{TLSClientConfig: roots, MaxIdleConnsPerHost: 2})
}

// get asks the node and returns the status; an answer that is JSON goes into v.
func (l *lab) get(n *node, path string, v any) int {
	l.t.Helper()
	return l.request(n, http.MethodGet, path, v)
}

// post has the node do something. It waits for long: verbs take their time. A
// refusal because something was too busy to answer in time has done nothing,
// and it is asked for again, a few times.
func (l *lab) post(n *node, path string) (status int, problem string) {
	l.t.Helper()
	const attempts = 8
	for range attempts {
		var body json.RawMessage
		status = l.request(n, http.MethodPost, path, &body)
		if problem = testnode.Problem(body); !tooBusy(status, problem) {
			break
		}
		l.t.Logf("POST %s to %s: %d %s", path, n.id, status, problem)
	}
	return status, problem
}

// tooBusy tells whether a refusal is that of a busy machine: the server or a
// member did not answer in time.
func tooBusy(status int, problem string) bool {
	const dialed = "i/o timeout"
	return (status == http.StatusPreconditionFailed || status == http.StatusServiceUnavailable) &&
		(strings.Contains(problem, context.DeadlineExceeded.Error()) || strings.Contains(problem, dialed))
}

// do is post for what has to succeed, and what may be asked for twice. On a busy
// machine the server's answer may come too late, so that nobody knows whether
// it was done: it is asked for again, and refused if it was.
func (l *lab) do(n *node, path string) {
	l.t.Helper()
	doubt := false
	await(l.t, path+" of "+n.id+" is done", func() bool {
		status, problem := l.post(n, path)
		switch {
		case status == http.StatusOK, doubt && (status == http.StatusConflict || status == http.StatusNotFound):
			return true
		case status != http.StatusServiceUnavailable:
			l.t.Fatalf("POST %s to %s: %d %s", path, n.id, status, problem)
		}
		l.t.Logf("POST %s to %s: %d %s", path, n.id, status, problem)
		doubt = true
		return false
	})
}

func (l *lab) request(n *node, method, path string, v any) int {
	l.t.Helper()
	base := n.base.Load()
	if base == nil {
		l.t.Fatalf("node %s is not there to be asked", n.id)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	status, body, err := l.client.Ask(ctx, method, *base, path)
	if err != nil {
		l.t.Fatalf("%s %s of %s: %v", method, path, n.id, err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		l.t.Fatalf("%s %s of %s: %d %s: %v", method, path, n.id, status, body, err)
	}
	return status
}

func (l *lab) state(n *node) testnode.State {
	l.t.Helper()
	var s testnode.State
	if status := l.get(n, "/state", &s); status != http.StatusOK {
		l.t.Fatalf("state of %s: status %d", n.id, status)
	}
	return s
}

// patience is how long anything may take that is not measured.
const patience = 40 * time.Second

// await waits for a condition.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	testnode.Await(t, patience, what, ok)
}

// during checks a condition again and again for as long as it has to hold.
func during(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	testnode.During(t, d, what, ok)
}
