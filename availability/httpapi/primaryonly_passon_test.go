package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// What a handler passes on is served by the next Primary; the fields that it
// has set are gone, those of the host stay.
func TestPassOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit         func(*httpapi.PrimaryOnlyConfig)
		read         bool
		status       int
		body, reason string
	}{
		"redirect":              {redirecting, true, 307, "", ""},
		"forward":               {forwarding, false, 200, "POST / text", ""},
		"forward what was read": {forwarding, true, 503, "", "body_gone"},
		"refuse":                {refusing, true, 503, "", "not_primary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				first := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tt.read {
						_, _ = io.ReadAll(r.Body)
					}
					w.Header().Set("Etag", "handler")
					<-r.Context().Done()
					if !httpapi.PassOn(r) {
						t.Error("PassOn refuses a request of the Primary")
					}
				}), tt.edit)
				w.open(b, hello(b.Group), tt.edit)
				behind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Request-Id", "4711")
					first.ServeHTTP(w, r)
				})
				ended := make(chan *httptest.ResponseRecorder)
				go func() { ended <- try(t, behind, "POST", "/", "text") }()
				synctest.Wait()
				if err := a.Failover(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := <-ended
				if got.Header().Get("Etag") != "" || got.Header().Get("X-Request-Id") != "4711" {
					t.Errorf("fields %v", got.Header())
				}
				if tt.reason != "" {
					refused(t, got, tt.status, tt.reason)
				} else if got.Code != tt.status || got.Body.String() != tt.body {
					t.Errorf("status %d %q, want %d %q", got.Code, got.Body, tt.status, tt.body)
				}
			})
		})
	}
}

// A node that has the role again serves what it has passed on, with its whole
// body or not at all.
func TestPassOn_HereAgain(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]bool{"untouched": false, "read": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
				var calls atomic.Int64
				s := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if calls.Add(1) > 1 {
						hello(a.Group).ServeHTTP(w, r)
						return
					}
					if read {
						_, _ = io.ReadAll(r.Body)
					}
					<-r.Context().Done()
					httpapi.PassOn(r)
				}), func(c *httpapi.PrimaryOnlyConfig) { c.HoldFor = 10 * time.Minute })
				if err := a.Pause(t.Context(), "so that a has the role again"); err != nil {
					t.Fatal(err)
				}
				ended := make(chan *httptest.ResponseRecorder)
				go func() { ended <- try(t, s, "POST", "/", "text") }()
				l.withoutPrimary()
				for _, n := range l.nodes {
					n.faulty.Heal()
				}
				got := <-ended
				if read {
					refused(t, got, 503, "no_primary")
				} else if got.Code != 200 || got.Body.String() != "POST / text" {
					t.Errorf("status %d %s", got.Code, got.Body)
				}
				if !a.IsPrimary() {
					t.Error("a has not had the role again")
				}
			})
		})
	}
}

// A handler that passes on although its node is Primary is not called again in
// the same term.
func TestPassOn_OnThePrimary(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, _ *node) {
		var calls atomic.Int64
		s := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) == 1 {
				httpapi.PassOn(r)
				return
			}
			hello(a.Group).ServeHTTP(w, r)
		}))
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, s, "POST", "/", "text") }()
		time.Sleep(time.Second)
		if got := calls.Load(); got != 1 {
			t.Errorf("called %d times in one term", got)
		}
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := <-ended; got.Code != 307 {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
		if httpapi.PassOn(httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)) {
			t.Error("PassOn takes a request that did not come through PrimaryOnly")
		}
	})
}

// After a lapse this node has handed nothing over: whoever has the role then
// took it, and knows.
func TestRedirect_AfterLapse(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
		s := w.open(a, hello(a.Group))
		l.isolate(a)
		l.wait("b is Primary", b.IsPrimary)
		a.faulty.Heal()
		l.net.Heal("a", "b")
		l.net.Heal("b", "a")
		l.wait("a knows", func() bool { return a.GetNodeState().PrimaryID == "b" })
		start := time.Now()
		if got := try(t, s, "GET", "/", ""); got.Code != 307 || time.Since(start) > 0 {
			t.Errorf("status %d after %v", got.Code, time.Since(start))
		}
	})
}
