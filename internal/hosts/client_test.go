//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// newClient asks from one host.
func newClient(t *testing.T, host *namespace) testnode.Client {
	return testnode.NewClient(t, &http.Transport{DialContext: host.dial, MaxIdleConnsPerHost: 2})
}

// post has a node do something, and waits for long: verbs take their time.
func (n *node) post(path string) (status int, problem string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	status, body, err := newClient(n.t, n.host).Ask(ctx, http.MethodPost, n.control(), path)
	if err != nil {
		n.t.Fatalf("POST %s to %s: %v", path, n.id, err)
	}
	return status, testnode.Problem(body)
}

// patience is how long anything may take that is not measured.
var patience = func() time.Duration {
	if os.Getenv("AG_NIGHTLY") == "1" { // there are groups of long times
		return 150 * time.Second
	}
	return 40 * time.Second
}()

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

// working asks a node for its work; it returns the term if the node is
// Primary.
func working(ctx context.Context, c testnode.Client, n *node) (term uint64, ok bool) {
	if !n.listens.Load() {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	status, body, err := c.Ask(ctx, http.MethodGet, n.control(), "/work")
	if err != nil || status != http.StatusOK {
		return 0, false
	}
	var work struct {
		Term uint64 `json:"term"`
	}
	err = json.Unmarshal(body, &work)
	return work.Term, err == nil
}
