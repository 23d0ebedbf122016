package httpapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// What the Primary gets of a forwarded request, and the client of its answer.
func TestForward_Fields(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		got := map[string]string{}
		first := w.open(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got["host"], got["target"], got["from"] = r.Host, r.RequestURI, r.RemoteAddr
			for _, field := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Cookie", "User-Agent", httpapi.ForwardedField} {
				got[field] = strings.Join(r.Header.Values(field), "|")
			}
			w.Header().Set("X-Frame-Options", "DENY")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.WriteHeader(http.StatusTeapot)
		}), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		behind := http.StripPrefix("/app", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Frame-Options", "DENY") // as the host does on each node
			w.Header().Set("X-Request-Id", "4711")
			second.ServeHTTP(w, r)
		}))
		r := try(t, behind, "GET", "/app//evil/%2Fx?a=1;b=%zz&c", "", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https",
			"Forwarded", "for=203.0.113.9", "Cookie", "s=1")
		want := map[string]string{
			"host": "example.com", "target": "/app//evil/%2Fx?a=1;b=%zz&c", "from": "198.51.100.7:4711",
			"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "example.com", "X-Forwarded-Proto": "http", "Forwarded": "",
			"Cookie": "s=1", "User-Agent": "", httpapi.ForwardedField: "b",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the request: mismatch (-want +got):\n%s", diff)
		}
		fields := r.Header().Clone()
		fields.Del("Date")
		if diff := cmp.Diff(http.Header{
			"X-Frame-Options": {"DENY"}, "X-Request-Id": {"4711"}, "Set-Cookie": {"a=1", "b=2"}, "Connection": {"close"},
			httpapi.RoleField: {"primary"}, httpapi.TermField: {try(t, first, "GET", "/", "").Header().Get(httpapi.TermField)},
			"Content-Length": {"0"},
		}, fields); diff != "" || r.Code != http.StatusTeapot {
			t.Errorf("the answer %d: mismatch (-want +got):\n%s", r.Code, diff)
		}
	})
}

// A request of which nothing can have been sent is sent again, whatever it is.
func TestForward_UnsentIsSentAgain(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		book := newLedger()
		first, second := w.open(a, book.app(a), forwarding), w.open(b, book.app(b), forwarding)
		first.down()
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, second, "POST", "/once", "the body") }()
		synctest.Wait() // it is held
		w.listen(first)
		if got := <-ended; got.Code != 200 || got.Body.String() != "the body" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
		book.check(t, 1)
	})
}

// A request that may have been served is sent again once if it is idempotent,
// never otherwise.
func TestForward_UnknownEnd(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int64{"POST": 1, "PATCH": 1, "LOCK": 1, "GET": 2, "PUT": 2, "DELETE": 2, "POST with a key": 2} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				var calls atomic.Int64
				w.open(a, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					calls.Add(1)
					panic(http.ErrAbortHandler)
				}), forwarding)
				second := w.open(b, hello(b.Group), forwarding)
				verb, key, _ := strings.Cut(method, " with a ")
				refused(t, try(t, second, verb, "/", "text", "Idempotency-Key", key), 502, "unknown_end")
				if got := calls.Load(); got != want {
					t.Errorf("served %d times, want %d", got, want)
				}
			})
		})
	}
}

// carrier is a transport of the host's own.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// A transport that does not tell what it does is believed an error of dialling,
// and nothing else.
func TestForward_Errors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status int
	}{
		"dialled in vain": {&net.OpError{Op: "dial", Err: errors.New("refused")}, 200},
		"broken":          {&net.OpError{Op: "read", Err: errors.New("reset")}, 502},
		"unknown":         {errors.New("?"), 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
				var calls atomic.Int64
				second := w.open(b, hello(b.Group), func(c *httpapi.PrimaryOnlyConfig) {
					c.Elsewhere = httpapi.ElsewhereForward
					c.Transport = carrier(func(r *http.Request) (*http.Response, error) {
						if calls.Add(1) == 1 {
							return nil, tt.err
						}
						return &http.Response{StatusCode: 200, Header: http.Header{}, Body: r.Body, Request: r}, nil
					})
				})
				got := try(t, second, "POST", "/", "text")
				if got.Code != tt.status || tt.status == 200 && got.Body.String() != "text" {
					t.Errorf("status %d %s, want %d", got.Code, got.Body, tt.status)
				}
			})
		})
	}
}

// A transport can send the body again by itself, as net/http does when a
// connection turns out to be closed.
func TestForward_GetBody(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		second := w.open(b, hello(b.Group), func(c *httpapi.PrimaryOnlyConfig) {
			c.Elsewhere = httpapi.ElsewhereForward
			c.Transport = carrier(func(r *http.Request) (*http.Response, error) {
				if _, err := r.Body.Read(make([]byte, 2)); err != nil {
					return nil, err
				}
				body, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}, nil
			})
		})
		if got := try(t, second, "POST", "/", "text"); got.Body.String() != "text" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}

// A node that refuses has not served, so the request is sent again when it is
// known who is Primary.
func TestForward_RefusedIsSentAgain(t *testing.T) {
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
		book := newLedger()
		var right atomic.Bool
		w.open(a, book.app(a), forwarding)
		wrong := w.open(c, book.app(c), forwarding)
		second := w.open(b, book.app(b), func(p *httpapi.PrimaryOnlyConfig) {
			p.Elsewhere = httpapi.ElsewhereForward
			p.BaseURL = func(availability.Member) *url.URL {
				if right.Load() {
					return nil
				}
				return &url.URL{Scheme: "http", Host: wrong.address}
			}
		})
		ended := make(chan *httptest.ResponseRecorder)
		go func() { ended <- try(t, second, "POST", "/once", "the body") }()
		synctest.Wait() // it is held
		right.Store(true)
		if got := <-ended; got.Code != 200 || got.Body.String() != "the body" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
		book.check(t, 1)
	})
}

// A 503 of the program itself is an answer.
func TestForward_OwnRefusal(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "full", http.StatusServiceUnavailable) }), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		if got := try(t, second, "POST", "/", "text"); got.Code != 503 || got.Body.String() != "full\n" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}

// Answers come as they are written, and break off as they do.
func TestForward_Streams(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		going := make(chan struct{})
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
			<-going
			panic(http.ErrAbortHandler)
		}), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		client := w.transport()
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+second.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var text [5]byte
		if _, err := io.ReadFull(answer.Body, text[:]); err != nil || string(text[:]) != "first" {
			t.Errorf("read %q, %v", text, err)
		}
		close(going)
		if _, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("an answer that broke off ended with %v", err)
		}
	})
}

// final has what is recorded of an answer begin after Early Hints.
type final struct{ http.ResponseWriter }

func (f final) WriteHeader(status int) {
	if status >= 200 {
		f.ResponseWriter.WriteHeader(status)
	}
}

// Early Hints of the Primary leave the fields that the host has set.
func TestForward_EarlyHints(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"answered": 200, "broken off": 502} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
				w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Link", "</x>; rel=preload")
					w.WriteHeader(http.StatusEarlyHints)
					if status != 200 {
						panic(http.ErrAbortHandler)
					}
					w.Header().Set("X-Request-Id", "of the Primary")
				}), forwarding)
				second := w.open(b, hello(b.Group), forwarding)
				behind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Frame-Options", "DENY")
					w.Header().Set("X-Request-Id", "4711")
					second.ServeHTTP(final{w}, r)
				})
				want := map[int][]string{200: {"DENY", "of the Primary", "</x>; rel=preload"}, 502: {"DENY", "4711", ""}}[status]
				got := try(t, behind, "POST", "/", "")
				h := got.Header()
				if diff := cmp.Diff(want, []string{h.Get("X-Frame-Options"), h.Get("X-Request-Id"), h.Get("Link")}); diff != "" || got.Code != status {
					t.Errorf("status %d: mismatch (-want +got):\n%s", got.Code, diff)
				}
			})
		})
	}
}

// A request ends at the Primary when its client goes.
func TestForward_ClientGoes(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		arrived, left := make(chan struct{}), make(chan struct{})
		w.open(a, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			close(left)
		}), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			second.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		}()
		<-arrived
		cancel()
		<-left
		<-ended
	})
}

// A change of the protocol passes, and is never an old read.
func TestForward_Upgrade(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "echo")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			line, err := rw.ReadString('\n')
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, "echo "+line)
		}), forwarding)
		second := w.open(b, hello(b.Group), func(c *httpapi.PrimaryOnlyConfig) {
			c.Elsewhere, c.SafeMethods = httpapi.ElsewhereForward, true
		})
		conn, err := w.dial(t.Context(), "", second.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		in := bufio.NewReader(conn)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != 101 || answer.Header.Get("Connection") != "Upgrade" {
			t.Fatalf("status %s, %v", answer.Status, answer.Header)
		}
		_, _ = io.WriteString(conn, "hello\n")
		if line, err := in.ReadString('\n'); line != "echo hello\n" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
	})
}

// Where the host has wrapped the writer so that the protocol cannot be
// changed, the client is told.
func TestForward_UpgradeInVain(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		w.open(a, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "echo")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}), forwarding)
		second := w.open(b, hello(b.Group), forwarding)
		refused(t, try(t, second, "GET", "/", "", "Connection", "Upgrade", "Upgrade", "echo"), 502, "answer")
	})
}

// The own transport wants a member that is reached by its address to prove
// that it is the group's name.
func TestForward_OwnTransport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fqdn string // the server of the test has a certificate of example.com
		base string
		want int
	}{
		"the group's name":  {fqdn: "example.com", want: 200},
		"another name":      {fqdn: "svc.lab.test", want: 503},
		"a name of its own": {fqdn: "svc.lab.test", base: "example.com", want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var app http.Handler
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			at, err := net.ResolveTCPAddr("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			a, b, stop := twoNodes(func(c *availability.Config) {
				c.Settings.GroupFQDN = tt.fqdn
				c.Settings.ExternalIPv4Address, c.Settings.ExternalPort = at.AddrPort().Addr().Unmap(), at.AddrPort().Port()
			})
			defer stop()
			app = httpapi.PrimaryOnly(a, hello(a), httpapi.PrimaryOnlyConfig{})
			roots := x509.NewCertPool()
			roots.AddCert(server.Certificate())
			c := httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.ElsewhereForward, TLS: &tls.Config{RootCAs: roots}, HoldFor: 50 * time.Millisecond}
			if tt.base != "" {
				c.TLS.ServerName = tt.base
			}
			if got := try(t, httpapi.PrimaryOnly(b, hello(b), c), "POST", "/", "text"); got.Code != tt.want {
				t.Errorf("status %d %s, want %d", got.Code, got.Body, tt.want)
			}
		})
	}
}
