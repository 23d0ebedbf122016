package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// web is a network in memory, of the servers of nodes by address and port.
type web struct {
	mu    sync.Mutex
	sites map[string]*site
	at    map[string]*listener
}

// site is the HTTP server of a node.
type site struct {
	*node
	http.Handler
	address string
	server  *http.Server
	client  *http.Transport // what it forwards with
}

func newWeb() *web { return &web{sites: map[string]*site{}, at: map[string]*listener{}} }

// open starts the server of a node.
func (w *web) open(n *node, app http.Handler, edit ...func(*httpapi.PrimaryOnlyConfig)) *site {
	s := &site{node: n, client: w.transport()}
	for _, m := range n.Info().Members {
		if m.ID == n.GetNodeState().NodeID {
			s.address = strings.TrimPrefix(m.URL, "http://")
		}
	}
	c := httpapi.PrimaryOnlyConfig{Transport: s.client}
	for _, e := range edit {
		e(&c)
	}
	s.Handler = httpapi.PrimaryOnly(n.Group, app, c)
	w.listen(s)
	return s
}

// listen starts a server at the site's address, for the first time or again.
func (w *web) listen(s *site) {
	closed := make(chan struct{})
	at := &listener{
		address: address(s.address), conns: make(chan net.Conn), closed: closed,
		done: sync.OnceFunc(func() { close(closed) }),
	}
	s.server = &http.Server{Handler: s.Handler}
	w.mu.Lock()
	w.sites[s.address], w.at[s.address] = s, at
	w.mu.Unlock()
	go func(server *http.Server) { _ = server.Serve(at) }(s.server)
}

// listener is a site while it listens.
type listener struct {
	address address
	conns   chan net.Conn
	closed  chan struct{}
	done    func()
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.done(); return nil }
func (l *listener) Addr() net.Addr { return l.address }

// address is one of the web.
type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

// conn tells net/http where it comes from.
type conn struct {
	net.Conn
	remote address
}

func (c conn) RemoteAddr() net.Addr { return c.remote }

// dial reaches a site.
func (w *web) dial(ctx context.Context, _, to string) (net.Conn, error) {
	w.mu.Lock()
	at := w.at[to]
	w.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "memory", Err: errors.New("refused")}
	if at == nil {
		return nil, refused
	}
	near, far := net.Pipe()
	select {
	case at.conns <- conn{far, "198.51.100.7:4711"}:
		return near, nil
	case <-at.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (w *web) transport() *http.Transport {
	return &http.Transport{DialContext: w.dial, MaxIdleConnsPerHost: 100, ExpectContinueTimeout: time.Minute}
}

// crash ends the server of a site, and cuts its node off from everything.
func (s *site) crash(l *lab) {
	s.down()
	l.isolate(s.node)
}

// isolate cuts a node off from the store and from all other nodes.
func (l *lab) isolate(n *node) {
	n.faulty.Cut()
	for _, other := range l.nodes {
		if other != n {
			l.net.Cut(n.GetNodeState().NodeID, other.GetNodeState().NodeID)
			l.net.Cut(other.GetNodeState().NodeID, n.GetNodeState().NodeID)
		}
	}
}

// withoutPrimary isolates all nodes until none is Primary.
func (l *lab) withoutPrimary() {
	l.t.Helper()
	for _, n := range l.nodes {
		l.isolate(n)
	}
	l.wait("no node is Primary", func() bool {
		return !slices.ContainsFunc(l.nodes, func(n *node) bool { return n.IsPrimary() })
	})
}

func (n *node) logger() *slog.Logger { return slog.New(slog.NewTextHandler(n.log, nil)) }

func (s *site) down() {
	_ = s.server.Close()
	s.client.CloseIdleConnections()
}

// end ends everything, so that the bubble can.
func (w *web) end() {
	for _, s := range w.sites {
		s.down()
	}
	for _, s := range w.sites {
		s.client.CloseIdleConnections()
	}
	synctest.Wait()
}

// plain has the members' URLs without TLS.
func plain(c *availability.Config, _ *httpapi.Config) { c.Settings.ExternalScheme = "http" }

// inWeb runs a test with a pair, the first of them Primary, and their web.
func inWeb(t *testing.T, test func(t *testing.T, l *lab, w *web, a, b *node)) {
	t.Helper()
	inLab(t, func(t *testing.T, l *lab) {
		w := newWeb()
		a, b := l.pair(plain)
		defer w.end()
		test(t, l, w, a, b)
	})
}

func forwarding(c *httpapi.PrimaryOnlyConfig) { c.Elsewhere = httpapi.ElsewhereForward }
func refusing(c *httpapi.PrimaryOnlyConfig)   { c.Elsewhere = httpapi.ElsewhereRefuse }
func redirecting(*httpapi.PrimaryOnlyConfig)  {}

// hello tells who serves.
func hello(g *availability.Group) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Served-By", g.GetNodeState().NodeID)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+string(body))
	})
}

// try sends a request to a handler, without a network.
func try(t testing.TB, h http.Handler, method, target, body string, field ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequestWithContext(t.Context(), method, target, nil)
	}
	for i := 0; i < len(field); i += 2 {
		r.Header.Add(field[i], field[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// refused checks the form of an answer that PrimaryOnly gives itself.
func refused(t testing.TB, w *httptest.ResponseRecorder, status int, reason string) {
	t.Helper()
	var got struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Reason string `json:"reason"`
		Node   string `json:"node"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("status %d, body %.300q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || got.Status != status || got.Reason != reason || got.Title == "" || got.Detail == "" || got.Node == "" {
		t.Errorf("status %d, body %s, want status %d and reason %s", w.Code, w.Body, status, reason)
	}
	if h := w.Header(); h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("fields %v of a refusal", h)
	}
	if got := w.Header().Get("Retry-After"); (got == "5") != (status == http.StatusServiceUnavailable) {
		t.Errorf("Retry-After %q with status %d, want W/12 with 503", got, status)
	}
}
