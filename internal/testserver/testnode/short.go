package testnode

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const api = "/ag/api/v1/"

// call is a request of the HTTP API.
type call struct {
	method, path string
	body         map[string]any
}

// newRequest spells a short form out; what is none stays as it is.
func newRequest(ctx context.Context, method, base, short string) (*http.Request, error) {
	u, err := url.Parse(short)
	if err != nil {
		return nil, err
	}
	spelt, ok := spell(method, u.Path, u.Query())
	if !ok {
		return http.NewRequestWithContext(ctx, method, base+short, http.NoBody)
	}
	if spelt.body == nil {
		return http.NewRequestWithContext(ctx, spelt.method, base+api+spelt.path, http.NoBody)
	}
	text, err := json.Marshal(spelt.body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, spelt.method, base+api+spelt.path, strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

func spell(method, path string, q url.Values) (call, bool) {
	query := ""
	if len(q) > 0 {
		query = "?" + q.Encode()
	}
	all := map[string]call{
		"GET /state":     {"GET", "state", nil},
		"GET /group":     {"GET", "group", nil},
		"GET /stats":     {"GET", "stats", nil},
		"GET /preflight": {"GET", "preflight", nil},
		"POST /create":   {"POST", "group" + query, map[string]any{"tsig_secret": ""}}, // one setting is needed; this one stays
		"POST /join":     {"PUT", "group/members", nil},
		"POST /leave":    {"DELETE", "group/members", nil},
		"POST /remove":   {"DELETE", "group/members" + query, nil},
		"POST /dissolve": {"DELETE", "group", nil},
		"POST /failover": {"PUT", "failover", failover(q)},
		"POST /pause":    {"PUT", "group/pause", map[string]any{"reason": q.Get("reason")}},
		"POST /resume":   {"DELETE", "group/pause", nil},
	}
	c, ok := all[method+" "+path]
	return c, ok
}

func failover(q url.Values) map[string]any {
	switch {
	case q.Has("to"):
		return map[string]any{"to": q.Get("to")}
	case q.Has("force"):
		return map[string]any{"force": true, "reason": q.Get("force")}
	}
	return nil
}
