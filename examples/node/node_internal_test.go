package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// awaitLog waits until something was logged.
func awaitLog(t *testing.T, l *testnode.Log, text string) {
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
func newTestNode(t *testing.T, o options) (*node, *testnode.Log) {
	t.Helper()
	o.NodeID, o.Listen = "a", "127.0.0.1:0"
	o.Settings = availability.Settings{
		GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("127.0.0.1"), ExternalScheme: "http",
		Timing: availability.FastTiming(), TSIGName: "ag-key", TSIGSecret: availability.NewSecret(secret),
	}
	out := &testnode.Log{}
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
func ask(n *node, method, path, body string) (status int, answer string) {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	n.server.Handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestNode_Life(t *testing.T) {
	t.Parallel()
	n, out := newTestNode(t, options{Elsewhere: "refuse"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	const api = "/ag/api/v1/"
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"PUT", api + "failover", "", 409, "in no group"},
		{"GET", "/work", "", 503, "not_in_group"},
		{"POST", api + "group", `{"group_fqdn":"svc.lab.test"}`, 200, "created"},
		{"GET", api + "state", "", 200, `"node_role": "primary"`},
		{"GET", "/work", "", 200, `"count":1`},
		{"GET", "/work", "", 200, `"count":2`},
		{"GET", api + "group", "", 200, `"tsig_secret": ""`},
		{"GET", api + "preflight", "", 200, `"ok": false`},
		{"GET", api + "primary", "", 200, ""},
		{"PUT", api + "failover", `{"to":"b"}`, 404, "no member b"},
		{"PUT", api + "group/pause", `{"reason":"test"}`, 200, "paused"},
		{"GET", api + "state", "", 200, `"paused": true`},
		{"DELETE", api + "group/pause", "", 200, "resumed"},
		{"GET", "/ag/", "", 200, "<html"},
		{"GET", "/", "", 404, ""},
		{"DELETE", api + "group", "", 200, "dissolved"},
	} {
		status, body := ask(n, tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s = %d %s, want %d and %q in it", tt.method, tt.path, status, body, tt.status, tt.want)
		}
		if tt.method == "POST" && status == 200 {
			awaitLog(t, out, "work begins")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if status, body := ask(n, "PUT", api+"group/members", ""); status != 503 {
		t.Errorf("join after the end = %d %s, want 503", status, body)
	}
	for _, want := range []string{"listening", "NODE_ROLE_CHANGED", "work begins", "work ends", "Availability group created.", "stopped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(out.String(), secret) {
		t.Error("the log has the secret")
	}
}

// What becomes of work at another node is a matter of configuration.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for given, ok := range map[string]bool{"": true, "redirect": true, "forward": true, "refuse": true, "drop": false} {
		c, err := (&options{Elsewhere: given}).primaryOnly(slog.New(slog.DiscardHandler))
		if (err == nil) != ok || string(c.Elsewhere) != given {
			t.Errorf("elsewhere %q: %q, %v", given, c.Elsewhere, err)
		}
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
