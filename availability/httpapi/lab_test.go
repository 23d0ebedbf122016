package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
	"github.com/availabilitygroup/ag/transport"
)

const secret = "dGhpcyBpcyBhIHNlY3JldA=="

// lab is a group in a bubble; each node has its API.
type lab struct {
	t     *testing.T
	store *dnsstore.Memory
	net   *transport.Memory
	nodes []*node
}

type node struct {
	*availability.Group
	api    http.Handler
	faulty *dnsstoretest.Faulty
	log    *testnode.Log
	cancel context.CancelFunc
	done   chan error
}

// inLab runs a test with a lab in a bubble.
func inLab(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, store: dnsstore.NewMemory(), net: transport.NewMemory()}
		defer l.stop()
		test(t, l)
	})
}

// everybody may do everything.
func everybody(*http.Request, httpapi.Scope) (string, error) { return "alice", nil }

// start runs one more node, a to z, that anybody may control.
func (l *lab) start(edit ...func(*availability.Config, *httpapi.Config)) *node {
	l.t.Helper()
	n := &node{faulty: dnsstoretest.NewFaulty(l.store), log: &testnode.Log{}, done: make(chan error, 1)}
	id := string(rune('a' + len(l.nodes)))
	c := availability.Config{
		NodeID: id, Transport: l.net.Node(id), Store: n.faulty,
		Settings: availability.Settings{
			GroupFQDN:           "svc.lab.test",
			ExternalIPv4Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(len(l.nodes) + 1)}),
			TSIGName:            "ag", TSIGSecret: availability.NewSecret(secret),
		},
	}
	h := httpapi.Config{Authorize: everybody, Logger: slog.New(slog.NewTextHandler(n.log, nil))}
	for _, e := range edit {
		e(&c, &h)
	}
	g, err := availability.New(c)
	if err != nil {
		l.t.Fatal(err)
	}
	n.Group, n.api = g, checked(l.t, httpapi.New(g, h))
	ctx, cancel := context.WithCancel(l.t.Context())
	n.cancel = cancel
	go func() { n.done <- g.Run(ctx) }()
	synctest.Wait() // it knows its own name
	l.nodes = append(l.nodes, n)
	return n
}

// pair is a group of two, the first of them Primary.
func (l *lab) pair(edit ...func(*availability.Config, *httpapi.Config)) (primary, secondary *node) {
	l.t.Helper()
	a, b := l.start(edit...), l.start(edit...)
	if err := a.Create(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if err := b.Join(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	return a, b
}

// stop ends all nodes and waits for them, so that the bubble can end.
func (l *lab) stop() {
	for _, n := range l.nodes {
		n.cancel()
	}
	for i, n := range l.nodes {
		if err := <-n.done; err != nil {
			l.t.Errorf("Run of node %d: %v", i, err)
		}
		n.faulty.Close()
	}
}

// wait lets the bubble's time pass until ok.
func (l *lab) wait(what string, ok func() bool) {
	l.t.Helper()
	for start := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Minute {
			l.t.Fatalf("waited in vain until %s", what)
		}
	}
	synctest.Wait() // until everybody who hears of it has
}

// ask sends a request; a body goes as JSON.
func (n *node) ask(t testing.TB, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, n.api, method, path, body, header...)
}

func ask(t testing.TB, h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/ag/api/v1/"+path, content)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// failure is the body of an error.
type failure struct {
	Code    string `json:"code"`
	Details struct {
		LogContext string                    `json:"log_context"`
		Reason     string                    `json:"reason"`
		Fields     []availability.FieldError `json:"fields"`
	} `json:"details"`
	Message string `json:"message"`
	Status  int    `json:"status"`
}

// failed checks the form of an error and returns it.
func failed(t testing.TB, w *httptest.ResponseRecorder, status int, reason string) failure {
	t.Helper()
	var f failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || f.Status != status || f.Details.Reason != reason || f.Code == "" || f.Message == "" {
		t.Fatalf("status %d, body %s, want status %d and reason %s", w.Code, w.Body, status, reason)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q of an error", got)
	}
	return f
}
