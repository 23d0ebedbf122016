package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// logs is where a node of a test logs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until something was logged.
func (l *logs) await(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(l.String(), text); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("the log lacks %q:\n%s", text, l)
		}
	}
}

// newTestNode is a node on a store in memory.
func newTestNode(t *testing.T, o options) (*node, *logs) {
	t.Helper()
	o.NodeID, o.Listen = "a", "127.0.0.1:0"
	o.Settings = availability.Settings{
		GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("127.0.0.1"), ExternalScheme: "http",
		Timing: availability.FastTiming(), TSIGName: "ag-key", TSIGSecret: availability.NewSecret(secret),
	}
	out := &logs{}
	log := slog.New(slog.NewTextHandler(out, nil))
	c := o.group(log)
	c.OpenStore, c.Store = nil, dnsstore.NewMemory()
	n, err := assemble(o, c, log)
	if err != nil {
		t.Fatal(err)
	}
	return n, out
}

// ask sends a request from this machine.
func ask(n *node, method, path string) (status int, body string) {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, http.NoBody)
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	n.server.Handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestNode_Life(t *testing.T) {
	t.Parallel()
	n, out := newTestNode(t, options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{http.MethodPost, "/failover", 409, "in no group"},
		{http.MethodGet, "/work", 503, "not Primary"},
		{http.MethodPost, "/create", 200, `"node_role": "primary"`},
		{http.MethodGet, "/state", 200, `"node_role": "primary"`},
		{http.MethodGet, "/work", 200, `"count": 1`},
		{http.MethodGet, "/work", 200, `"count": 2`},
		{http.MethodGet, "/group", 200, `"tsig_secret": ""`},
		{http.MethodGet, "/stats", 200, "{"},
		{http.MethodPost, "/create", 409, "in a group"},
		{http.MethodPost, "/remove?id=b", 404, "no member b"},
		{http.MethodPost, "/failover?to=b", 404, "no member b"},
		{http.MethodPost, "/failover", 412, "no other member"},
		{http.MethodPost, "/failover?force=", 400, "reason must not be empty"},
		{http.MethodPost, "/pause?reason=test", 200, `"paused": true`},
		{http.MethodPost, "/resume", 200, `"paused": false`},
		{http.MethodGet, "/create", 405, ""},
		{http.MethodGet, "/", 404, ""},
		{http.MethodPost, "/dissolve", 200, `"node_role": "not_in_group"`},
	} {
		status, body := ask(n, tt.method, tt.path)
		if status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s = %d %s, want %d and %q in it", tt.method, tt.path, status, body, tt.status, tt.want)
		}
		if tt.path == "/create" && status == 200 {
			out.await(t, "work begins")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if status, body := ask(n, http.MethodPost, "/join"); status != 503 {
		t.Errorf("join after the end = %d %s, want 503", status, body)
	}
	for _, want := range []string{"listening", "NODE_ROLE_CHANGED", "work begins", "work ends", "verb=create", "stopped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(out.String(), secret) {
		t.Error("the log has the secret")
	}
}

// The peers' path answers to peers alone, and needs no rights of control.
func TestNode_PeersNeedASignature(t *testing.T) {
	t.Parallel()
	n, _ := newTestNode(t, options{})
	r := httptest.NewRequest(http.MethodPost, httptransport.Path, strings.NewReader("{}"))
	w := httptest.NewRecorder()
	n.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable { // nobody serves yet
		t.Errorf("status = %d, want 503", w.Code)
	}
}

// When the server cannot go on, neither does the node.
func TestNode_EndsWithItsServer(t *testing.T) {
	t.Parallel()
	n, _ := newTestNode(t, options{})
	ended := make(chan error, 1)
	go func() { ended <- n.run(t.Context()) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if err := n.server.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
			return
		case <-tick.C:
		}
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for _, s := range statuses() {
		if got := statusOf(fmt.Errorf("verb: %w: why", s.err)); got != s.status {
			t.Errorf("%v: status = %d, want %d", s.err, got, s.status)
		}
	}
	wrong := &availability.ConfigError{Fields: []availability.FieldError{{Field: "group_fqdn", Problem: "is needed"}}}
	if got := statusOf(fmt.Errorf("create: %w", wrong)); got != http.StatusBadRequest {
		t.Errorf("ConfigError: status = %d, want 400", got)
	}
	if got := statusOf(errors.New("force: the reason must not be empty")); got != http.StatusBadRequest {
		t.Errorf("other error: status = %d, want 400", got)
	}
	w := httptest.NewRecorder()
	answerError(w, http.StatusBadRequest, wrong)
	var body struct {
		Error  string                    `json:"error"`
		Fields []availability.FieldError `json:"fields"`
	}
	if err := json.NewDecoder(w.Body).Decode(&body); err != nil || len(body.Fields) != 1 || body.Error == "" {
		t.Errorf("answer = %+v %v, want the mistake by its key", body, err)
	}
}

func TestSecure(t *testing.T) {
	t.Parallel()
	empty := write(t, "no certificate")
	for name, tt := range map[string]struct {
		scheme string
		o      options
		want   string
	}{
		"http":               {"http", options{}, ""},
		"http, certificate":  {"http", options{TLSCert: "c"}, "need external_scheme https"},
		"https, none":        {"https", options{}, "needs a certificate"},
		"https, no file":     {"https", options{TLSCert: "none", TLSKey: "none"}, "tls_cert, tls_key"},
		"https, empty files": {"https", options{TLSCert: empty, TLSKey: empty}, "tls_cert, tls_key"},
	} {
		_, _, err := tt.o.secure(tt.scheme)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want %q in it", name, err, tt.want)
		}
	}
	if _, err := (&options{TLSCA: empty}).authorities(); err == nil {
		t.Error("authorities from a file without a certificate: no error")
	}
	w := httptest.NewRecorder()
	onlyMutual(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", io.NopCloser(http.NoBody)))
	if w.Code != http.StatusForbidden {
		t.Errorf("a peer without TLS: status = %d, want 403", w.Code)
	}
}
