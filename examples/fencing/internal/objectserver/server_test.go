package objectserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/internal/objectserver"
)

// send sends one request to the object x, with one header in any number of
// lines.
func send(t *testing.T, s *objectserver.Server, method, header, body string, lines ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/x", strings.NewReader(body))
	for _, line := range lines {
		r.Header.Add(header, line)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// TestConditions goes through RFC 9110 §13.1.1 and §13.1.2. The object that is
// there has the tag "1".
func TestConditions(t *testing.T) {
	t.Parallel()
	const match, noneMatch = "If-Match", "If-None-Match"
	for name, tt := range map[string]struct {
		header string
		lines  []string
		put    int // the status of a PUT to the object
		create int // of a PUT where there is none
		get    int
	}{
		"none":                      {"", nil, 204, 201, 200},
		"the tag":                   {match, []string{`"1"`}, 204, 412, 200},
		"another":                   {match, []string{`"2"`}, 412, 412, 412},
		"in a list":                 {match, []string{`"2", "1"`}, 204, 412, 200},
		"in a second line":          {match, []string{`"2"`, `"1"`}, 204, 412, 200},
		"with empty elements":       {match, []string{` ,, "1" , `}, 204, 412, 200},
		"a comma in a tag":          {match, []string{`"2,","1"`}, 204, 412, 200},
		"any":                       {match, []string{"*"}, 204, 412, 200},
		"a weak one":                {match, []string{`W/"1"`}, 412, 412, 412},
		"the empty tag":             {match, []string{`""`}, 412, 412, 412},
		"not the tag":               {noneMatch, []string{`"1"`}, 412, 201, 304},
		"not another":               {noneMatch, []string{`"2"`}, 204, 201, 200},
		"none of a list":            {noneMatch, []string{`"2","1"`}, 412, 201, 304},
		"not any":                   {noneMatch, []string{"*"}, 412, 201, 304},
		"not a weak one":            {noneMatch, []string{`W/"1"`}, 412, 201, 304},
		"a date, which nothing has": {"If-Unmodified-Since", []string{"Mon, 01 Jan 2001 00:00:00 GMT"}, 204, 201, 200},
		"no quotes":                 {match, []string{"1"}, 400, 400, 400},
		"an open quote":             {match, []string{`"1`}, 400, 400, 400},
		"nothing":                   {match, []string{""}, 400, 400, 400},
		"commas":                    {noneMatch, []string{",,"}, 400, 400, 400},
		"no comma":                  {match, []string{`"1" "2"`}, 400, 400, 400},
		"any and one":               {match, []string{`*, "1"`}, 400, 400, 400},
		"a space in a tag":          {match, []string{`"1 2"`}, 400, 400, 400},
		"a weak sign in lower case": {match, []string{`w/"1"`}, 400, 400, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, empty := &objectserver.Server{Generations: true}, &objectserver.Server{Generations: true}
			send(t, there, http.MethodPut, "", "old").Body.Close()
			get := send(t, there, http.MethodGet, tt.header, "", tt.lines...)
			defer get.Body.Close()
			put := send(t, there, http.MethodPut, tt.header, "new", tt.lines...)
			defer put.Body.Close()
			create := send(t, empty, http.MethodPut, tt.header, "new", tt.lines...)
			defer create.Body.Close()
			if get.StatusCode != tt.get || put.StatusCode != tt.put || create.StatusCode != tt.create {
				t.Errorf("GET %d, PUT %d, PUT of a new one %d; want %d, %d, %d",
					get.StatusCode, put.StatusCode, create.StatusCode, tt.get, tt.put, tt.create)
			}
			if n := len(there.Versions("/x")); (n == 2) != (tt.put == 204) {
				t.Errorf("%d versions after PUT %d", n, put.StatusCode)
			}
			if n := len(empty.Versions("/x")); (n == 1) != (tt.create == 201) {
				t.Errorf("%d versions after PUT %d of a new one", n, create.StatusCode)
			}
		})
	}
}

// TestMissing: conditions are not looked at where the answer is an error
// without them (RFC 9110 §13.2.1).
func TestMissing(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		answer := send(t, &objectserver.Server{}, method, "If-Match", "", "*")
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", method, answer.Status)
		}
	}
	answer := send(t, &objectserver.Server{}, http.MethodDelete, "", "")
	answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %s", answer.Status)
	}
}

// TestTags: tags of contents come again with the content, generations do not.
func TestTags(t *testing.T) {
	t.Parallel()
	for _, generations := range []bool{false, true} {
		s := &objectserver.Server{Generations: generations}
		var tags []string
		for _, content := range []string{"a", "b", "a"} {
			answer := send(t, s, http.MethodPut, "", content)
			answer.Body.Close()
			tags = append(tags, answer.Header.Get("ETag"))
		}
		if tags[0] == tags[1] || (tags[0] == tags[2]) == generations {
			t.Errorf("generations %t: %q", generations, tags)
		}
	}
}

// TestOneWins: of many writers under the same condition one is let through.
func TestOneWins(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"If-Match", "If-None-Match"} {
		s := &objectserver.Server{}
		value := "*"
		if header == "If-Match" {
			answer := send(t, s, http.MethodPut, "", "old")
			answer.Body.Close()
			value = answer.Header.Get("ETag")
		}
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				answer := send(t, s, http.MethodPut, header, strings.Repeat("x", i+1), value)
				answer.Body.Close()
				if answer.StatusCode < 300 {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || s.Refused() != 7 {
			t.Errorf("%s: %d were let through, %d refused", header, won.Load(), s.Refused())
		}
	}
}

// FuzzConditions: no header makes the server fail, and one that it takes is
// never let through both with and without the negation.
func FuzzConditions(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"1"`, "*", `"1","2"`, `, "1" ,`, `"`, "", "\"\xff\"", `"1"x`, `W/`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := &objectserver.Server{Generations: true}
		send(t, s, http.MethodPut, "", "old").Body.Close()
		match := send(t, s, http.MethodGet, "If-Match", "", value)
		match.Body.Close()
		noneMatch := send(t, s, http.MethodGet, "If-None-Match", "", value)
		noneMatch.Body.Close()
		if (match.StatusCode == 400) != (noneMatch.StatusCode == 400) {
			t.Errorf("%q: If-Match %s, If-None-Match %s", value, match.Status, noneMatch.Status)
		}
		if match.StatusCode == 200 && noneMatch.StatusCode != 304 {
			t.Errorf("%q matches, and If-None-Match: %s", value, noneMatch.Status)
		}
	})
}
