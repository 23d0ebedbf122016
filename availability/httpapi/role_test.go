package httpapi_test

import (
	"strconv"
	"testing"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// Of two nodes that say primary, one was stopped: whoever asks can tell which,
// with GET, HEAD and OPTIONS.
func TestRoles_TellTheTerm(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		for role, n := range map[string]*node{"primary": a, "secondary": b} {
			term := strconv.FormatUint(n.GetNodeState().Term, 10)
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				h := n.ask(t, method, "primary", "").Header()
				if h.Get(httpapi.RoleField) != role || h.Get(httpapi.TermField) != term {
					t.Errorf("%s at the %s: %v, want term %s", method, role, h, term)
				}
			}
		}
	})
}
