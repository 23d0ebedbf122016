package httptransport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// FuzzServeHTTP sends requests that nobody with a key has signed. None may
// reach the handler, and each is counted once.
func FuzzServeHTTP(f *testing.F) {
	field := "v=1;group=" + groupName + ";from=a;to=b;id=AAAAAAAAAAAAAAAAAAAAAA;nonce=" + strings.Repeat("A", 32) +
		";key=" + testKey(f, 'k').ID() + ";mac=" + strings.Repeat("A", 43)
	body := []byte(`{"group":"group.example","from":"a","to":"b","kind":"test","body":1}`)
	f.Add(http.MethodPost, "application/json", field, body)
	f.Add(http.MethodPost, "application/json; charset=utf-8", strings.ReplaceAll(field, "nonce="+strings.Repeat("A", 32), "nonce="), body)
	f.Add(http.MethodPost, "application/json", "", []byte{})
	f.Add(http.MethodPost, "application/json", "v=1;;;;=;=", bytes.Repeat([]byte("["), 20<<10))
	f.Add(http.MethodGet, ";", field+";", body)
	f.Add("", "a/b; c=\"", "v=1;group=\x00;from=;to=b;id=;nonce=!;key=\xff;mac==", []byte("null"))
	b := newNode(f, "b", httptransport.Config{}, func(context.Context, transport.Message) (transport.Message, error) {
		panic("the handler was reached")
	})
	f.Fuzz(func(t *testing.T, method, contentType, field string, body []byte) {
		if !validMethod(method) {
			method = http.MethodPost // no server lets it through
		}
		before := sum(counts(t, b))
		answer := deliver(t, b, octets{method: method, header: http.Header{
			"Content-Type": {contentType}, "Ag-Peer": {field},
		}, body: body})
		if answer.status < 400 || answer.status >= 500 {
			t.Errorf("got status %d", answer.status)
		}
		if !json.Valid(answer.body) {
			t.Errorf("got body %q", answer.body)
		}
		after := counts(t, b)
		if after["delivered"]+after["refused"]+after["panicked"] > 0 {
			t.Error("the handler was reached")
		}
		if got := sum(after) - before; got != 2 {
			t.Errorf("a request raised the counts by %d, want 2: received, and why it was refused", got)
		}
	})
}

func validMethod(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}", r) })
}

func sum(counts map[string]uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// FuzzAnswer gives a sender answers that nobody with a key has signed. None
// may be taken for one.
func FuzzAnswer(f *testing.F) {
	field := "v=1;key=" + testKey(f, 'k').ID() + ";nonce=" + strings.Repeat("A", 32) + ";mac=" + strings.Repeat("A", 43)
	body := []byte(`{"group":"group.example","from":"b","to":"a","kind":"test","body":1}`)
	f.Add(200, field, body)
	f.Add(401, field, []byte(`{"detail":"\u0000\n"}`))
	f.Add(307, "", []byte{})
	f.Add(503, "v=1", []byte("null"))
	f.Add(200, "v=1;key=;nonce=;mac=", body)
	a := newNode(f, "a", httptransport.Config{}, nil)
	answers := make(chan octets, 1)
	url := listen(f, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		o := <-answers
		w.Header().Set("Ag-Peer", o.header.Get("Ag-Peer"))
		w.Header().Set("Location", "/")
		w.WriteHeader(o.status)
		_, _ = w.Write(o.body) // an error where the status allows no body
	}))
	f.Fuzz(func(t *testing.T, status int, field string, body []byte) {
		if status < 200 || status > 599 {
			status = 200 // what net/http takes
		}
		answers <- octets{status: status, header: http.Header{"Ag-Peer": {field}}, body: body}
		got, err := exchange(t, a, transport.Peer{ID: "b", URL: url}, `1`)
		if err == nil {
			t.Fatalf("got answer %+v", got)
		}
		if !errors.Is(err, transport.ErrUnauthenticated) && !errors.Is(err, transport.ErrUnreachable) {
			t.Errorf("got error %v", err)
		}
		if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") {
			t.Errorf("got error %q, want a line of text", err)
		}
	})
}

// FuzzExchange sends messages of all kinds to an echo: they are refused
// before they are sent, or come back as they were.
func FuzzExchange(f *testing.F) {
	f.Add(groupName, "a", "b", "kind", []byte(`{"a":[1,null,"\u003c<\u2028"]}`))
	f.Add(groupName, "a", "2001:db8::1", "", []byte(nil))
	f.Add(groupName, "a", "b", "\"\\<>&", []byte(`"`+"\xff"+`"`))
	f.Add("group.example.", "A", "b ", "k k", []byte(`1 2`))
	f.Add(groupName, "a", "b", "k", append(bytes.Repeat([]byte(`[`), 9000), bytes.Repeat([]byte(`]`), 9000)...))
	a := newNode(f, "a", httptransport.Config{}, nil)
	b := newTransport(f, httptransport.Config{Keys: []transport.Key{testKey(f, 'k')}})
	serve(f, b, echo)
	waitOpen(f, b)
	url := listen(f, mount(b))
	f.Fuzz(func(t *testing.T, group, from, to, kind string, body []byte) {
		m := transport.Message{Group: group, From: from, To: to, Kind: kind, Body: body}
		got, err := a.Exchange(t.Context(), transport.Peer{ID: to, URL: url}, m)
		if m.Check() != nil || group != groupName {
			if !errors.Is(err, transport.ErrInvalidMessage) {
				t.Fatalf("Exchange of %+v: got error %v, want %v", m, err, transport.ErrInvalidMessage)
			}
			return
		}
		if err != nil {
			t.Fatalf("Exchange of %+v: %v", m, err)
		}
		var want, back bytes.Buffer
		if len(body) > 0 {
			if err := errors.Join(json.Compact(&want, body), json.Compact(&back, got.Body)); err != nil {
				t.Fatal(err)
			}
		}
		if got.Kind != kind || got.From != to || got.To != from || want.String() != back.String() {
			t.Errorf("sent %+v, got back %+v", m, got)
		}
	})
}
