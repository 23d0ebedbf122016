package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

func TestAuthorize_None(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil })
		for _, path := range []string{"state", "group", "configuration", "history", "stats"} {
			failed(t, a.ask(t, "GET", path, ""), http.StatusForbidden, "no_authorize")
		}
	})
}

func TestAuthorize_Errors(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		var answer error
		a := l.start(func(_ *availability.Config, h *httpapi.Config) {
			h.Challenge = `Basic realm="ag"`
			h.Authorize = func(*http.Request, httpapi.Scope) (string, error) { return "bob", answer }
		})
		for _, tt := range []struct {
			err             error
			status          int
			reason, message string
		}{
			{httpapi.ErrUnauthenticated, 401, "unauthenticated", "Authentication is required."},
			{fmt.Errorf("token: %w", httpapi.ErrUnauthenticated), 401, "unauthenticated", "Authentication is required."},
			{fmt.Errorf("bob: %w", httpapi.ErrForbidden), 403, "forbidden", "Insufficient access rights."},
			{errors.New("the directory at 10.0.0.9 is down"), 500, "authorize", "see the log"},
		} {
			answer = tt.err
			w := a.ask(t, "GET", "group", "")
			f := failed(t, w, tt.status, tt.reason)
			if f.Details.LogContext != "bob" || !strings.Contains(f.Message, tt.message) {
				t.Errorf("%v: %+v", tt.err, f)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got != "") != (tt.status == http.StatusUnauthorized) {
				t.Errorf("%v: WWW-Authenticate %q", tt.err, got)
			}
			if strings.Contains(w.Body.String(), "10.0.0.9") {
				t.Errorf("the answer has the text of a foreign error: %s", w.Body)
			}
		}
		if !strings.Contains(a.log.String(), "10.0.0.9") {
			t.Errorf("the log lacks the error of Authorize:\n%s", a.log)
		}
	})
}

func TestAuthorize_ReadScope(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		var asked []httpapi.Scope
		a := l.start(func(_ *availability.Config, h *httpapi.Config) {
			h.Authorize = func(_ *http.Request, s httpapi.Scope) (string, error) {
				asked = append(asked, s)
				return "bob", nil
			}
		})
		a.ask(t, "GET", "primary", "")
		if len(asked) > 0 {
			t.Errorf("a role endpoint asked for %v", asked)
		}
		a.ask(t, "GET", "state", "")
		if len(asked) != 1 || asked[0] != httpapi.ScopeRead {
			t.Errorf("reading asked for %v", asked)
		}
	})
}
