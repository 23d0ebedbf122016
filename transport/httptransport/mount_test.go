package httptransport_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

func newLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestFor_ManyGroups(t *testing.T) {
	t.Parallel()
	const groups = 20
	var connections atomic.Int64
	a, b := newTransport(t, httptransport.Config{}), newTransport(t, httptransport.Config{})
	s := httptest.NewUnstartedServer(mount(b))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	to := transport.Peer{ID: "b", URL: s.URL}
	for i := range groups {
		name := fmt.Sprintf("group%d.example", i)
		from := groupOf(t, a, name, "a", byte('a'+i))
		serve(t, groupOf(t, b, name, "b", byte('a'+i)), func(context.Context, transport.Message) (transport.Message, error) {
			return transport.Message{Body: json.RawMessage(fmt.Sprint(i))}, nil
		})
		waitGroup(t, b, name)
		m := transport.Message{Group: name, From: "a", To: "b"}
		got, err := from.Exchange(t.Context(), to, m)
		if err != nil {
			t.Fatalf("Exchange in %s: %v", name, err)
		}
		if string(got.Body) != fmt.Sprint(i) {
			t.Errorf("Exchange in %s: got an answer of group %s", name, got.Body)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d groups have %d connections to one peer, want 1", groups, got)
	}
	// A key of one group is worth nothing in another.
	_, err := groupOf(t, a, "group0.example", "a", 'z').Exchange(t.Context(), to,
		transport.Message{Group: "group0.example", From: "a", To: "b"})
	wantKind(t, err, transport.ErrUnauthenticated)
	// What nobody asked For is not served.
	_, err = groupOf(t, a, "group99.example", "a", 'a').Exchange(t.Context(), to,
		transport.Message{Group: "group99.example", From: "a", To: "b"})
	wantKind(t, err, transport.ErrUnauthenticated)
	if got := b.Stats().WrongGroup; got != 1 {
		t.Errorf("counted %d messages for another group, want 1", got)
	}
}

// groupOf returns the transport of a group, with a key and an address.
func groupOf(t testing.TB, tr *httptransport.Transport, name, id string, key byte) transport.Transport {
	t.Helper()
	g, ok := tr.For(name).(interface {
		transport.Keyed
		transport.Addressed
	})
	if !ok {
		t.Fatal("the transport of a group is not Keyed and Addressed")
	}
	if err := g.SetKeys(testKey(t, key)); err != nil {
		t.Fatalf("SetKeys: %v", err)
	}
	if err := g.SetAddress(name, id); err != nil {
		t.Fatalf("SetAddress: %v", err)
	}
	return g
}

// waitGroup waits until a group is served.
func waitGroup(t testing.TB, h http.Handler, name string) {
	t.Helper()
	waitFor(t, "group "+name, func() bool {
		status := deliver(t, h, octets{method: http.MethodPost, header: http.Header{
			"Content-Type": {"application/json"},
			"Ag-Peer":      {"v=1;group=" + name + ";from=a;to=b;id=;nonce=;key=;mac="},
		}}).status
		return status == http.StatusUnauthorized
	})
}

func TestFor_SameGroup(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, httptransport.Config{})
	if tr.For("group.example") != tr.For("Group.Example.") {
		t.Error("For returns two transports for one group")
	}
	if tr.For("group.example") == tr.For("another.example") {
		t.Error("For returns one transport for two groups")
	}
}

// TestFor_BesideTheRest has one group with a transport of its own, and one
// without.
func TestFor_BesideTheRest(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, echo)
	serve(t, b.For("own.example"), func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{Kind: "own"}, nil
	})
	waitGroup(t, b, "own.example")
	mustExchange(t, a, b, `1`)
	own := newTransport(t, httptransport.Config{Keys: []transport.Key{testKey(t, 'k')}})
	got, err := own.Exchange(t.Context(), b.peer(), transport.Message{Group: "own.example", From: "a", To: "b"})
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	if got.Kind != "own" {
		t.Errorf("got kind %q, want that of the group's own handler", got.Kind)
	}
}

// TestMount_Prefix mounts a transport below a prefix, and behind a proxy that
// has another.
func TestMount_Prefix(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{}, echo)
	mux := http.NewServeMux()
	mux.Handle("/inner/", http.StripPrefix("/inner", mount(b)))
	inner, err := url.Parse(listen(t, mux) + "/inner")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(inner)
			r.Out.URL.Path = "/inner" + httptransport.Path
		},
	}
	ca := newAuthority(t)
	front := listenTLS(t, proxy, &tls.Config{Certificates: []tls.Certificate{ca.issue(t, groupName)}})
	for _, c := range []struct{ path, url string }{
		{"/inner" + httptransport.Path, "http://" + inner.Host},
		{"a/b/c", front},
		{"/", front},
	} {
		a := newNode(t, "a", httptransport.Config{Path: c.path, TLS: &tls.Config{RootCAs: ca.pool()}}, nil)
		mustExchange(t, a, node{id: "b", url: c.url}, `1`)
		mustExchange(t, a, node{id: "b", url: c.url}, `2`)
	}
}

// TestMount_WrappedWriter mounts a transport behind a host's middleware that
// hides what the writer can do.
func TestMount_WrappedWriter(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, echo)
	wrapped := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	mustExchange(t, a, node{id: "b", url: wrapped}, `1`)
}

func TestTLS_Names(t *testing.T) {
	t.Parallel()
	ca, foreign := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		cert   tls.Certificate
		client *tls.Config
		want   error
	}{
		"the group's":           {ca.issue(t, groupName), &tls.Config{RootCAs: ca.pool()}, nil},
		"another group's":       {ca.issue(t, "x.example"), &tls.Config{RootCAs: ca.pool()}, transport.ErrUnauthenticated},
		"the name that is set":  {ca.issue(t, "x.example"), &tls.Config{RootCAs: ca.pool(), ServerName: "x.example"}, nil},
		"not the one set":       {ca.issue(t, groupName), &tls.Config{RootCAs: ca.pool(), ServerName: "x.example"}, transport.ErrUnauthenticated},
		"of a foreign one":      {foreign.issue(t, groupName), &tls.Config{RootCAs: ca.pool()}, transport.ErrUnauthenticated},
		"not the system's":      {ca.issue(t, groupName), nil, transport.ErrUnauthenticated},
		"no certificate needed": {ca.issue(t, "x.example"), &tls.Config{InsecureSkipVerify: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newNode(t, "b", httptransport.Config{}, echo)
			url := listenTLS(t, mount(b), &tls.Config{Certificates: []tls.Certificate{c.cert}})
			a := newNode(t, "a", httptransport.Config{TLS: c.client}, nil)
			_, err := exchange(t, a, transport.Peer{ID: "b", URL: url}, `1`)
			if c.want != nil {
				wantKind(t, err, c.want)
			} else if err != nil {
				t.Errorf("Exchange: %v", err)
			}
		})
	}
}

// TestTLS_ClientCertificate has a server that wants one, and clients without.
func TestTLS_ClientCertificate(t *testing.T) {
	t.Parallel()
	ca, foreign := newAuthority(t), newAuthority(t)
	b := newNode(t, "b", httptransport.Config{}, unwanted(t))
	url := listenTLS(t, mount(b), &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, groupName)},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.pool(),
	})
	for name, own := range map[string][]tls.Certificate{
		"none":    nil,
		"foreign": {foreign.issue(t, groupName)},
	} {
		a := newNode(t, "a", httptransport.Config{TLS: &tls.Config{RootCAs: ca.pool(), Certificates: own}}, nil)
		_, err := exchange(t, a, transport.Peer{ID: "b", URL: url}, `1`)
		t.Log(name, err)
		wantKind(t, err, transport.ErrUnreachable)
	}
}

// TestHost_Names checks what a virtual host or a proxy is told.
func TestHost_Names(t *testing.T) {
	t.Parallel()
	hosts := make(chan string, 1)
	a := newNode(t, "a", httptransport.Config{}, nil)
	to := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host }))
	if _, err := exchange(t, a, transport.Peer{ID: "b", URL: to}, `1`); err == nil {
		t.Error("Exchange: got no error")
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := <-hosts, groupName+":"+u.Port(); got != want {
		t.Errorf("got host %q, want %q", got, want)
	}
}
