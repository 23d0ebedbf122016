package testnode

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// State is what a node says of itself.
type State struct {
	Role      string `json:"node_role"`
	DNS       string `json:"node_dns_connection_state"`
	Method    string `json:"heartbeat_method"`
	NodeID    string `json:"node_id"`
	PrimaryID string `json:"primary_id"`
	Term      uint64 `json:"term"`
}

// Client asks nodes; one for each asker, so that none waits for another.
type Client struct{ http *http.Client }

// NewClient returns a client that asks over tr, for as long as the test runs.
func NewClient(tb testing.TB, tr *http.Transport) Client {
	tb.Helper()
	tb.Cleanup(tr.CloseIdleConnections)
	return Client{&http.Client{Transport: tr}}
}

// Ask returns the status and the body of an answer. The path may be a short
// form of what the HTTP API has: GET /state, /group, /stats, /preflight; POST
// /create, /join, /leave, /remove?id=ID, /dissolve, /failover?to=ID or
// ?force=REASON, /pause?reason=TEXT, /resume. The errors are those of package
// net/http.
func (c Client) Ask(ctx context.Context, method, base, path string) (status int, body []byte, err error) {
	request, err := newRequest(ctx, method, base, path)
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

// Problem is what an answer of the HTTP API says that is wrong.
func Problem(body []byte) string {
	var said struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return string(body)
	}
	return said.Message
}

// State asks the node at a URL for its state. Any status but 200 is an error.
func (c Client) State(ctx context.Context, base string) (s State, err error) {
	status, body, err := c.Ask(ctx, http.MethodGet, base, "/state")
	if err != nil {
		return State{}, err
	}
	if status != http.StatusOK {
		return State{}, fmt.Errorf("status %d: %s", status, body)
	}
	return s, json.Unmarshal(body, &s)
}
