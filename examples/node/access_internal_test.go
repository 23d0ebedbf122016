package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	withToken, err := newAccess(write(t, token+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	open := access{}
	n, _ := newTestNode(t, options{})
	const here, there = "127.0.0.1:5000", "192.0.2.1:5000"
	for name, tt := range map[string]struct {
		may    access
		from   string
		host   string
		header map[string]string
		want   int
	}{
		"this machine":            {open, here, "127.0.0.2:8081", nil, 200},
		"this machine, IPv6":      {open, "[::1]:5000", "[::1]:8081", nil, 200},
		"this machine, by name":   {open, here, "localhost", nil, 200},
		"mapped":                  {open, "[::ffff:127.0.0.1]:5000", "127.0.0.1", nil, 200},
		"another machine":         {open, there, "192.0.2.2:8081", nil, 403},
		"another, lying":          {open, there, "127.0.0.1:8081", nil, 403},
		"through a proxy":         {open, here, "127.0.0.1:8081", map[string]string{"X-Forwarded-For": "127.0.0.1"}, 403},
		"through another":         {open, here, "127.0.0.1:8081", map[string]string{"Forwarded": "for=192.0.2.1"}, 403},
		"through a third":         {open, here, "127.0.0.1:8081", map[string]string{"Via": "1.1 proxy"}, 403},
		"a name made to point":    {open, here, "evil.example:8081", nil, 403},
		"a page of another site":  {open, here, "127.0.0.1:8081", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a page, older browser":   {open, here, "127.0.0.1:8081", map[string]string{"Origin": "http://evil.example"}, 403},
		"a token nobody wants":    {open, there, "192.0.2.2", map[string]string{"Authorization": "Bearer " + token}, 403},
		"the token":               {withToken, there, "gw-a.example:443", map[string]string{"Authorization": "Bearer " + token}, 200},
		"no token":                {withToken, there, "gw-a.example:443", nil, 401},
		"no token, this machine":  {withToken, here, "127.0.0.1", nil, 401},
		"another token":           {withToken, there, "gw-a.example", map[string]string{"Authorization": "Bearer 0123456789abcdeg"}, 401},
		"the token, other scheme": {withToken, there, "gw-a.example", map[string]string{"Authorization": "Basic " + token}, 401},
	} {
		r := httptest.NewRequest(http.MethodPut, "/ag/api/v1/configuration", strings.NewReader(`{"tsig_secret":""}`))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr, r.Host = tt.from, tt.host
		for key, value := range tt.header {
			r.Header.Set(key, value)
		}
		w := httptest.NewRecorder()
		httpapi.New(n.group, httpapi.Config{Authorize: tt.may.authorize}).ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: status = %d %s, want %d", name, w.Code, w.Body, tt.want)
		}
	}
}

func TestNewAccess_Mistakes(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"none": "token_file", write(t, "short\n"): "shorter than 16"} {
		_, err := newAccess(file)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q in it", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "short\n") {
			t.Error("the error quotes the token")
		}
	}
}
