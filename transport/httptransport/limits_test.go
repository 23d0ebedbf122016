package httptransport_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

func TestServeHTTP_Refusals(t *testing.T) {
	t.Parallel()
	post := func(change func(*octets)) octets {
		o := octets{method: http.MethodPost, header: http.Header{
			"Content-Type": {"application/json; charset=utf-8"},
			"Ag-Peer":      {"v=1;group=" + groupName + ";from=a;to=b;id=;nonce=;key=;mac="},
		}}
		change(&o)
		return o
	}
	for _, c := range []struct {
		name   string
		send   octets
		status int
		count  string
	}{
		{"a page is asked for", post(func(o *octets) { o.method = http.MethodGet }), http.StatusMethodNotAllowed, "malformed"},
		{"a browser asks first", post(func(o *octets) { o.method = http.MethodOptions }), http.StatusMethodNotAllowed, "malformed"},
		{"a form", post(func(o *octets) { o.header.Set("Content-Type", "application/x-www-form-urlencoded") }), http.StatusUnsupportedMediaType, "malformed"},
		{"not signed", post(func(o *octets) { o.header.Del("Ag-Peer") }), http.StatusUnauthorized, "bad_signature"},
		{"another version", post(func(o *octets) { o.set("v", "2") }), http.StatusBadRequest, "malformed"},
		{"another group", post(func(o *octets) { o.set("group", "x.example") }), http.StatusMisdirectedRequest, "wrong_group"},
		{"another node", post(func(o *octets) { o.set("to", "\x01c") }), http.StatusMisdirectedRequest, "wrong_node"},
		{"too large", post(func(o *octets) { o.body = make([]byte, 20<<10) }), http.StatusRequestEntityTooLarge, "oversize"},
		{"another key", post(func(*octets) {}), http.StatusUnauthorized, "bad_signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newNode(t, "b", httptransport.Config{}, unwanted(t))
			before := counts(t, b)
			answer := deliver(t, b, c.send)
			wantStatus(t, answer, c.status)
			if got := answer.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("got content type %q", got)
			}
			var p struct {
				Title  string `json:"title"`
				Detail string `json:"detail"`
				Status int    `json:"status"`
			}
			if err := json.Unmarshal(answer.body, &p); err != nil || p.Status != c.status || p.Title == "" || p.Detail == "" {
				t.Errorf("got problem %s (%v)", answer.body, err)
			}
			if strings.ContainsFunc(p.Detail, func(r rune) bool { return r < ' ' }) {
				t.Errorf("got detail %q, want nothing that is not printable", p.Detail)
			}
			want := counts(t, b)
			for name := range want {
				want[name] = before[name]
			}
			want["received"]++
			want[c.count]++
			if diff := cmp.Diff(want, counts(t, b)); diff != "" {
				t.Errorf("counts mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// counts returns the counts by their JSON keys.
func counts(t testing.TB, n node) map[string]uint64 {
	t.Helper()
	text, err := json.Marshal(n.Stats())
	if err != nil {
		t.Fatalf("marshal Stats: %v", err)
	}
	var all map[string]uint64
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("unmarshal Stats: %v", err)
	}
	return all
}

func TestServeHTTP_NotServing(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, nil)
	_, err := exchange(t, a, b.peer(), `1`)
	wantKind(t, err, transport.ErrUnreachable)
	stop := serve(t, b, echo)
	waitOpen(t, b)
	mustExchange(t, a, b, `2`)
	stop()
	_, err = exchange(t, a, b.peer(), `3`)
	wantKind(t, err, transport.ErrUnreachable)
	if got := b.Stats().NotServing; got < 2 {
		t.Errorf("counted %d, want at least 2", got)
	}
}

// dial opens a connection to a node and writes a text.
func dial(t testing.TB, n node, text string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("set deadline: %v", err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatalf("write: %v", err)
	}
	return conn
}

func head(path string, length int, field string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nAg-Peer: %s\r\n\r\n",
		path, length, field)
}

func goodField() string {
	return "v=1;group=" + groupName + ";from=a;to=b;id=;nonce=;key=;mac="
}

// TestServeHTTP_SlowBody holds requests open, at a server without any limits.
// The node must end them: with an answer where it was reading, and by closing
// the connection.
func TestServeHTTP_SlowBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field  string
		status int
	}{
		"waits for the body":  {goodField(), http.StatusRequestTimeout},
		"refuses before that": {"nonsense", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// What is left of it when the body was waited for is for the answer.
			b := newNode(t, "b", httptransport.Config{IOTimeout: time.Second}, unwanted(t))
			conn := dial(t, b, head(httptransport.Path, 1000, c.field)+"{")
			r := bufio.NewReader(conn)
			answer, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("read answer: %v", err)
			}
			if answer.StatusCode != c.status {
				t.Errorf("got status %d, want %d", answer.StatusCode, c.status)
			}
			defer answer.Body.Close()
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Errorf("read body: %v", err)
			}
			if _, err := r.ReadByte(); !errors.Is(err, io.EOF) && !isReset(err) {
				t.Errorf("after the answer: got %v, want the end of the connection", err)
			}
		})
	}
}

func isReset(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && !failed.Timeout()
}

// TestServeHTTP_SlowReader sends requests and reads no answer. When the
// buffers of the connection are full, the node must give up.
func TestServeHTTP_SlowReader(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{IOTimeout: 50 * time.Millisecond}, unwanted(t))
	conn := dial(t, b, "")
	requests := []byte(strings.Repeat(head(httptransport.Path, 0, goodField()), 100))
	for {
		_, err := conn.Write(requests)
		if err == nil {
			continue
		}
		if !isReset(err) {
			t.Errorf("write: got %v, want the end of the connection", err)
		}
		return
	}
}

// TestServeHTTP_Endless sends a body without a length and without an end.
func TestServeHTTP_Endless(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{}, unwanted(t))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+httptransport.Path, endless{})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Ag-Peer", goodField())
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	answer, err := client.RoundTrip(r)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d, want %d", answer.StatusCode, http.StatusRequestEntityTooLarge)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestServeHTTP_LongHandler has a handler that takes longer than the body may:
// its context must not end.
func TestServeHTTP_LongHandler(t *testing.T) {
	t.Parallel()
	const ioTimeout = 200 * time.Millisecond
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{IOTimeout: ioTimeout}, func(ctx context.Context, _ transport.Message) (transport.Message, error) {
		select {
		case <-ctx.Done():
			return transport.Message{}, context.Cause(ctx)
		case <-time.After(5 * ioTimeout): // that nothing happens can only be waited for
			return transport.Message{Body: json.RawMessage(`1`)}, nil
		}
	})
	mustExchange(t, a, b, `1`)
}

// TestServeHTTP_SenderGone ends the context of a handler when its sender goes.
func TestServeHTTP_SenderGone(t *testing.T) {
	t.Parallel()
	arrived, gone := make(chan struct{}), make(chan struct{})
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, func(ctx context.Context, _ transport.Message) (transport.Message, error) {
		close(arrived)
		<-ctx.Done()
		close(gone)
		return transport.Message{}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-arrived; cancel() }()
	_, err := a.Exchange(ctx, b.peer(), message("a", "b", `1`))
	wantKind(t, err, transport.ErrUnreachable)
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the handler's context does not end")
	}
}

func TestServeHTTP_PanicIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{Logger: newLogger(&log)}, func(context.Context, transport.Message) (transport.Message, error) {
		panic("the value")
	})
	_, err := exchange(t, a, b.peer(), `1`)
	wantKind(t, err, transport.ErrRejected)
	if strings.Contains(err.Error(), "the value") {
		t.Errorf("the peer is told of the panic: %v", err)
	}
	for _, want := range []string{"handler panicked", "the value", "limits_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %s: want %q in it", log.String(), want)
		}
	}
	if got := b.Stats().Panicked; got != 1 {
		t.Errorf("counted %d panics, want 1", got)
	}
}

// A peer that is no peer: what it may answer, and what that is to the sender.
func TestExchange_StrangeAnswers(t *testing.T) {
	t.Parallel()
	var visited atomic.Bool
	elsewhere := listen(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Store(true) }))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+httptransport.Path, http.StatusTemporaryRedirect)
		}, transport.ErrUnauthenticated},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, endless{})
		}, transport.ErrUnauthenticated},
		"endless headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, transport.ErrUnreachable},
		"truncated": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "{")
		}, transport.ErrUnreachable},
		"nothing": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, transport.ErrUnreachable},
		"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
				conn.Close()
			}
		}, transport.ErrUnreachable},
		"bad gateway": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		}, transport.ErrUnreachable},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		}, transport.ErrUnauthenticated},
		"a problem with line breaks": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"detail":"x\n\u001b[31m`+strings.Repeat("\u00e4", 1000)+`"}`)
		}, transport.ErrUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newNode(t, "a", httptransport.Config{}, nil)
			s := httptest.NewUnstartedServer(c.answer)
			s.Config.ErrorLog = quiet()
			s.Start()
			t.Cleanup(s.Close)
			_, err := exchange(t, a, transport.Peer{ID: "b", URL: s.URL}, `1`)
			wantKind(t, err, c.want)
			if text := err.Error(); len(text) > 600 || strings.ContainsAny(text, "\n\x1b") {
				t.Errorf("got error %q, want a short line", text)
			}
		})
	}
	t.Cleanup(func() {
		if visited.Load() {
			t.Error("a redirect was followed")
		}
	})
}

// TestExchange_SlowAnswers has a peer that holds its answer back: the context
// ends the wait, be it for the head or for the body.
func TestExchange_SlowAnswers(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.ResponseWriter){
		"head": func(http.ResponseWriter) {},
		"body": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			a := newNode(t, "a", httptransport.Config{}, nil)
			url := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the sender go
				begin(w)
				close(arrived)
				<-r.Context().Done()
			}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { <-arrived; cancel() }()
			_, err := a.Exchange(ctx, transport.Peer{ID: "b", URL: url}, message("a", "b", `1`))
			wantKind(t, err, transport.ErrUnreachable)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want one that wraps %v", err, context.Canceled)
			}
		})
	}
}

// TestExchange_DeadConnection has a peer whose end of an idle connection is
// gone: the exchange must not fail for that, and the message arrives once.
func TestExchange_DeadConnection(t *testing.T) {
	t.Parallel()
	var calls, requests atomic.Int64
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, counting(&calls))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 3 {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		b.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = quiet()
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(a.CloseIdleConnections)
	seen := node{id: "b", url: s.URL}
	mustExchange(t, a, seen, `1`)
	mustExchange(t, a, seen, `2`)
	wantCalls(t, &calls, 2)
	if got := requests.Load(); got != 4 {
		t.Errorf("got %d requests, want 4: two at first, one lost, one again", got)
	}
}
