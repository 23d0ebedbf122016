package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// book is a ledger of a test.
type book func(ctx context.Context, e entry) error

func (b book) write(ctx context.Context, e entry) error { return b(ctx, e) }

// node is the program of node i, without its HTTP server.
func node(c *agtest.Cluster, i int, l ledger) http.Handler {
	h := &host{group: c.Group(i), ledger: l, log: slog.New(slog.DiscardHandler)}
	mux := http.NewServeMux()
	h.handle(mux)
	return mux
}

func post(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, http.NoBody))
	return w
}

// want checks an answer, and returns where it leads.
func want(t *testing.T, what string, answer *httptest.ResponseRecorder, status int) (location string) {
	t.Helper()
	if answer.Code != status {
		t.Errorf("%s: status %d, want %d: %s", what, answer.Code, status, answer.Body)
	}
	return answer.Header().Get("Location")
}

func TestWorkflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		old := c.Group(0).GetNodeState().Term
		var got []entry
		l := book(func(_ context.Context, e entry) error { got = append(got, e); return nil })
		a, b := node(c, 0, l), node(c, 1, l)
		want(t, "an order at the Primary", post(a, "/orders/1"), http.StatusOK)
		want(t, "a reminder at the Primary", post(a, "/reminders/2"), http.StatusOK)
		if to := want(t, "an order at the Secondary", post(b, "/orders/3"), http.StatusTemporaryRedirect); to != "https://192.0.2.1:443/orders/3" {
			t.Errorf("an order at the Secondary is sent to %q", to)
		}
		refused := post(b, "/reminders/4")
		want(t, "a reminder at the Secondary", refused, http.StatusServiceUnavailable)
		if refused.Header().Get("Retry-After") == "" {
			t.Error("a refusal does not say when to come again")
		}
		c.Node(0).Kill()
		if p := c.Primary(t.Context()); p != 1 {
			t.Fatalf("node %d is Primary, want 1", p)
		}
		want(t, "an order at the new Primary", post(b, "/orders/5"), http.StatusOK)
		term := c.Group(1).GetNodeState().Term
		wanted := []entry{
			{ID: "1", Kind: "order", Node: "a", Term: old},
			{ID: "2", Kind: "reminder", Node: "a", Term: old},
			{ID: "5", Kind: "order", Node: "b", Term: term},
		}
		if diff := cmp.Diff(wanted, got); diff != "" || term <= old {
			t.Errorf("entries mismatch in term %d (-want +got):\n%s", term, diff)
		}
	})
}

// A planned failover waits for an entry that is being written, and what comes
// after it goes to the next Primary.
func TestWorkflow_FailoverMeetsAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		begun, goOn := make(chan struct{}), make(chan struct{})
		a := node(c, 0, book(func(ctx context.Context, _ entry) error {
			close(begun)
			<-goOn
			return ctx.Err()
		}))
		first, second := make(chan *httptest.ResponseRecorder), make(chan *httptest.ResponseRecorder)
		go func() { first <- post(a, "/orders/1") }()
		<-begun
		moved := make(chan error)
		go func() { moved <- c.Group(0).Failover(t.Context()) }()
		synctest.Wait()
		go func() { second <- post(a, "/orders/2") }()
		close(goOn)
		want(t, "an order that is being written", <-first, http.StatusOK)
		if err := <-moved; err != nil {
			t.Errorf("failover: %v", err)
		}
		if to := want(t, "an order that came later", <-second, http.StatusTemporaryRedirect); to != "https://192.0.2.2:443/orders/2" {
			t.Errorf("an order that came later is sent to %q", to)
		}
	})
}

// An entry that is later than a failover waits is refused by the ledger, and
// the next Primary takes the order.
func TestWorkflow_LateWriteIsPassedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		begun, goOn := make(chan struct{}), make(chan struct{})
		a := node(c, 0, book(func(context.Context, entry) error {
			close(begun)
			<-goOn
			return errOldTerm
		}))
		late := make(chan *httptest.ResponseRecorder)
		go func() { late <- post(a, "/orders/1") }()
		<-begun
		if err := c.Group(0).Failover(t.Context()); err != nil {
			t.Fatalf("failover: %v", err)
		}
		close(goOn)
		if to := want(t, "a late order", <-late, http.StatusTemporaryRedirect); to != "https://192.0.2.2:443/orders/1" {
			t.Errorf("a late order is sent to %q", to)
		}
	})
}

func TestWorkflow_LedgerFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := agtest.New(t, 1)
		broken := node(c, 0, book(func(context.Context, entry) error { return io.ErrUnexpectedEOF }))
		want(t, "an order of unknown end", post(broken, "/orders/1"), http.StatusBadGateway)
		old := node(c, 0, book(func(context.Context, entry) error { return errOldTerm }))
		want(t, "an order of an old term", post(old, "/orders/2"), http.StatusServiceUnavailable)
		want(t, "a reminder of an old term", post(old, "/reminders/3"), http.StatusServiceUnavailable)
	})
}

func TestLedger_Remote(t *testing.T) {
	t.Parallel()
	var got string
	answers := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body) // what is missing is seen below
		got = string(text)
		w.WriteHeader(answers)
	}))
	defer s.Close()
	l, err := newLedger(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	e := entry{ID: "1", Kind: "order", Node: "a", Term: 7}
	for status, tt := range map[int]struct{ ok, old bool }{
		200: {ok: true}, 201: {ok: true}, 204: {ok: true}, 409: {old: true}, 500: {}, 302: {}, 404: {},
	} {
		answers = status
		err := l.write(t.Context(), e)
		if (err == nil) != tt.ok || errors.Is(err, errOldTerm) != tt.old {
			t.Errorf("status %d: %v", status, err)
		}
	}
	if want := `{"id":"1","kind":"order","node":"a","term":7}`; got != want {
		t.Errorf("the ledger got %s, want %s", got, want)
	}
	s.Close()
	if err := l.write(t.Context(), e); err == nil || errors.Is(err, errOldTerm) {
		t.Errorf("no ledger: %v", err)
	}
}

func TestLedger_File(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "ledger.txt")
	l, err := newLedger(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2"} {
		if err := l.write(t.Context(), entry{ID: id, Kind: "order", Node: "a", Term: 7}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	wanted := `{"id":"1","kind":"order","node":"a","term":7}` + "\n" + `{"id":"2","kind":"order","node":"a","term":7}` + "\n"
	if diff := cmp.Diff(wanted, string(text)); diff != "" {
		t.Errorf("file mismatch (-want +got):\n%s", diff)
	}
}

// Every mistake in the configuration is named before anything starts.
func TestRun_MistakesAreNamed(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		`{"elsewhere": "refuse", "ledger": "x"}`: "neither redirect nor forward",
		`{"ledgre": "x"}`:                        "ledgre",
		`{}`:                                     "ledger: needed",
		`{"ledger": "x", "bootstrap": "create"}`: "group_fqdn",
	} {
		name := filepath.Join(t.TempDir(), "workflow.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), name, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, want %q", text, err, problem)
		}
	}
}

func TestOnlyHere(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from, host, proxied string
		ok                  bool
	}{
		"this machine":    {"127.0.0.1:5", "127.0.0.1:8080", "", true},
		"IPv6":            {"[::1]:5", "[::1]:8080", "", true},
		"another machine": {"192.0.2.1:5", "127.0.0.1:8080", "", false},
		"another name":    {"127.0.0.1:5", "evil.example.net:8080", "", false},
		"a proxy":         {"127.0.0.1:5", "127.0.0.1:8080", "192.0.2.1", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+tt.host, http.NoBody)
		r.RemoteAddr = tt.from
		if tt.proxied != "" {
			r.Header.Set("X-Forwarded-For", tt.proxied)
		}
		if _, err := onlyHere(r, httpapi.ScopeChange); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
