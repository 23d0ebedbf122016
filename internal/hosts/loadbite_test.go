//go:build linux

package hosts_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The program holds no requests in a failover: the clients lose some. It runs
// alone, as TestHosts_Load.
func TestHosts_LoadBites(t *testing.T) {
	need(t)
	impatient := mutant(t, workflowFolder, workflowFolder+"/handlers.go", "holdFor = 5 * time.Second", "holdFor = -1")
	w := newWorkflowOf(t, impatient, "redirect", "bites", patience, &totals{})
	from, to := w.a, w.b
	await(t, "orders have been lost", func() bool {
		w.enter(from, "/failover?to="+to.id)
		w.settle(to, from)
		from, to = to, from
		return len(lost(w.plain.kept())) > 0
	})
	w.plain.stop()
	w.known.stop()
	t.Logf("reported: %s", lost(w.plain.kept())[0])
	if wrong := judgeRequests(w.plain.kept(), w.ledger.kept()); len(wrong) > 0 {
		t.Errorf("nothing but losses, and is found wrong: %q", wrong)
	}
}

// judged is one request and what the ledger has.
type judged struct {
	request
	entries []entry
	want    string // how what is found begins; empty: nothing is
}

func TestJudgeRequests(t *testing.T) {
	t.Parallel()
	at := func(node string, term uint64, accepted bool) entry {
		return entry{node: node, term: term, id: "x", accepted: accepted}
	}
	ok := request{id: "x", status: http.StatusOK, written: written{"x", hostA, 7}}
	no := request{id: "x", status: http.StatusServiceUnavailable, retryAfter: "1"}
	for name, tt := range map[string]judged{
		"served":               {ok, []entry{at(hostA, 7, true)}, ""},
		"served, and refused":  {ok, []entry{at(hostB, 6, false), at(hostA, 7, true)}, ""},
		"another's entry":      {ok, []entry{at(hostA, 7, true), {node: hostB, term: 8, id: "y", accepted: true}}, ""},
		"twice":                {ok, []entry{at(hostA, 7, true), at(hostB, 8, true)}, "SERVED TWICE"},
		"twice by one":         {ok, []entry{at(hostA, 7, true), at(hostA, 7, true)}, "SERVED TWICE"},
		"never":                {ok, nil, "WRONG ANSWER"},
		"by another":           {ok, []entry{at(hostB, 7, true)}, "WRONG ANSWER"},
		"in another term":      {ok, []entry{at(hostA, 8, true)}, "WRONG ANSWER"},
		"refused":              {no, nil, ""},
		"refused and served":   {no, []entry{at(hostA, 7, true)}, "SERVED AND REFUSED"},
		"unheard of":           {request{id: "x"}, nil, ""},
		"unheard of, and done": {request{id: "x"}, []entry{at(hostA, 7, true)}, ""},
	} {
		if got := strings.Join(judgeRequests([]request{tt.request}, tt.entries), "; "); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		request
		want int
	}{
		"an order":                  {request{path: orders, status: 200}, 0},
		"a reminder":                {request{path: reminders, status: 200}, 0},
		"a refused order":           {request{path: orders, status: 503, retryAfter: "1"}, 1},
		"a refused reminder":        {request{path: reminders, status: 503, retryAfter: "1"}, 0},
		"a bare refusal":            {request{path: reminders, status: 503}, 1},
		"a reminder of unknown end": {request{path: reminders, status: 502, retryAfter: "1"}, 1},
		"never sent":                {request{path: orders, err: errTooMany}, 0},
		"no answer":                 {request{path: reminders, err: errors.New("EOF")}, 1},
	} {
		if got := lost([]request{tt.request}); len(got) != tt.want {
			t.Errorf("%s: lost %q, want %d", name, got, tt.want)
		}
	}
}

func TestJudgeTerms(t *testing.T) {
	t.Parallel()
	by := func(node string, term uint64) request { return request{status: 200, written: written{"x", node, term}} }
	for name, tt := range map[string]struct {
		all  []request
		want int
	}{
		"a term each": {[]request{by(hostA, 1), by(hostB, 2), by(hostA, 1)}, 0},
		"one term":    {[]request{by(hostA, 1), by(hostB, 1)}, 1},
	} {
		if got := judgeTerms(tt.all); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}

func TestCountRequests(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	all := []request{
		{status: 200, sent: at(0), answered: at(2)},
		{status: 200, sent: at(10), answered: at(14), redirected: true},
		{status: 503, sent: at(20), answered: at(21), retryAfter: "1"},
		{status: 503, sent: at(30), answered: at(31)},
		{sent: at(40), answered: at(2000)},
		{status: 200, sent: at(5), answered: at(100)},
		{sent: at(50), answered: at(50), err: errTooMany},
	}
	want := "requests 7, served 3 (redirected 1), refused 1, failed 2, not sent 1, longest gap 86 ms, p50 4 ms, p99 95 ms"
	if got := countRequests(all).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
