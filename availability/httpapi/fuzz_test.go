package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
)

// Whatever a body holds, the answer is 200 or 400 with a reason, what was
// refused has changed nothing, and what was accepted can be sent back.
func FuzzConfiguration(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"external_port":443}`, `{"external_port":443,"external_port":80}`,
		`{"tsig_name":"ag","tsig_secret":"c2VjcmV0","tsig_algorithm":"hmac-sha512"}`,
		`{"allowed_absence_interval":47,"external_ipv4_address":"10.24.35.110","group_fqdn":"gateway.example.net","group_fqdn_ttl":27}`,
		`{"group_fqdn":"\u0000"}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"external_port":1e999}`, `{"\ud800":1}`,
		`{"external_ipv6_address":"::ffff:192.0.2.1"}`, `{"health_report_interval":-0.0001}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		g, err := availability.New(availability.Config{Store: dnsstore.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		api := checked(t, httpapi.New(g, httpapi.Config{Authorize: everybody}))
		before := g.Info().Configuration
		r := httptest.NewRequestWithContext(t.Context(), "PUT", "/ag/api/v1/configuration", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			done(t, ask(t, api, "PUT", "configuration", ask(t, api, "GET", "configuration", "").Body.String()))
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			var f failure
			if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || f.Details.Reason == "" || f.Message == "" {
				t.Errorf("body %q: answer %s: %v", body, w.Body, err)
			}
			if got := g.Info().Configuration; got != before {
				t.Errorf("body %q was refused and has changed %+v to %+v", body, before, got)
			}
		default:
			t.Errorf("body %q: status %d: %s", body, w.Code, w.Body)
		}
	})
}
