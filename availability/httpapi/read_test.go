package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

func TestRead_Keys(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		for path, want := range map[string][]string{
			"state": {
				"authority_until", "healthy", "heartbeat_method", "last_heartbeat_time", "last_updated",
				"node_dns_connection_state", "node_id", "node_role", "paused", "primary_id", "term",
			},
			"group": {"configuration", "members", "nodes", "state"},
			"configuration": {
				"allowed_absence_interval", "external_ipv4_address", "external_ipv6_address", "external_port", "external_scheme",
				"group_fqdn", "group_fqdn_ttl", "health_check_interval", "health_report_interval",
				"tsig_algorithm", "tsig_name", "tsig_secret",
			},
			"history": {"events"},
		} {
			w := a.ask(t, "GET", path, "")
			var got map[string]json.RawMessage
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: status %d, %v in %s", path, w.Code, err, w.Body)
			}
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s: mismatch (-want +got):\n%s", path, diff)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("%s: Content-Type %q", path, got)
			}
		}
		var stats availability.Stats
		if err := json.Unmarshal(a.ask(t, "GET", "stats", "").Body.Bytes(), &stats); err != nil || stats.Writes == 0 {
			t.Errorf("stats: %v, %d writes", err, stats.Writes)
		}
	})
}

func TestRead_History(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		if got := a.ask(t, "GET", "history", "").Body.String(); !strings.Contains(got, `"events": [`) {
			t.Errorf("history of a node without events: %s", got)
		}
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.wait("the history shows the creation", func() bool {
			return strings.Contains(a.ask(t, "GET", "history", "").Body.String(), `"cause": "created"`)
		})
	})
}

func TestRead_GroupOfThree(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		c := l.start()
		if err := c.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.wait("the Primary has confirmed all three", func() bool {
			members := a.Info().Members
			return len(members) == 3 && !slices.ContainsFunc(members, func(m availability.Member) bool { return m.Joining })
		})
		var got struct {
			Members map[string]any        `json:"members"`
			Nodes   []availability.Member `json:"nodes"`
		}
		if err := json.Unmarshal(a.ask(t, "GET", "group", "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"primary": "192.0.2.1", "secondary": "192.0.2.2", "others": []any{"192.0.2.3"}}
		if diff := cmp.Diff(want, got.Members); diff != "" {
			t.Errorf("members: mismatch (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(a.Info().Members, got.Nodes); diff != "" {
			t.Errorf("nodes: mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestRoles(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		noOne := func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil }
		a, b := l.pair(noOne)
		c := l.start(noOne)
		for _, tt := range []struct {
			who                                     *node
			role                                    string
			primary, secondary, livez, readyzStatus int
		}{
			{a, "primary", 200, 503, 200, 200},
			{b, "secondary", 503, 200, 200, 200},
			{c, "not_in_group", 503, 503, 200, 503},
		} {
			for path, want := range map[string]int{"primary": tt.primary, "secondary": tt.secondary, "livez": tt.livez, "readyz": tt.readyzStatus} {
				for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
					w := tt.who.ask(t, method, path, "")
					if w.Code != want || w.Header().Get("Cache-Control") != "no-store" {
						t.Errorf("%s %s of a node that is %s: %d %v, want %d", method, path, tt.role, w.Code, w.Header(), want)
					}
					if method == "OPTIONS" && w.Body.Len() > 0 {
						t.Errorf("OPTIONS %s: body %q", path, w.Body)
					}
				}
				var got map[string]any
				if err := json.Unmarshal(tt.who.ask(t, "GET", path, "").Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]any{"node_role": tt.role}, got); diff != "" {
					t.Errorf("%s: mismatch (-want +got):\n%s", path, diff)
				}
			}
		}
	})
}

func TestRoles_Unhealthy(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start(func(c *availability.Config, _ *httpapi.Config) {
			c.Health = func(context.Context) error { return errors.New("the disk is full") }
		})
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.wait("the node is unhealthy", func() bool { return !a.GetNodeState().Healthy })
		for path, want := range map[string]int{"livez": http.StatusOK, "readyz": http.StatusServiceUnavailable} {
			if got := a.ask(t, "GET", path, "").Code; got != want {
				t.Errorf("%s: status %d, want %d", path, got, want)
			}
		}
	})
}

// A Primary that has lost its authority says so at once.
func TestRoles_Demoted(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.ask(t, "GET", "primary", "").Code; got != http.StatusOK {
			t.Fatalf("primary: %d", got)
		}
		a.faulty.Cut()
		l.wait("the node is not Primary", func() bool { return !a.IsPrimary() })
		if got := a.ask(t, "GET", "primary", "").Code; got != http.StatusServiceUnavailable {
			t.Errorf("primary, after the authority has ended: %d", got)
		}
		a.faulty.Heal()
	})
}

func TestRouting(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		for _, path := range []string{"", "nothing", "state/", "group/", "State", "group/members/b", "api/v1/"} {
			failed(t, a.ask(t, "GET", path, ""), http.StatusNotFound, "no_endpoint")
		}
		for _, target := range []string{"/api/v1/state", "/some/prefix/ag/api/v1/state"} {
			w := httptest.NewRecorder()
			a.api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", target, nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s: status %d", target, w.Code)
			}
		}
		for _, path := range []string{"state", "group", "stats", "metrics"} {
			if got := a.ask(t, "HEAD", path, "").Code; got != http.StatusOK {
				t.Errorf("HEAD %s: status %d", path, got)
			}
		}
		for _, tt := range []struct{ method, path, allow string }{
			{"POST", "state", "GET, HEAD"},
			{"DELETE", "history", "GET, HEAD"},
			{"POST", "primary", "GET, HEAD, OPTIONS"},
			{"get", "state", "GET, HEAD"},
		} {
			w := a.ask(t, tt.method, tt.path, "")
			failed(t, w, http.StatusMethodNotAllowed, "method")
			if got := w.Header().Get("Allow"); got != tt.allow {
				t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.path, got, tt.allow)
			}
		}
	})
}
