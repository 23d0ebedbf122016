package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/availability"
)

// What the API does not know is a fault of this side, and told to the log alone.
func TestRefusalOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		reason string
	}{
		{errors.New("open 10.0.0.9: broken"), http.StatusInternalServerError, "internal"},
		{fmt.Errorf("force: %w: no reason", availability.ErrBadRequest), http.StatusBadRequest, "bad_request"},
		{fmt.Errorf("join: %w: %w", availability.ErrStoreUnreachable, errors.New("timeout")), http.StatusServiceUnavailable, "store_unreachable"},
		{fmt.Errorf("join: %w", context.DeadlineExceeded), http.StatusServiceUnavailable, "timeout"},
		{fmt.Errorf("join: %w: %w", availability.ErrNotRunning, context.DeadlineExceeded), http.StatusServiceUnavailable, "not_running"},
	} {
		no := refusalOf(tt.err)
		if no.status != tt.status || no.reason != tt.reason || strings.Contains(no.text, "10.0.0.9") {
			t.Errorf("%v: %d %s: %s", tt.err, no.status, no.reason, no.text)
		}
	}
}
