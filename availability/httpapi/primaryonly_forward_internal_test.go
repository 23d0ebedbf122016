package httpapi

import (
	"net/http"
	"testing"
)

func TestNotServed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status            int
		role, said, asked string
		want              bool
	}{
		"a Secondary":                      {503, "secondary", "7", "", true},
		"a node that has left":             {503, "not_in_group", "", "", true},
		"a Primary that is overruled":      {503, "primary", "7", "8", true},
		"the Primary's own 503":            {503, "primary", "8", "8", false},
		"its own 503, asked without terms": {503, "primary", "8", "", false},
		"a host that knows no terms":       {503, "", "", "8", false},
		"served":                           {200, "primary", "7", "8", false},
	} {
		r := &http.Response{StatusCode: tt.status, Header: http.Header{}, Request: &http.Request{Header: http.Header{}}}
		r.Header.Set(RoleField, tt.role)
		r.Header.Set(TermField, tt.said)
		r.Request.Header.Set(TermField, tt.asked)
		if got := notServed(r); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
