package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

// done checks that a change was made.
func done(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	var m struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != http.StatusOK || m.Message == "" {
		t.Fatalf("status %d, body %s", w.Code, w.Body)
	}
}

func TestChange_LifeOfAGroup(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b, c := l.start(), l.start(), l.start()
		role := func(n *node, want event.Role) {
			t.Helper()
			if got := n.GetNodeState().NodeRole; got != want {
				t.Fatalf("the role of %s is %s, want %s", n.GetNodeState().NodeID, got, want)
			}
		}
		known := func(primary string) { // a node that has not heard of a new Primary asks the old one
			l.wait("all know that "+primary+" is Primary", func() bool {
				return !slices.ContainsFunc(l.nodes, func(n *node) bool { return n.GetNodeState().PrimaryID != primary })
			})
		}
		done(t, a.ask(t, "POST", "group", `{"tsig_name":"ag"}`))
		role(a, event.RolePrimary)
		done(t, b.ask(t, "PUT", "group/members", ""))
		role(b, event.RoleSecondary)
		done(t, c.ask(t, "PUT", "group/members", `{"external_port":8443}`))
		role(c, event.RoleSecondary)

		done(t, a.ask(t, "PUT", "failover", `{"to":"b"}`))
		role(b, event.RolePrimary)
		known("b")
		done(t, b.ask(t, "PUT", "failover", `{"to":"b"}`)) // is there already
		done(t, c.ask(t, "PUT", "failover", ""))           // takes it itself
		role(c, event.RolePrimary)
		known("c")

		done(t, a.ask(t, "PUT", "group/pause", `{"reason":"maintenance of the network"}`))
		l.wait("the Primary is paused", func() bool { return c.GetNodeState().Paused })
		done(t, a.ask(t, "PUT", "group/pause", ""))
		done(t, a.ask(t, "DELETE", "group/pause", ""))
		l.wait("the Primary is resumed", func() bool { return !c.GetNodeState().Paused })

		done(t, c.ask(t, "DELETE", "group/members?id=a", ""))
		l.wait("a is out", func() bool { return a.GetNodeState().NodeRole == event.RoleNotInGroup })
		done(t, b.ask(t, "DELETE", "group/members?id=b", "")) // itself
		role(b, event.RoleNotInGroup)
		done(t, c.ask(t, "DELETE", "group", ""))
		role(c, event.RoleNotInGroup)
	})
}

func TestChange_Configuration(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		before := a.Info().Configuration
		done(t, b.ask(t, "PUT", "group", `{"group_fqdn_ttl":20,"health_report_interval":null,"tsig_secret":""}`))
		want := before
		want.GroupFQDNTTL = 20 * time.Second
		l.wait("the Primary has the TTL", func() bool { return a.Info().Configuration.GroupFQDNTTL == want.GroupFQDNTTL })
		if diff := cmp.Diff(want, a.Info().Configuration, cmp.Comparer(func(x, y netip.Addr) bool { return x == y }),
			cmp.Comparer(func(x, y availability.Secret) bool { return x.Equal(y) })); diff != "" {
			t.Errorf("configuration: mismatch (-want +got):\n%s", diff)
		}
		// What was read can be sent back.
		done(t, a.ask(t, "PUT", "group", a.ask(t, "GET", "configuration", "").Body.String()))

		f := failed(t, a.ask(t, "PUT", "group", `{"group_fqdn":"other.lab.test","external_port":1,"group_fqdn_ttl":10}`), 400, "configuration")
		var fields []string
		for _, x := range f.Details.Fields {
			fields = append(fields, x.Field)
		}
		if diff := cmp.Diff([]string{"external_port", "group_fqdn"}, fields); diff != "" {
			t.Errorf("fields: mismatch (-want +got):\n%s", diff)
		}
		if got := a.Info().Configuration.GroupFQDNTTL; got != 20*time.Second {
			t.Errorf("a change that was refused has set the TTL to %v", got)
		}
	})
}

func TestChange_WriteOnlySecret(t *testing.T) {
	t.Parallel()
	const other = "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkgc2VlcyE="
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		answers := ""
		for _, x := range []struct{ method, path, body string }{
			{"PUT", "configuration", `{"tsig_secret":"` + other + `"}`},
			{"PUT", "configuration", `{"tsig_secret":"` + other + `","external_port":0}`},
			{"PUT", "configuration", `{"tsig_secret":"` + other + `!"}`},
			{"PUT", "configuration", `{"tsig_name":"` + other + `"}`},
			{"POST", "group", `{"tsig_secret":"` + other + `"}`},
			{"PUT", "group", `{"tsig_secret":"` + other + `"}`},
			{"PUT", "failover", `{"secret":"` + other + `"}`},
			{"GET", "group", ""},
			{"GET", "configuration", ""},
			{"GET", "state", ""},
			{"GET", "history", ""},
			{"GET", "stats", ""},
		} {
			answers += a.ask(t, x.method, x.path, x.body).Body.String()
		}
		for where, text := range map[string]string{"an answer": answers, "the log": a.log.String()} {
			if strings.Contains(text, other) || strings.Contains(text, secret) {
				t.Errorf("%s has the secret:\n%s", where, text)
			}
		}
		if !strings.Contains(answers, `"tsig_secret": ""`) || !strings.Contains(a.log.String(), "msg=changed") {
			t.Errorf("this test has seen too little:\n%s\n%s", answers, a.log)
		}
	})
}

func TestChange_BadRequests(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		b := l.start(func(c *availability.Config, _ *httpapi.Config) {
			c.Settings.GroupFQDN = ""
			c.Settings.ExternalIPv4Address = netip.Addr{}
		})
		for _, tt := range []struct {
			who                        *node
			method, path, body, reason string
			fields                     string
		}{
			{a, "PUT", "configuration", "", "body", ""},
			{a, "PUT", "configuration", "{}", "body", ""},
			{a, "PUT", "configuration", `{"group_fqdn":null}`, "body", ""},
			{a, "PUT", "configuration", "{", "body", ""},
			{a, "PUT", "configuration", "[]", "body", ""},
			{a, "PUT", "configuration", "null", "body", ""},
			{a, "PUT", "configuration", `{} {}`, "body", ""},
			{a, "PUT", "configuration", `{"group_fqdn_ttl":5,"group_fqdn_ttl":6}`, "configuration", "group_fqdn_ttl"},
			{a, "PUT", "configuration", `{"Group_FQDN":"x.test"}`, "configuration", "Group_FQDN"},
			{a, "PUT", "configuration", `{"external_port":0,"external_scheme":"ftp","nothing":1}`, "configuration", "external_port external_scheme nothing"},
			{a, "POST", "group", "", "body", ""},
			{a, "POST", "group?adopt=yes", `{"tsig_name":"ag"}`, "query", ""},
			{a, "POST", "group?adopt=1&adopt=1", `{"tsig_name":"ag"}`, "query", ""},
			{a, "POST", "group?Adopt=1", `{"tsig_name":"ag"}`, "query", ""},
			{a, "POST", "group?%zz", `{"tsig_name":"ag"}`, "query", ""},
			{b, "POST", "group", `{"external_port":443}`, "configuration", "external_ipv4_address group_fqdn"},
			{a, "PUT", "group/members", `{"tsig_name":"ag","group_fqdn_ttl":20}`, "configuration", "group_fqdn_ttl tsig_name"},
			{a, "PUT", "group/members", `{"other":1}`, "configuration", "other"},
			{a, "DELETE", "group/members?ID=b", "", "query", ""},
			{a, "DELETE", "group/members?id=", "", "query", ""},
			{a, "PUT", "failover", `{"to":5}`, "body", ""},
			{a, "PUT", "failover", `{"to":"b","to":"a"}`, "configuration", "to"},
			{a, "PUT", "failover", `{"To":"b"}`, "configuration", "To"},
			{a, "PUT", "failover", `{"force":true}`, "configuration", "reason"},
			{a, "PUT", "failover", `{"force":true,"reason":" "}`, "configuration", "reason"},
			{a, "PUT", "failover", `{"reason":"because"}`, "configuration", "reason"},
			{a, "PUT", "failover", `{"force":true,"reason":"a\nb"}`, "configuration", "reason"},
			{a, "PUT", "failover", `{"force":true,"to":"b","reason":"dead"}`, "configuration", "to"},
			{a, "PUT", "group/pause", `{"reason":"` + strings.Repeat("é", 257) + `"}`, "configuration", "reason"},
		} {
			f := failed(t, tt.who.ask(t, tt.method, tt.path, tt.body), http.StatusBadRequest, tt.reason)
			var fields []string
			for _, x := range f.Details.Fields {
				fields = append(fields, x.Field)
			}
			if got := strings.Join(fields, " "); got != tt.fields {
				t.Errorf("%s %s %s: fields %q, want %q", tt.method, tt.path, tt.body, got, tt.fields)
			}
			if f.Details.LogContext != "alice" {
				t.Errorf("log_context %q", f.Details.LogContext)
			}
			if (tt.path == "failover" || tt.path == "group/pause") && strings.Contains(f.Message, "setting") {
				t.Errorf("%s %s %s has no settings, and is told %q", tt.method, tt.path, tt.body, f.Message)
			}
		}
		if got := a.Info().Configuration.ExternalScheme; got != "https" {
			t.Errorf("a refused request has set the scheme to %s", got)
		}
	})
}

// BlueCat: a body of another type is ignored, not refused.
func TestChange_BodyIgnored(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		for _, media := range []string{"", "text/plain", "application/json-patch+json", "application/x-www-form-urlencoded", ";"} {
			failed(t, a.ask(t, "PUT", "group", `{"group_fqdn_ttl":20}`, "Content-Type", media), http.StatusBadRequest, "body")
		}
		done(t, b.ask(t, "PUT", "failover", `{"to":"a"}`, "Content-Type", "text/plain")) // b takes it itself
		if !b.IsPrimary() {
			t.Error("the body was not ignored")
		}
		for i, media := range []string{"application/json; charset=utf-8", "Application/JSON"} {
			done(t, b.ask(t, "PUT", "group", fmt.Sprintf(`{"group_fqdn_ttl":%d}`, 10+i), "Content-Type", media))
		}
	})
}

func TestChange_WrongState(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		out := l.start()
		const one = `{"tsig_name":"ag"}`
		for _, tt := range []struct {
			who                *node
			method, path, body string
			status             int
			reason, advice     string
		}{
			{a, "POST", "group", one, 409, "in_group", "Leave the group first"},
			{b, "PUT", "group/members", "", 409, "in_group", "Leave the group first"},
			{b, "PUT", "group/members", `{"external_port":1}`, 409, "in_group", "PUT group"},
			{a, "PUT", "configuration", one, 409, "in_group", "PUT group"},
			{out, "PUT", "group", one, 409, "not_in_group", "Create a group"},
			{out, "DELETE", "group", "", 409, "not_in_group", "join one"},
			{out, "DELETE", "group/members", "", 409, "not_in_group", "join one"},
			{out, "DELETE", "group/members?id=a", "", 409, "not_in_group", "join one"},
			{out, "PUT", "failover", "", 409, "not_in_group", "join one"},
			{out, "PUT", "group/pause", "", 409, "not_in_group", "join one"},
			{out, "DELETE", "group/pause", "", 409, "not_in_group", "join one"},
			{out, "POST", "group", one, 409, "group_exists", "Join it"},
			{out, "PUT", "group/members", `{"group_fqdn":"none.lab.test"}`, 409, "no_group", "Create it"},
			{a, "DELETE", "group/members?id=z", "", 404, "unknown_member", "lists the members"},
			{a, "PUT", "failover", `{"to":"z"}`, 404, "unknown_member", "lists the members"},
			{b, "PUT", "failover", `{"force":true,"reason":"I think it is dead"}`, 412, "primary_alive", "without force"},
		} {
			f := failed(t, tt.who.ask(t, tt.method, tt.path, tt.body), tt.status, tt.reason)
			if !strings.Contains(f.Message, tt.advice) || strings.Contains(f.Message, "availability:") {
				t.Errorf("%s %s: message %q lacks %q", tt.method, tt.path, f.Message, tt.advice)
			}
		}
		if !a.IsPrimary() {
			t.Error("a refused request has moved the role")
		}
	})
}

func TestChange_NoTarget(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		done(t, a.ask(t, "POST", "group", `{"tsig_name":"ag"}`))
		failed(t, a.ask(t, "PUT", "failover", ""), http.StatusPreconditionFailed, "no_target")
		failed(t, a.ask(t, "DELETE", "group/members", ""), http.StatusPreconditionFailed, "no_target")
	})
}

func TestChange_HostRecordExists(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		key := dnsstore.Key{Name: "svc.lab.test", Type: "A"}
		if err := l.store.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{{Key: key, TTL: time.Minute, Data: []string{"198.51.100.7"}}}}); err != nil {
			t.Fatal(err)
		}
		a := l.start()
		failed(t, a.ask(t, "POST", "group", `{"tsig_name":"ag"}`), http.StatusConflict, "host_record_exists")
		done(t, a.ask(t, "POST", "group?adopt=1", `{"tsig_name":"ag"}`))
		if !a.IsPrimary() {
			t.Error("the node is not Primary")
		}
	})
}

func TestChange_Unreachable(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		a.faulty.Cut()
		w := a.ask(t, "POST", "group", `{"tsig_name":"ag"}`)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d, Retry-After %q, body %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		a.faulty.Heal()
		stopped := l.start()
		stopped.cancel()
		synctest.Wait()
		failed(t, stopped.ask(t, "PUT", "failover", ""), http.StatusServiceUnavailable, "not_running")
	})
}

// A change that waits for the program's Run ends by itself, and when its client
// goes.
func TestChange_Ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, err := availability.New(availability.Config{Store: dnsstore.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		api := httpapi.New(g, httpapi.Config{Authorize: everybody})
		start := time.Now()
		failed(t, ask(t, api, "PUT", "failover", ""), http.StatusServiceUnavailable, "not_running")
		if got := time.Since(start); got != 2*time.Minute {
			t.Errorf("the change has waited %v, want two failover periods", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "PUT", "/ag/api/v1/failover", nil))
		failed(t, w, http.StatusServiceUnavailable, "not_running")
		if got := time.Since(start); got != 2*time.Minute+time.Second {
			t.Errorf("the change has not ended with its client, but after %v", got)
		}
	})
}

// A request that makes no sense is wrong input, whatever the state.
func TestChange_RemoveThePrimary(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		l.wait("both know the same", func() bool { return settled(a, b) })
		failed(t, b.ask(t, "DELETE", "group/members?id=a", ""), http.StatusBadRequest, "bad_request")
	})
}
