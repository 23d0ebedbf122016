//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

// state is what a node says of itself.
type state struct {
	Role      string `json:"node_role"`
	DNS       string `json:"node_dns_connection_state"`
	Method    string `json:"heartbeat_method"`
	NodeID    string `json:"node_id"`
	PrimaryID string `json:"primary_id"`
	Term      uint64 `json:"term"`
}

// client asks nodes, from one host; one for each asker, so that none waits for
// another.
type client struct{ http *http.Client }

func newClient(t *testing.T, host *namespace) client {
	tr := &http.Transport{DialContext: host.dial, MaxIdleConnsPerHost: 2}
	t.Cleanup(tr.CloseIdleConnections)
	return client{&http.Client{Transport: tr}}
}

// ask returns the status and the body of an answer.
func (c client) ask(ctx context.Context, method, url string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func (c client) state(ctx context.Context, base string) (s state, err error) {
	status, body, err := c.ask(ctx, http.MethodGet, base+"/state")
	if err != nil {
		return state{}, err
	}
	if status != http.StatusOK {
		return state{}, fmt.Errorf("status %d: %s", status, body)
	}
	return s, json.Unmarshal(body, &s)
}

// post has a node do something, and waits for long: verbs take their time.
func (n *node) post(path string) (status int, problem string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	status, body, err := newClient(n.t, n.host).ask(ctx, http.MethodPost, n.control()+path)
	if err != nil {
		n.t.Fatalf("POST %s to %s: %v", path, n.id, err)
	}
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		n.t.Fatalf("POST %s to %s: %d %s: %v", path, n.id, status, body, err)
	}
	return status, answer.Error
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
	awaitFor(t, patience, what, ok)
}

func awaitFor(t *testing.T, most time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

// during checks a condition again and again for as long as it has to hold.
func during(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if !ok() {
			t.Fatalf("it must not be otherwise for %v: %s", d, what)
		}
		select {
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}

// working asks a node for its work; it returns the term if the node is
// Primary.
func (c client) working(ctx context.Context, n *node) (term uint64, ok bool) {
	if !n.listens.Load() {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	status, body, err := c.ask(ctx, http.MethodGet, n.control()+"/work")
	if err != nil || status != http.StatusOK {
		return 0, false
	}
	var work struct {
		Term uint64 `json:"term"`
	}
	err = json.Unmarshal(body, &work)
	return work.Term, err == nil
}
