package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// abyss is where packets vanish: each attempt to reach a member takes as long
// as one by TCP may.
func abyss(attempts *atomic.Int64) carrier {
	return func(*http.Request) (*http.Response, error) {
		attempts.Add(1)
		time.Sleep(3 * time.Second)
		return nil, &net.OpError{Op: "dial", Err: errors.New("timed out")}
	}
}

// carriedBy forwards by a transport of the test's own.
func carriedBy(t http.RoundTripper, limit int) func(*httpapi.PrimaryOnlyConfig) {
	return func(c *httpapi.PrimaryOnlyConfig) {
		c.Elsewhere, c.Transport, c.HoldLimit = httpapi.ElsewhereForward, t, limit
	}
}

// What attempts take counts as being held: the last one has begun before the
// time was over.
func TestHold_AttemptsCount(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		var attempts atomic.Int64
		second := w.open(b, hello(b.Group), carriedBy(abyss(&attempts), 0))
		start := time.Now()
		refused(t, try(t, second, "POST", "/", "text"), 503, "unreachable")
		const hold, dial = 6500 * time.Millisecond, 3 * time.Second
		if took := time.Since(start); took < dial+hold || took > dial+hold+dial || attempts.Load() != 4 {
			t.Errorf("held for %v with %d attempts", took, attempts.Load())
		}
	})
}

// A request keeps its place while it tries again, until there is an answer.
func TestHold_KeepsItsPlace(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		var attempts atomic.Int64
		second := w.open(b, hello(b.Group), carriedBy(abyss(&attempts), 1))
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, second, "POST", "/", "text") }()
		time.Sleep(time.Second) // so that the other one needs a place while this one tries again
		refused(t, try(t, second, "POST", "/", "text"), 503, "too_many")
		refused(t, <-ended, 503, "unreachable")
	})
}

func TestHold_AnswerFreesThePlace(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		var up atomic.Bool
		endless, end := io.Pipe()
		second := w.open(b, hello(b.Group), carriedBy(carrier(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/endless" && up.Load() {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: endless, Request: r}, nil
			}
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}), 1))
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, second, "POST", "/endless", "text") }()
		synctest.Wait()
		refused(t, try(t, second, "POST", "/", "text"), 503, "too_many")
		up.Store(true)
		time.Sleep(time.Second)
		refused(t, try(t, second, "POST", "/", "text"), 503, "unreachable")
		_ = end.Close()
		if got := <-ended; got.Code != 200 {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}

// While somebody works on a request it is not held, however long that takes.
func TestHold_WorkIsNoWaiting(t *testing.T) {
	t.Parallel()
	t.Run("here", func(t *testing.T) {
		t.Parallel()
		inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
			s := w.open(a, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				httpapi.PassOn(r)
			}))
			if err := a.Pause(t.Context(), "so that a has the role again"); err != nil {
				t.Fatal(err)
			}
			l.withoutPrimary()
			ended := make(chan *httptest.ResponseRecorder)
			go func() { ended <- try(t, s, "POST", "/", "text") }()
			time.Sleep(time.Second)
			for _, n := range l.nodes {
				n.faulty.Heal()
			}
			l.net.Heal("a", "b")
			l.net.Heal("b", "a")
			time.Sleep(time.Minute)
			if err := a.Failover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := <-ended; got.Code != 307 {
				t.Errorf("status %d %s", got.Code, got.Body)
			}
		})
	})
	t.Run("at the Primary", func(t *testing.T) {
		t.Parallel()
		inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
			var attempts atomic.Int64
			second := w.open(b, hello(b.Group), carriedBy(carrier(func(r *http.Request) (*http.Response, error) {
				switch attempts.Add(1) {
				case 1, 3:
					return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
				case 2:
					time.Sleep(time.Minute)
					return nil, &net.OpError{Op: "read", Err: errors.New("reset")}
				}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}), 0))
			if got := try(t, second, "PUT", "/", "text"); got.Code != 200 {
				t.Errorf("status %d %s", got.Code, got.Body)
			}
		})
	})
}

// Strangers that say that they have seen a newer term leave places to others;
// for a term that cannot be, nothing is held.
func TestHold_NewerTerms(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		second := w.open(b, hello(b.Group), forwarding, func(c *httpapi.PrimaryOnlyConfig) { c.HoldLimit = 4 })
		term := a.GetNodeState().Term
		for _, far := range []uint64{1<<64 - 1, 1 << 63, term + 3700} {
			start := time.Now()
			refused(t, try(t, second, "GET", "/", "", httpapi.TermField, fmt.Sprint(far)), 503, "newer_term")
			if took := time.Since(start); took > 0 {
				t.Errorf("held for %v for the term %d", took, far)
			}
		}
		ended := make(chan *httptest.ResponseRecorder)
		for _, near := range []uint64{term + 1, uint64(time.Now().Unix()) + 3500} {
			go func() { ended <- try(t, second, "GET", "/", "", httpapi.TermField, fmt.Sprint(near)) }()
		}
		synctest.Wait()
		refused(t, try(t, second, "GET", "/", "", httpapi.TermField, fmt.Sprint(term+1)), 503, "too_many")
		refused(t, try(t, second, "GET", "/", ""), 503, "unreachable") // after it was held
		for range 2 {
			refused(t, <-ended, 503, "newer_term")
		}
	})
}

// timed tells how long the handler of a site took with each request.
func (s *site) timed() <-chan time.Duration {
	took := make(chan time.Duration, 1)
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.ServeHTTP(w, r)
		took <- time.Since(start)
	})
	return took
}

// A request does not outlive its client, whether it has a body or not.
func TestHold_ClientGoes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"GET": "", "POST": "text", "POST much": strings.Repeat("text", 16<<10)} {
		for mode, edit := range map[string]func(*httpapi.PrimaryOnlyConfig){"redirect": redirecting, "forward": forwarding} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
					s := w.open(a, hello(a.Group), edit)
					took := s.timed()
					l.withoutPrimary()
					ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
					defer cancel()
					method, _, _ := strings.Cut(name, " ")
					r, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+"/", strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					transport := w.transport()
					defer transport.CloseIdleConnections()
					answer, err := transport.RoundTrip(r)
					if err == nil {
						answer.Body.Close()
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("answered: %v", err)
					}
					if got := <-took; got != 100*time.Millisecond {
						t.Errorf("the request ended after %v, its client had gone after 100ms", got)
					}
				})
			})
		}
	}
}

// A client that does not send the body which it has announced is not waited for
// longer than a request is held.
func TestHold_SlowBody(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
		s := w.open(a, hello(a.Group))
		took := s.timed()
		l.withoutPrimary()
		conn, err := w.dial(t.Context(), "", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\ntext")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if got := <-took; answer.StatusCode != 503 || got != 6500*time.Millisecond {
			t.Errorf("status %s after %v", answer.Status, got)
		}
	})
}

// A body without a length may wait for an answer, so it is not waited for.
func TestHold_Stream(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, _ *node) {
		s := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
				t.Error(err)
			}
			_, _ = io.CopyN(w, r.Body, 4)
		}))
		if err := a.Pause(t.Context(), "so that a has the role again"); err != nil {
			t.Fatal(err)
		}
		l.withoutPrimary()
		conn, err := w.dial(t.Context(), "", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n")
		synctest.Wait() // it is held
		a.faulty.Heal()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text := make([]byte, 4)
		if _, err := io.ReadFull(answer.Body, text); string(text) != "text" || answer.StatusCode != 200 || err != nil {
			t.Errorf("status %s %q, %v", answer.Status, text, err)
		}
	})
}

// A body that was read before the request was held is there for whoever serves
// it in the end, a Secondary too.
func TestHold_WholeBody(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
		patient := func(c *httpapi.PrimaryOnlyConfig) { c.SafeMethods, c.HoldFor = true, time.Hour }
		sites := map[string]*site{"primary": w.open(a, hello(a.Group), patient), "secondary": w.open(b, hello(b.Group), patient)}
		if err := a.Pause(t.Context(), "so that a has the role again"); err != nil {
			t.Fatal(err)
		}
		newer := fmt.Sprint(a.GetNodeState().Term + 1)
		l.withoutPrimary()
		transport := w.transport()
		defer transport.CloseIdleConnections()
		ended := make(chan string)
		for role, s := range sites {
			go func() {
				r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.address+"/", strings.NewReader("text"))
				if err != nil {
					t.Error(err)
				}
				r.Header.Set(httpapi.TermField, newer)
				answer, err := transport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					ended <- role
					return
				}
				defer answer.Body.Close()
				text, err := io.ReadAll(answer.Body)
				if got := answer.Header.Get(httpapi.RoleField); string(text) != "GET / text" || got != role || err != nil {
					t.Errorf("%s as %s: %q, %v", answer.Status, got, text, err)
				}
				ended <- role
			}()
		}
		synctest.Wait()
		for _, n := range l.nodes {
			n.faulty.Heal()
		}
		for range sites {
			<-ended
		}
	})
}
