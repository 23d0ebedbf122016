package httpapi_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

func TestChange_BodyLimits(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		failed(t, a.ask(t, "PUT", "configuration", strings.Repeat(" ", 16<<10)+"{}"), http.StatusRequestEntityTooLarge, "too_large")
		fits := `{"external_port":444` + strings.Repeat(" ", 16<<10-21) + "}"
		done(t, a.ask(t, "PUT", "configuration", fits))
		failed(t, a.ask(t, "PUT", "configuration", fits+" "), http.StatusRequestEntityTooLarge, "too_large")

		broken := httptest.NewRequestWithContext(t.Context(), "PUT", "/ag/api/v1/configuration", io.MultiReader(strings.NewReader("{"), brokenBody{}))
		broken.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.api.ServeHTTP(w, broken)
		failed(t, w, http.StatusBadRequest, "incomplete")
	})
}

// late is a clock by which the time to read a body is over almost at once.
type late struct{ clock.Clock }

func (l late) Now() time.Time { return l.Clock.Now().Add(-9900 * time.Millisecond) }

// A client that does not send what it has announced is not waited for.
func TestChange_SlowBody(t *testing.T) {
	t.Parallel()
	g, err := availability.New(availability.Config{Store: dnsstore.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(httpapi.New(g, httpapi.Config{Authorize: everybody, Clock: late{clock.New()}}))
	defer server.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("PUT /ag/api/v1/configuration HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("status %s", answer.Status)
	}
}

// What could not be saved is told.
func TestChange_NotSaved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	g, err := availability.New(availability.Config{Store: dnsstore.NewMemory(), StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // in the place of the directory
		t.Fatal(err)
	}
	api := checked(t, httpapi.New(g, httpapi.Config{Authorize: everybody}))
	f := failed(t, ask(t, api, "PUT", "configuration", `{"external_port":444}`), http.StatusInternalServerError, "not_saved")
	if strings.Contains(f.Message, dir) {
		t.Errorf("the message tells a path of the machine: %s", f.Message)
	}
}

// brokenBody is a connection that breaks.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("broken") }

// Nothing that a change sends reaches the group without the scope, nor from
// another site.
func TestChange_Refused(t *testing.T) {
	t.Parallel()
	readers := func(_ *http.Request, s httpapi.Scope) (string, error) {
		if s != httpapi.ScopeRead {
			return "carol", httpapi.ErrForbidden
		}
		return "carol", nil
	}
	inLab(t, func(t *testing.T, l *lab) {
		reader := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = readers })
		closed := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil })
		open := l.start()
		trusting := l.start(func(_ *availability.Config, h *httpapi.Config) {
			h.CrossOrigin = http.NewCrossOriginProtection()
			if err := h.CrossOrigin.AddTrustedOrigin("https://console.example.net"); err != nil {
				t.Fatal(err)
			}
		})
		changes := []struct{ method, path string }{
			{"POST", "group"},
			{"PUT", "group"},
			{"DELETE", "group"},
			{"PUT", "group/members"},
			{"DELETE", "group/members"},
			{"PUT", "configuration"},
			{"PUT", "failover"},
			{"PUT", "group/pause"},
			{"DELETE", "group/pause"},
		}
		for _, x := range changes {
			f := failed(t, reader.ask(t, x.method, x.path, `{"external_port":1}`), http.StatusForbidden, "forbidden")
			if f.Details.LogContext != "carol" {
				t.Errorf("log_context %q", f.Details.LogContext)
			}
			failed(t, closed.ask(t, x.method, x.path, `{"external_port":1}`), http.StatusForbidden, "no_authorize")
			for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
				failed(t, open.ask(t, x.method, x.path, `{"external_port":1}`, header...), http.StatusForbidden, "cross_origin")
			}
		}
		for _, n := range l.nodes {
			if c := n.Info().Configuration; c.ExternalPort != 443 || n.GetNodeState().NodeRole != event.RoleNotInGroup {
				t.Errorf("a refused request has changed %s", n.GetNodeState().NodeID)
			}
		}
		done(t, open.ask(t, "PUT", "configuration", `{"external_port":1}`, "Sec-Fetch-Site", "same-origin"))
		done(t, trusting.ask(t, "PUT", "configuration", `{"external_port":1}`, "Sec-Fetch-Site", "cross-site", "Origin", "https://console.example.net"))
	})
}

func TestChange_MethodsOfTheGroup(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		for path, allow := range map[string]string{
			"group": "DELETE, GET, HEAD, POST, PUT", "group/members": "DELETE, PUT", "group/pause": "DELETE, PUT",
			"configuration": "GET, HEAD, PUT", "failover": "PUT",
		} {
			w := a.ask(t, "PATCH", path, "")
			failed(t, w, http.StatusMethodNotAllowed, "method")
			if got := w.Header().Get("Allow"); got != allow {
				t.Errorf("%s: Allow %q, want %q", path, got, allow)
			}
		}
	})
}
