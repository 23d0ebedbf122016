//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

// client asks nodes; one for each asker, so that none waits for another.
type client struct{ http *http.Client }

func newClient(t *testing.T, roots *tls.Config) client {
	tr := &http.Transport{TLSClientConfig: roots, MaxIdleConnsPerHost: 2}
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

// get asks the node and returns the status; an answer that is JSON goes into v.
func (l *lab) get(n *node, path string, v any) int {
	l.t.Helper()
	return l.request(n, http.MethodGet, path, v)
}

// post has the node do something. It waits for long: verbs take their time.
func (l *lab) post(n *node, path string) (status int, problem string) {
	l.t.Helper()
	var body struct {
		Error string `json:"error"`
	}
	status = l.request(n, http.MethodPost, path, &body)
	return status, body.Error
}

// do is post for what has to succeed.
func (l *lab) do(n *node, path string) {
	l.t.Helper()
	if status, problem := l.post(n, path); status != http.StatusOK {
		l.t.Fatalf("POST %s to %s: %d %s", path, n.id, status, problem)
	}
}

func (l *lab) request(n *node, method, path string, v any) int {
	l.t.Helper()
	base := n.base.Load()
	if base == nil {
		l.t.Fatalf("node %s is not there to be asked", n.id)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	status, body, err := l.client.ask(ctx, method, *base+path)
	if err != nil {
		l.t.Fatalf("%s %s of %s: %v", method, path, n.id, err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		l.t.Fatalf("%s %s of %s: %d %s: %v", method, path, n.id, status, body, err)
	}
	return status
}

func (l *lab) state(n *node) state {
	l.t.Helper()
	var s state
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
	deadline := time.Now().Add(patience)
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
