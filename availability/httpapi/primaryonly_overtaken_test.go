package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// stopped is a process that takes requests and does not go on.
func stopped(free <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-free })
}

// What may be repeated does not wait for a Primary that was stopped, or whose
// machine is dead, when another node has taken over, but is served there. The
// rest waits for its client.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		w := newWeb()
		defer w.end()
		a, b := l.pair(plain)
		c := l.start(plain)
		if err := c.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.wait("b has heard of c", func() bool { return len(b.Info().Members) == 3 })
		free := make(chan struct{})
		defer close(free)
		w.open(a, stopped(free), forwarding)
		sites := []*site{w.open(b, hello(b.Group), forwarding), w.open(c, hello(c.Group), forwarding)}
		type answer struct {
			*httptest.ResponseRecorder
			method string
			after  time.Duration
		}
		answers := make(chan answer)
		start := time.Now()
		const patience = 10 * time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for _, s := range sites {
			for _, method := range []string{"PUT", "POST"} {
				go func() {
					r := httptest.NewRequestWithContext(ctx, method, "/x", nil)
					got := httptest.NewRecorder()
					s.ServeHTTP(got, r)
					answers <- answer{got, method, time.Since(start)}
				}()
			}
		}
		synctest.Wait()
		l.isolate(a)
		var next *node
		l.wait("there is another Primary", func() bool {
			for _, n := range []*node{b, c} {
				if n.IsPrimary() {
					next = n
				}
			}
			return next != nil
		})
		since := time.Since(start)
		for range 2 * len(sites) {
			got := <-answers
			switch by := got.Header().Get("Served-By"); got.method {
			case "PUT":
				if got.Code != 200 || by != next.GetNodeState().NodeID || got.after > since+5*time.Second {
					t.Errorf("PUT: status %d by %q after %v; another node was Primary after %v", got.Code, by, got.after, since)
				}
			case "POST":
				if refused(t, got.ResponseRecorder, 502, "unknown_end"); got.after != patience {
					t.Errorf("POST has ended after %v", got.after)
				}
			}
		}
	})
}

// An answer that has begun is passed on to its end, whoever is Primary by then.
func TestOvertaken_AnswerHasBegun(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
		free := make(chan struct{})
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-free
			_, _ = w.Write([]byte("the end"))
		}), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, second, "GET", "/", "") }()
		synctest.Wait()
		l.isolate(a)
		l.wait("b is Primary", b.IsPrimary)
		close(free)
		if got := <-ended; got.Code != 200 || got.Body.String() != "the end" || got.Header().Get(httpapi.TermField) == "" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}

// A Primary that is another one when the attempt begins is not waited for.
func TestOvertaken_BeforeItBegins(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		second := w.open(b, hello(b.Group), forwarding, func(c *httpapi.PrimaryOnlyConfig) {
			c.Transport = carrier(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			c.BaseURL = func(availability.Member) *url.URL { // it is asked when it is settled who is Primary
				if err := a.Failover(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second) // until everybody has been told
				return nil
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := httptest.NewRecorder()
		second.ServeHTTP(got, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		if by := got.Header().Get("Served-By"); got.Code != 200 || by != "b" {
			t.Errorf("status %d by %q: %s", got.Code, by, got.Body)
		}
	})
}
