package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// rehearsed is the report of a preflight, whatever it says.
func rehearsed(t testing.TB, w *httptest.ResponseRecorder) availability.Report {
	t.Helper()
	var r availability.Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK || len(r.Checks) == 0 {
		t.Fatalf("status %d, body %s, %v", w.Code, w.Body, err)
	}
	return r
}

// The question is answered with status 200, be the answer good or bad.
func TestPreflight(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		l.wait("both know the same", func() bool { return settled(a, b) })
		if r := rehearsed(t, a.ask(t, "GET", "preflight", "")); !r.OK {
			t.Errorf("all is well, and the report is %+v", r)
		}
		b.faulty.Cut()
		r := rehearsed(t, b.ask(t, "GET", "preflight", ""))
		if r.OK || !slices.ContainsFunc(r.Checks, func(c availability.Check) bool { return !c.OK && c.Advice != "" }) {
			t.Errorf("the store is cut off, and the report is %+v", r)
		}
		b.faulty.Heal()
		failed(t, a.ask(t, "HEAD", "preflight", ""), http.StatusMethodNotAllowed, "method")
	})
}

// It costs traffic, so it is not for everybody, and not for other sites.
func TestPreflight_Refused(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		closed := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil })
		open := l.start()
		failed(t, open.ask(t, "GET", "preflight", "", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "cross_origin")
		rehearsed(t, open.ask(t, "GET", "preflight", "", "Sec-Fetch-Site", "same-origin"))
		failed(t, closed.ask(t, "GET", "preflight", ""), http.StatusForbidden, "no_authorize")
	})
}
