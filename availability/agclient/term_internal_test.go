package agclient

import (
	"net/http"
	"testing"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// The two ends agree.
func TestHeaders(t *testing.T) {
	t.Parallel()
	if headerTerm != httpapi.TermField || headerRole != httpapi.RoleField {
		t.Errorf("the client has %s and %s, the nodes %s and %s", headerTerm, headerRole, httpapi.TermField, httpapi.RoleField)
	}
}

func TestTermOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		"7": 7, "": 0, "-1": 0, "x": 0, "1e9": 0, "9007199254740991": 1<<53 - 1, "9007199254740992": 0, "99999999999999999999": 0,
	} {
		if got := termOf(http.Header{headerTerm: {text}}); got != want {
			t.Errorf("termOf(%q) = %d, want %d", text, got, want)
		}
	}
}
