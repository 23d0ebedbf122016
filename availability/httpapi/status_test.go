package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/event"
)

// visit asks for a path outside of the API.
func (n *node) visit(t testing.TB, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	n.api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

// page is the status page, without what a browser would not show as it is.
func (n *node) page(t testing.TB) string {
	t.Helper()
	w := n.visit(t, "GET", "/ag/")
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "text/html; charset=utf-8" {
		t.Fatalf("status %d, Content-Type %q", w.Code, got)
	}
	return w.Body.String()
}

// shows checks that the page has texts, and lacks those that begin with "!".
func (n *node) shows(t testing.TB, when string, texts ...string) {
	t.Helper()
	page := n.page(t)
	for _, text := range texts {
		without, no := strings.CutPrefix(text, "!")
		if strings.Contains(page, without) == no {
			t.Errorf("%s: %q is not as it should be on the page:\n%s", when, text, page)
		}
	}
}

// told tells whether a node has had an event of a kind.
func told[E event.Event](n *node) bool {
	return slices.ContainsFunc(n.History(), func(e event.Event) bool {
		_, ok := e.(E)
		return ok
	})
}

func TestStatus_States(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		b := l.start(func(c *availability.Config, _ *httpapi.Config) {
			c.Health = func(context.Context) error {
				if sick.Load() {
					return errors.New(`</p><script>alert("sick")</script>`)
				}
				return nil
			}
		})
		a.shows(t, "in no group", "This node is in no group", "None: no group is known here.", "!Authority left", "!class=\"alarm")
		if err := errors.Join(a.Create(t.Context()), b.Join(t.Context())); err != nil {
			t.Fatal(err)
		}
		l.wait("all is well", func() bool { return settled(a, b) })
		a.shows(t, "Primary", "This node, a, is Primary", "<title>Primary · a · svc.lab.test</title>", "Since <time", "Authority left",
			"from node to node", "Connected", `href="https://192.0.2.2:443"`, "role not_in_group → primary (created)", "!class=\"alarm")
		b.shows(t, "Secondary", "a is Primary", "<title>Secondary · b · svc.lab.test</title>", "!Authority left", "!class=\"alarm")

		done(t, a.ask(t, "PUT", "group/pause", ""))
		l.wait("b knows that", func() bool { return b.GetNodeState().Paused })
		b.shows(t, "paused", "Automatic takeover is paused")
		done(t, a.ask(t, "DELETE", "group/pause", ""))
		l.wait("b knows that", func() bool { return !b.GetNodeState().Paused })
		b.shows(t, "not paused", "!Automatic takeover is paused")

		sick.Store(true)
		l.wait("b is unhealthy", func() bool { return !b.GetNodeState().Healthy })
		b.shows(t, "unhealthy", "The program says that this node is unhealthy", "&lt;script&gt;alert(", "!<script>alert")
		b.faulty.Cut()
		l.wait("b has no store", func() bool { return b.GetNodeState().NodeDNSConnectionState == event.DNSDisconnected })
		b.shows(t, "cut off", "DNS gives this node no usable answer", "Disconnected", `<p class="quote">lookup svc.lab.test`)
		l.net.Cut("a", "b")
		l.net.Cut("b", "a")
		l.wait("b hears nothing", func() bool { return told[event.HeartbeatLoss](b) })
		b.shows(t, "all is cut", "The Primary is not heard")
		b.faulty.Heal()
		l.wait("b hears a over DNS", func() bool { return told[event.HeartbeatReturn](b) })
		b.shows(t, "over DNS", "through DNS only", "!The Primary is not heard")
	})
}

// Whatever is in the page, it can be served and shown under any prefix, and no
// other site is asked for anything.
func TestStatus_Form(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		for _, path := range []string{"/", "/ag/", "/some/prefix/"} {
			w := a.visit(t, "GET", path)
			text := w.Body.String()
			for _, bad := range []string{"<style", " style=", " onclick=", " onload=", "javascript:", "<form", "ZgotmplZ"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: the page has %q", path, bad)
				}
			}
			for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"( data-node)?`).FindAllStringSubmatch(text, -1) {
				if m[2] == "" && (strings.HasPrefix(m[1], "/") || strings.Contains(m[1], ":")) {
					t.Errorf("%s: %s is not relative", path, m[1])
				}
				if m[2] == "" {
					if got := a.visit(t, "GET", path+m[1]).Code; got != http.StatusOK {
						t.Errorf("%s%s: status %d", path, m[1], got)
					}
				}
			}
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s %q", path, name, got)
				}
			}
			if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; ") || strings.Contains(got, "unsafe") {
				t.Errorf("%s: Content-Security-Policy %q", path, got)
			}
		}
		for path, want := range map[string]string{
			"/ag/status.css": "text/css; charset=utf-8", "/ag/status.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml",
		} {
			w := a.visit(t, "GET", path)
			if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
				t.Errorf("%s: status %d, Content-Type %q", path, w.Code, got)
			}
		}
		failed(t, a.visit(t, "GET", "/ag/status.map"), http.StatusNotFound, "no_endpoint")
		failed(t, a.visit(t, "POST", "/ag/status.js"), http.StatusMethodNotAllowed, "method")
		if w := a.visit(t, "HEAD", "/ag/"); w.Code != http.StatusOK {
			t.Errorf("HEAD of the page: %d", w.Code)
		}
		if w := a.visit(t, "POST", "/ag/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST to the page: %d, Allow %q", w.Code, w.Header().Get("Allow"))
		}
	})
}

// The page needs the scope; without it people are told so in their own form.
func TestStatus_Refused(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		var answer error
		guarded := l.start(func(_ *availability.Config, h *httpapi.Config) {
			h.Challenge = `Basic realm="<b>ag</b>"`
			h.Authorize = func(_ *http.Request, s httpapi.Scope) (string, error) {
				if s != httpapi.ScopeRead {
					t.Errorf("the page asks for the scope %s", s)
				}
				return "bob", answer
			}
		})
		closed := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil })
		for _, tt := range []struct {
			n      *node
			err    error
			status int
			text   string
		}{
			{guarded, httpapi.ErrUnauthenticated, 401, "WWW-Authenticate: Basic realm=&#34;&lt;b&gt;ag&lt;/b&gt;&#34;"},
			{guarded, httpapi.ErrForbidden, 403, "Insufficient access rights."},
			{guarded, errors.New("the directory at 10.0.0.9 is down"), 500, "see the log"},
			{closed, nil, 403, "Config.Authorize"},
		} {
			answer = tt.err
			w := tt.n.visit(t, "GET", "/ag/")
			text := w.Body.String()
			if w.Code != tt.status || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(text, tt.text) {
				t.Errorf("%v: status %d, Content-Type %q:\n%s", tt.err, w.Code, w.Header().Get("Content-Type"), text)
			}
			if (w.Header().Get("WWW-Authenticate") != "") != (tt.status == http.StatusUnauthorized) {
				t.Errorf("%v: WWW-Authenticate %q", tt.err, w.Header().Get("WWW-Authenticate"))
			}
			for _, secret := range []string{"svc.lab.test", "192.0.2.1", "10.0.0.9"} {
				if strings.Contains(text, secret) {
					t.Errorf("%v: the page tells %s", tt.err, secret)
				}
			}
			if got := tt.n.visit(t, "GET", "/ag/status.css").Code; got != http.StatusOK {
				t.Errorf("%v: the style sheet: status %d", tt.err, got)
			}
		}
	})
}
