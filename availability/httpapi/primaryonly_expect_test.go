package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// refusesFirst refuses the first request as a node does that is not Primary,
// behind something that reads the body, or not.
func refusesFirst(next http.Handler, reads bool) http.Handler {
	var calls atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			next.ServeHTTP(w, r)
			return
		}
		if reads {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		w.Header().Set(httpapi.RoleField, "secondary")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}

// refusingFirst has the server of a site do so.
func (w *web) refusingFirst(s *site, reads bool) {
	s.down()
	s.Handler = refusesFirst(s.Handler, reads)
	w.listen(s)
}

// counted is a body of unknown length that tells how much of it was read.
type counted struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// long is a body that is not kept.
func long(length int) (string, *counted) {
	text := strings.Repeat("x", length)
	return text, &counted{from: strings.NewReader(text)}
}

// untouched wants that nothing of a body was read before next reads it.
func untouched(t *testing.T, body *counted, next http.Handler) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := body.n.Load(); n > 0 {
			t.Errorf("%d octets of the body were read before the handler has read any", n)
		}
		next.ServeHTTP(w, r)
	})
}

// send has a handler answer a POST of a body.
func send(t *testing.T, h http.Handler, body io.Reader, length int64, protocol string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/once", body)
	r.ContentLength = length
	if protocol == "HTTP/1.0" {
		r.Proto, r.ProtoMinor = protocol, 0
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A body that is too long to be kept, or may be, is not read before the node
// that it is for reads it, so that a node that refuses costs nothing. Where it is
// read although the node refuses it is gone, and the client is told so.
func TestForward_LongBodyIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		size   int
		length int64
		read   bool
		reason string
	}{
		"known length":      {1 << 20, 1 << 20, false, ""},
		"unknown length":    {1 << 20, -1, false, ""},
		"HTTP/1.0":          {1 << 20, 1 << 20, false, ""},
		"known and read":    {1 << 20, 1 << 20, true, "body_gone"},
		"unknown and read":  {1 << 20, -1, true, "body_gone"},
		"short and read":    {64 << 10, 64 << 10, true, ""},
		"unknown and short": {64 << 10, -1, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				book := newLedger()
				text, body := long(tt.size)
				first := book.app(a)
				if !tt.read {
					first = untouched(t, body, first)
				}
				w.refusingFirst(w.open(a, first, forwarding), tt.read)
				second := w.open(b, book.app(b), forwarding)
				got := send(t, second, body, tt.length, name)
				if tt.reason != "" {
					refused(t, got, 503, tt.reason)
					book.check(t, 0)
					return
				}
				if got.Code != 200 || got.Body.String() != text {
					t.Errorf("status %d %.200s", got.Code, got.Body)
				}
				book.check(t, 1)
			})
		})
	}
}

// The transport that PrimaryOnly has without one of the host's waits as well.
func TestForward_OwnTransportWaits(t *testing.T) {
	t.Parallel()
	var app http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
	defer server.Close()
	at, err := net.ResolveTCPAddr("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, b, stop := twoNodes(func(c *availability.Config) {
		c.Settings.ExternalScheme = "http"
		c.Settings.ExternalIPv4Address, c.Settings.ExternalPort = at.AddrPort().Addr().Unmap(), at.AddrPort().Port()
	})
	defer stop()
	text, body := long(1 << 20)
	app = refusesFirst(httpapi.PrimaryOnly(a, untouched(t, body, hello(a)), httpapi.PrimaryOnlyConfig{}), false)
	second := httpapi.PrimaryOnly(b, hello(b), httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.ElsewhereForward, HoldFor: time.Minute})
	if got := send(t, second, body, int64(len(text)), ""); got.Code != 200 || got.Body.String() != "POST /once "+text {
		t.Errorf("status %d %.200s", got.Code, got.Body)
	}
}

// What a handler at the Primary answers without having read the body comes at
// once, and nothing is read of it.
func TestForward_AnsweredUnread(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}), forwarding)
		_, body := long(1 << 20)
		start := time.Now()
		got := send(t, w.open(b, hello(b.Group), forwarding), body, -1, "")
		if got.Code != 413 || got.Body.String() != "too large\n" || time.Since(start) > 0 || body.n.Load() > 0 {
			t.Errorf("status %d %s after %v, with %d octets read", got.Code, got.Body, time.Since(start), body.n.Load())
		}
	})
}

// A client has a 100 if it asks for one, and only then; and an old one, which
// cannot, has its body sent again as any other.
func TestForward_ContinueOfTheClient(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		protocol, field string
		want            []int
	}{
		"not asked for": {"1.1", "", []int{200}},
		"asked for":     {"1.1", "Expect: 100-continue\r\n", []int{100, 200}},
		"HTTP/1.0":      {"1.0", "", []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				w.refusingFirst(w.open(a, hello(a.Group), forwarding), false)
				conn, err := w.dial(t.Context(), "", w.open(b, hello(b.Group), forwarding).address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				text, _ := long(1 << 20)
				go func() {
					_, _ = fmt.Fprintf(conn, "POST / HTTP/%s\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s", tt.protocol, len(text), tt.field, text)
				}()
				in := bufio.NewReader(conn)
				for _, want := range tt.want {
					answer, err := http.ReadResponse(in, nil)
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(answer.Body)
					answer.Body.Close()
					if err != nil || answer.StatusCode != want || want == 200 && string(got) != "POST / "+text {
						t.Errorf("status %d %.200s, %v; want %d", answer.StatusCode, got, err, want)
					}
				}
			})
		})
	}
}
