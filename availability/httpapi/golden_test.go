package httpapi_test

import (
	"bufio"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/event"
)

var update = flag.Bool("update", false, "write the golden files anew; review the difference")

const answerMark = "-- answer --\n"

// bluecatUser takes Gateway's header: carol may read, nobody else is known but
// alice.
func bluecatUser(r *http.Request, s httpapi.Scope) (string, error) {
	user, _ := strings.CutPrefix(r.Header.Get("Auth"), "Basic ")
	switch {
	case user == "alice", user == "carol" && s == httpapi.ScopeRead:
		return user, nil
	case user == "carol":
		return user, httpapi.ErrForbidden
	}
	return user, httpapi.ErrUnauthenticated
}

// TestGolden_BlueCat plays requests as BlueCat documents them, in the order of
// the files, to two nodes without settings. Host says which node is asked.
func TestGolden_BlueCat(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "bluecat", "*.txt"))
	if err != nil || len(files) < 20 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	inLab(t, func(t *testing.T, l *lab) {
		nodes := map[string]*node{}
		for _, name := range []string{"a", "b"} {
			n := l.start(func(c *availability.Config, h *httpapi.Config) {
				c.Settings = availability.Settings{}
				h.Authorize = bluecatUser
			})
			nodes[name] = n
		}
		for _, file := range files {
			playFile(t, l, nodes, file)
		}
	})
}

// playFile sends the request of a file and compares the answer.
func playFile(t *testing.T, l *lab, nodes map[string]*node, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	request, want, _ := strings.Cut(string(text), answerMark)
	r := parseRequest(t, request)
	n := nodes[r.Host]
	if n == nil {
		t.Fatalf("%s: there is no node %q", file, r.Host)
	}
	w := httptest.NewRecorder()
	n.api.ServeHTTP(w, r)
	l.wait("both know the same", func() bool { return settled(nodes["a"], nodes["b"]) })
	got := answerText(w)
	if *update {
		if err := os.WriteFile(file, []byte(request+answerMark+got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: mismatch (-want +got):\n%s", file, diff)
	}
}

// settled: what one node was told the other has heard of.
func settled(x, y *node) bool {
	a, b := x.GetNodeState(), y.GetNodeState()
	if a.NodeRole == event.RoleNotInGroup || b.NodeRole == event.RoleNotInGroup {
		return true
	}
	s, o := x.Info().Configuration, y.Info().Configuration
	return a.PrimaryID == b.PrimaryID && s.Timing == o.Timing && s.GroupFQDNTTL == o.GroupFQDNTTL &&
		a.HeartbeatMethod == event.HeartbeatDirect && b.HeartbeatMethod == event.HeartbeatDirect
}

// parseRequest reads a method and a target, header fields, and a body.
func parseRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		t.Fatalf("no request: %q", line)
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields + "\n\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header = http.Header(header)
	r.Host = header.Get("Host")
	return r
}

// answerText leaves out what differs from one run to the next.
func answerText(w *httptest.ResponseRecorder) string {
	times := regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00`)
	terms := regexp.MustCompile(`"term": \d+`)
	head := fmt.Sprintf("%d %s\n", w.Code, http.StatusText(w.Code))
	for _, name := range []string{"Allow", "Cache-Control", "Content-Type", "Www-Authenticate"} {
		if value := w.Header().Get(name); value != "" {
			head += name + ": " + value + "\n"
		}
	}
	body := times.ReplaceAllString(w.Body.String(), "2022-11-25T18:28:24+00:00")
	return head + "\n" + terms.ReplaceAllString(body, `"term": 7`)
}
