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

// post has the node do something. It waits for long: verbs take their time.
func (l *lab) post(n *node, path string) (status int, problem string) {
	l.t.Helper()
	var body json.RawMessage
	status = l.request(n, http.MethodPost, path, &body)
	return status, testnode.Problem(body)
}

// do is post for what has to succeed. A member that is too busy to answer in
// time is as good as dead to a failover, which is refused then and has done
// nothing: it is asked for again.
func (l *lab) do(n *node, path string) {
	l.t.Helper()
	await(l.t, path+" of "+n.id+" is done", func() bool {
		status, problem := l.post(n, path)
		if status == http.StatusPreconditionFailed && strings.Contains(problem, context.DeadlineExceeded.Error()) {
			l.t.Logf("POST %s to %s: %d %s", path, n.id, status, problem)
			return false
		}
		if status != http.StatusOK {
			l.t.Fatalf("POST %s to %s: %d %s", path, n.id, status, problem)
		}
		return true
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
