package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// What becomes of a request, by what is chosen and the role of the node. One
// that is no member, and knows of the group, sends to its Primary as well.
func TestPrimaryOnly_Table(t *testing.T) {
	t.Parallel()
	reads := func(c *httpapi.PrimaryOnlyConfig) { c.SafeMethods = true }
	type want struct {
		status                               int
		servedBy, role, connection, location string
	}
	const at = "http://192.0.2.1:80/x?y=%20z"
	for name, tt := range map[string]struct {
		edit            func(*httpapi.PrimaryOnlyConfig)
		method          string
		a, b, elsewhere want
	}{
		"redirect": {
			redirecting, "POST",
			want{200, "a", "primary", "", ""},
			want{307, "", "secondary", "close", at},
			want{307, "", "not_in_group", "close", at},
		},
		"forward": {
			forwarding, "POST",
			want{200, "a", "primary", "", ""},
			want{200, "a", "primary", "close", ""},
			want{200, "a", "primary", "close", ""},
		},
		"refuse": {
			refusing, "GET",
			want{200, "a", "primary", "", ""},
			want{503, "", "secondary", "close", ""},
			want{503, "", "not_in_group", "close", ""},
		},
		"unknown": {
			func(c *httpapi.PrimaryOnlyConfig) { c.Elsewhere = "?" }, "GET",
			want{200, "a", "primary", "", ""},
			want{503, "", "secondary", "close", ""},
			want{503, "", "not_in_group", "close", ""},
		},
		"reads pass": {
			reads, "GET",
			want{200, "a", "primary", "", ""},
			want{200, "b", "secondary", "close", ""},
			want{307, "", "not_in_group", "close", at},
		},
		"writes do not": {
			reads, "DELETE",
			want{200, "a", "primary", "", ""},
			want{307, "", "secondary", "close", at},
			want{307, "", "not_in_group", "close", at},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
				stranger := l.start(plain)
				body := ""
				if tt.method == "POST" {
					body = "text"
				}
				got := func(h http.Handler) want {
					r := try(t, h, tt.method, "/x?y=%20z", body)
					f := r.Header()
					if r.Code == 200 && r.Body.String() != tt.method+" /x?y=%20z "+body {
						t.Errorf("body %q", r.Body)
					}
					return want{r.Code, f.Get("Served-By"), f.Get(httpapi.RoleField), f.Get("Connection"), f.Get("Location")}
				}
				diff := cmp.Diff([]want{tt.a, tt.b, tt.elsewhere}, []want{
					got(w.open(a, hello(a.Group), tt.edit)), got(w.open(b, hello(b.Group), tt.edit)),
					got(w.open(stranger, hello(stranger.Group), tt.edit)),
				}, cmp.AllowUnexported(want{}))
				if diff != "" {
					t.Errorf("mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestPrimaryOnly_NoGroup(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		for _, edit := range []func(*httpapi.PrimaryOnlyConfig){redirecting, forwarding, refusing} {
			c := httpapi.PrimaryOnlyConfig{}
			edit(&c)
			start := time.Now()
			refused(t, try(t, httpapi.PrimaryOnly(a.Group, hello(a.Group), c), "GET", "/", ""), 503, "not_in_group")
			if took := time.Since(start); took > 0 {
				t.Errorf("held for %v", took)
			}
		}
	})
}

// The context of a request is that of the tenure, and ends with it.
func TestPrimaryOnly_Context(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, _ *node) {
		seen := make(chan error, 1)
		s := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			term, err := a.Guard(ctx)
			if got, ok := availability.TermFromContext(ctx); err != nil || !ok || got != term || w.Header().Get(httpapi.TermField) != fmt.Sprint(term) {
				t.Errorf("term %d, %v in the context, %d, %v by Guard, field %q", got, ok, term, err, w.Header().Get(httpapi.TermField))
			}
			<-ctx.Done()
			_, err = a.Guard(ctx)
			seen <- errors.Join(context.Cause(ctx), err)
			_, _ = w.Write([]byte("done before"))
		}))
		answer := make(chan *httptest.ResponseRecorder)
		go func() { answer <- try(t, s, "GET", "/", "") }()
		synctest.Wait()
		if err := a.Failover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-seen; !errors.Is(err, availability.ErrNotPrimary) || strings.Count(err.Error(), "\n") != 1 {
			t.Errorf("the context has ended with %v", err)
		}
		// What was done before the handover is answered as it is.
		if got := <-answer; got.Code != 200 || got.Body.String() != "done before" || got.Header().Get(httpapi.RoleField) != "primary" {
			t.Errorf("answer %d %s", got.Code, got.Body)
		}
	})
}

// A planned failover waits for the requests under way, but not for ever; one
// that panics is not waited for.
func TestPrimaryOnly_HandoverWaits(t *testing.T) {
	t.Parallel()
	const stopBudget = 4500 * time.Millisecond
	forEver := make(chan struct{})
	for name, tt := range map[string]struct {
		work        func()
		least, most time.Duration
	}{
		"short":    {func() { time.Sleep(time.Second) }, time.Second, time.Second},
		"hanging":  {func() { <-forEver }, stopBudget, stopBudget + time.Second},
		"too long": {func() { time.Sleep(time.Minute) }, stopBudget, stopBudget + time.Second},
		"panic":    {func() { panic(http.ErrAbortHandler) }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				ended, free := make(chan any), make(chan struct{})
				s := w.open(a, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					if name == "hanging" {
						<-free
						return
					}
					tt.work()
				}))
				go func() {
					defer func() { ended <- recover() }()
					try(t, s, "POST", "/", "")
				}()
				if name == "panic" {
					if got, _ := (<-ended).(error); !errors.Is(got, http.ErrAbortHandler) {
						t.Errorf("the panic became %v", got)
					}
				}
				synctest.Wait()
				start := time.Now()
				if err := a.Failover(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < tt.least || took > tt.most || !b.IsPrimary() {
					t.Errorf("the failover took %v, want %v to %v", took, tt.least, tt.most)
				}
				close(free)
				if name != "panic" {
					<-ended
				}
			})
		})
	}
}

// A request that has seen a newer term is never served by a node that has not.
func TestPrimaryOnly_NewerTerm(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*httpapi.PrimaryOnlyConfig){
		"redirect": redirecting, "forward": forwarding, "refuse": refusing,
		"reads": func(c *httpapi.PrimaryOnlyConfig) { c.SafeMethods = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				first, second := w.open(a, hello(a.Group), edit), w.open(b, hello(b.Group), edit)
				term := a.GetNodeState().Term
				now, newer := fmt.Sprint(term), fmt.Sprint(term+1)
				looks := a.faulty.Calls().Lookups
				a.faulty.Delay(time.Second, 0)
				var asking sync.WaitGroup
				for range 3 {
					asking.Go(func() {
						refused(t, try(t, first, "GET", "/", "", httpapi.TermField, newer), 503, "newer_term")
					})
				}
				asking.Wait()
				refused(t, try(t, first, "GET", "/", "", httpapi.TermField, newer), 503, "newer_term")
				a.faulty.Heal()
				if got := a.faulty.Calls().Lookups - looks; got != 1 {
					t.Errorf("requests of a newer term made the Primary look %d times, want once", got)
				}
				refused(t, try(t, second, "GET", "/", "", httpapi.TermField, newer), 503, "newer_term")
				for _, n := range []string{now, "1", "0"} {
					if got := try(t, first, "GET", "/", "", httpapi.TermField, n); got.Code != 200 || got.Header().Get(httpapi.TermField) != now {
						t.Errorf("term %s: status %d, term %q", n, got.Code, got.Header().Get(httpapi.TermField))
					}
				}
				for _, n := range []string{"", "-1", "x", "1.5", "18446744073709551616", "0x1", " 1", "1,2"} {
					refused(t, try(t, first, "GET", "/", "", httpapi.TermField, n), 400, "bad_term")
				}
				refused(t, try(t, second, "GET", "/", "", httpapi.TermField, now, httpapi.TermField, now), 400, "bad_term")
			})
		})
	}
}

// What the Primary finds when it looks is logged; it goes on by its own rules.
func TestPrimaryOnly_NewerTermIsLookedAt(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, _ *node) {
		s := w.open(a, hello(a.Group), func(c *httpapi.PrimaryOnlyConfig) { c.Logger = a.logger() })
		newer := fmt.Sprint(a.GetNodeState().Term + 1)
		try(t, s, "GET", "/", "", httpapi.TermField, newer)
		a.faulty.Cut()
		time.Sleep(4 * time.Second) // U, the pause between two looks
		start := time.Now()
		refused(t, try(t, s, "GET", "/", "", httpapi.TermField, newer), 503, "newer_term")
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("a request of a newer term waited %v for the store", took)
		}
		a.faulty.Heal()
		for _, text := range []string{"a term that the record has not", "the record cannot be read"} {
			if !strings.Contains(a.log.String(), text) {
				t.Errorf("the log lacks %q:\n%s", text, a.log)
			}
		}
	})
}

// A Primary that was overruled, and does not know yet, serves no client that
// does, and says what it has found.
func TestPrimaryOnly_Overruled(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
		s := w.open(a, hello(a.Group), func(c *httpapi.PrimaryOnlyConfig) { c.Logger = a.logger() })
		l.net.Cut("a", "b")
		l.net.Cut("b", "a")
		if err := b.Failover(t.Context(), availability.Force("a is dead, they say")); err != nil {
			t.Fatal(err)
		}
		if !a.IsPrimary() {
			t.Fatal("a knows already")
		}
		newer := fmt.Sprint(b.GetNodeState().Term)
		refused(t, try(t, s, "GET", "/", "", httpapi.TermField, newer), 503, "newer_term")
		if text := "the record does not name this node"; !strings.Contains(a.log.String(), text) {
			t.Errorf("the log lacks %q:\n%s", text, a.log)
		}
		l.wait("a knows", func() bool { return !a.IsPrimary() })
		if got := try(t, s, "GET", "/", "", httpapi.TermField, newer); got.Code != 307 {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}

// Nothing is forwarded twice, nor sent on that was forwarded.
func TestPrimaryOnly_Loop(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*httpapi.PrimaryOnlyConfig){
		"redirect": redirecting, "forward": forwarding, "refuse": refusing,
		"reads": func(c *httpapi.PrimaryOnlyConfig) { c.SafeMethods = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				first, second := w.open(a, hello(a.Group), edit), w.open(b, hello(b.Group), edit)
				refused(t, try(t, second, "GET", "/", "", httpapi.ForwardedField, "c"), 503, "forwarded")
				if got := try(t, first, "GET", "/", "", httpapi.ForwardedField, "c"); got.Code != 200 {
					t.Errorf("a forwarded request at the Primary: status %d", got.Code)
				}
			})
		})
	}
}

// Held requests are bounded in time and in number, and end with their clients.
func TestPrimaryOnly_Hold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit        func(*httpapi.PrimaryOnlyConfig)
		least, most time.Duration
		reason      string
	}{
		"by default":   {redirecting, 6500 * time.Millisecond, 6500 * time.Millisecond, "no_primary"}, // δ + 2 s
		"forwarding":   {forwarding, 6500 * time.Millisecond, 6500 * time.Millisecond, "no_primary"},
		"as told":      {func(c *httpapi.PrimaryOnlyConfig) { c.HoldFor = time.Second }, time.Second, time.Second, "no_primary"},
		"not at all":   {func(c *httpapi.PrimaryOnlyConfig) { c.HoldFor = -1 }, 0, 0, "no_primary"},
		"none allowed": {func(c *httpapi.PrimaryOnlyConfig) { c.HoldLimit = -1 }, 0, 0, "too_many"},
		"refusing":     {refusing, 0, 0, "not_primary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
				first := w.open(a, hello(a.Group), tt.edit)
				l.withoutPrimary()
				start := time.Now()
				got := try(t, first, "GET", "/", "")
				if took := time.Since(start); took < tt.least || took > tt.most {
					t.Errorf("held for %v, want %v to %v", took, tt.least, tt.most)
				}
				refused(t, got, 503, tt.reason)
			})
		})
	}
}

func TestPrimaryOnly_HoldLimit(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
		first := w.open(a, hello(a.Group), func(c *httpapi.PrimaryOnlyConfig) { c.HoldLimit = 2 })
		l.withoutPrimary()
		ended := make(chan int)
		for range 2 {
			go func() { ended <- try(t, first, "GET", "/", "").Code }()
		}
		synctest.Wait()
		refused(t, try(t, first, "GET", "/", ""), 503, "too_many")
		for range 2 {
			if got := <-ended; got != 503 {
				t.Errorf("status %d", got)
			}
		}
		// The places are free again. No request outlives its client.
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		rec := httptest.NewRecorder()
		first.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		refused(t, rec, 503, "no_primary")
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("held for %v, until the client had gone", took)
		}
	})
}

// A held request is served at the moment that there is a Primary, and leaves
// its place among the held to another.
func TestPrimaryOnly_HeldIsServed(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
		s := w.open(a, hello(a.Group), func(c *httpapi.PrimaryOnlyConfig) { c.HoldFor, c.HoldLimit = time.Hour, 1 })
		if err := a.Pause(t.Context(), "so that a has the role again"); err != nil {
			t.Fatal(err)
		}
		l.withoutPrimary()
		ended := make(chan time.Time, 1)
		go func() {
			if got := try(t, s, "POST", "/", "text"); got.Code != 200 {
				t.Errorf("status %d %s", got.Code, got.Body)
			}
			ended <- time.Now()
		}()
		time.Sleep(10*time.Second + 77*time.Millisecond) // in the midst of a pause
		since := make(chan time.Time, 1)
		go func() {
			_, done, err := a.PrimaryContext(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			since <- time.Now()
		}()
		a.faulty.Heal()
		if late := (<-ended).Sub(<-since); late != 0 {
			t.Errorf("a held request was served %v after there was a Primary", late)
		}
		l.withoutPrimary()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			ended <- time.Now()
		}()
		synctest.Wait()
		refused(t, try(t, s, "GET", "/", ""), 503, "too_many")
		cancel()
		<-ended
	})
}

// When the group has ended here, and nobody has the role, nothing is held for
// long: the program waits for its requests.
func TestPrimaryOnly_HoldEnds(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		if err := a.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		h := httpapi.PrimaryOnly(a.Group, hello(a.Group), httpapi.PrimaryOnlyConfig{HoldFor: time.Hour})
		a.cancel()
		<-a.Done()
		start := time.Now()
		refused(t, try(t, h, "GET", "/", ""), 503, "no_primary")
		if took := time.Since(start); took > time.Second {
			t.Errorf("held for %v after the end", took)
		}
	})
}

// In HTTP/2 too a connection to a node that is not Primary is not used again.
func TestPrimaryOnly_HTTP2(t *testing.T) {
	t.Parallel()
	a, b, stop := twoNodes(nil)
	defer stop()
	for _, tt := range []struct {
		group *availability.Group
		conns int
	}{{a, 1}, {b, 3}} {
		server := httptest.NewUnstartedServer(httpapi.PrimaryOnly(tt.group, hello(tt.group), httpapi.PrimaryOnlyConfig{SafeMethods: true}))
		server.EnableHTTP2 = true
		server.StartTLS()
		conns := map[string]bool{}
		for range 3 {
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GotConn: func(i httptrace.GotConnInfo) { conns[i.Conn.LocalAddr().String()] = true },
			})
			r, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(answer.Body); err != nil || answer.ProtoMajor != 2 {
				t.Errorf("%s: %v", answer.Proto, err)
			}
			answer.Body.Close()
		}
		if len(conns) != tt.conns {
			t.Errorf("%d connections for three requests to %s, want %d", len(conns), tt.group.GetNodeState().NodeID, tt.conns)
		}
		server.Close()
	}
}

// BenchmarkPrimaryOnly is what a request costs at the Primary beside what the
// handler does.
func BenchmarkPrimaryOnly(b *testing.B) {
	g, _, stop := twoNodes(nil)
	defer stop()
	h := httpapi.PrimaryOnly(g, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), httpapi.PrimaryOnlyConfig{})
	r := httptest.NewRequestWithContext(b.Context(), "GET", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
