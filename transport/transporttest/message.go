package transporttest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
)

func testOneRequestOneAnswer(t *testing.T, n Network) {
	got := make(chan transport.Message, 2)
	answer := message(n.B, n.A, "answer", json.RawMessage(`{"yes":true}`))
	serve(t, n.A, n.B, func(_ context.Context, m transport.Message) (transport.Message, error) {
		got <- m
		return answer, nil
	})
	request := message(n.A, n.B, "request", json.RawMessage(`[1,2]`))
	back, err := n.A.Transport.Exchange(within(t), n.B.Peer, request)
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	if diff := cmp.Diff(answer, back); diff != "" {
		t.Errorf("answer mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(request, <-got); diff != "" {
		t.Errorf("request mismatch (-want +got):\n%s", diff)
	}
	if len(got) > 0 {
		t.Errorf("the handler was called again, with %+v", <-got)
	}
}

func testBothWays(t *testing.T, n Network) {
	serve(t, n.A, n.B, echo)
	serve(t, n.B, n.A, echo)
	for range 3 {
		exchange(t, n.A, n.B, `"a to b"`)
		exchange(t, n.B, n.A, `"b to a"`)
	}
}

// exchange lets an echo answer.
func exchange(t testing.TB, from, to Node, body string) {
	t.Helper()
	m := message(from, to, "echo", json.RawMessage(body))
	got, err := from.Transport.Exchange(within(t), to.Peer, m)
	if err != nil {
		t.Fatalf("Exchange from %s to %s: %v", from.Peer.ID, to.Peer.ID, err)
	}
	want := message(to, from, "echo", json.RawMessage(body))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer mismatch (-want +got):\n%s", diff)
	}
}

func testAnswerFilledIn(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{}, nil
	})
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	if diff := cmp.Diff(message(n.B, n.A, "", nil), got); diff != "" {
		t.Errorf("answer mismatch (-want +got):\n%s", diff)
	}
}

func testAnswerToAnother(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(_ context.Context, m transport.Message) (transport.Message, error) {
		return transport.Message{Group: m.Group, From: m.To, To: "somebody-else"}, nil
	})
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrRejected)
}

func testBodyRoundTrip(t *testing.T, n Network) {
	serve(t, n.A, n.B, echo)
	for _, body := range []string{
		``, `null`, `true`, `0`, `-0.0`, `1e400`, `123456789012345678901234567890`,
		`""`, `"<&>"`, `"\u003c\/"`, `"\ud83d\ude00 \u0000"`, "\"\u2028 \u00e4 \U0001f600\"",
		`{}`, `{"b":1,"a":2,"b":3}`, `[[[]],{"":null}]`, `[1,[2]]`,
	} {
		m := message(n.A, n.B, "echo", json.RawMessage(body))
		got, err := n.A.Transport.Exchange(within(t), n.B.Peer, m)
		if err != nil {
			t.Errorf("Exchange of body %s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(body, string(got.Body)); diff != "" {
			t.Errorf("body mismatch (-want +got):\n%s", diff)
		}
	}
	testBlanks(t, n)
}

// testBlanks checks that blanks between the parts of a body may go, and
// nothing else.
func testBlanks(t *testing.T, n Network) {
	t.Helper()
	m := message(n.A, n.B, "echo", json.RawMessage(" { \"a b\" :\n[ 1 , 2.50 ]\t} "))
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, m)
	if err != nil {
		t.Fatalf("Exchange of a body with blanks: %v", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, got.Body); err != nil {
		t.Fatalf("body %q: %v", got.Body, err)
	}
	if diff := cmp.Diff(`{"a b":[1,2.50]}`, compact.String()); diff != "" {
		t.Errorf("body mismatch (-want +got):\n%s", diff)
	}
}

// textOf returns a JSON value of that many octets.
func textOf(octets int) json.RawMessage {
	return json.RawMessage(`"` + strings.Repeat("<", octets-2) + `"`)
}

func testBodyLimit(t *testing.T, n Network) {
	serve(t, n.A, n.B, echo)
	exchange(t, n.A, n.B, string(textOf(transport.MaxBody)))
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "echo", textOf(transport.MaxBody+1)))
	wantError(t, got, err, transport.ErrInvalidMessage)
}

func testAnswerTooLarge(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{Body: textOf(transport.MaxBody + 1)}, nil
	})
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrRejected)
}

func testCopiedBodies(t *testing.T, n Network) {
	var kept json.RawMessage
	serve(t, n.A, n.B, func(_ context.Context, m transport.Message) (transport.Message, error) {
		m.Body[1] = 'h'
		kept = json.RawMessage(`"answer"`)
		return transport.Message{Body: kept}, nil
	})
	request := message(n.A, n.B, "request", json.RawMessage(`"request"`))
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, request)
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	got.Body[1] = 's'
	if diff := cmp.Diff(`"request"`, string(request.Body)); diff != "" {
		t.Errorf("the handler changed the sender's body (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`"answer"`, string(kept)); diff != "" {
		t.Errorf("the sender changed the handler's body (-want +got):\n%s", diff)
	}
}

func testInvalidMessages(t *testing.T, n Network) {
	serve(t, n.A, n.B, unwanted(t))
	for name, spoil := range map[string]func(*transport.Message){
		"no group":          func(m *transport.Message) { m.Group = "" },
		"group upper case":  func(m *transport.Message) { m.Group = "Group.example" },
		"group final dot":   func(m *transport.Message) { m.Group += "." },
		"group line break":  func(m *transport.Message) { m.Group += "\r\nx: y" },
		"no sender":         func(m *transport.Message) { m.From = "" },
		"sender with blank": func(m *transport.Message) { m.From += " " },
		"sender too long":   func(m *transport.Message) { m.From = strings.Repeat("a", 64) },
		"no receiver":       func(m *transport.Message) { m.To = "" },
		"another receiver":  func(m *transport.Message) { m.To += "x" },
		"kind line break":   func(m *transport.Message) { m.Kind = "a\nb" },
		"kind too long":     func(m *transport.Message) { m.Kind = strings.Repeat("k", 65) },
		"body no JSON":      func(m *transport.Message) { m.Body = json.RawMessage(`{`) },
		"body two values":   func(m *transport.Message) { m.Body = json.RawMessage(`1 2`) },
	} {
		t.Run(name, func(t *testing.T) {
			m := message(n.A, n.B, "request", nil)
			spoil(&m)
			got, err := n.A.Transport.Exchange(within(t), n.B.Peer, m)
			wantError(t, got, err, transport.ErrInvalidMessage)
		})
	}
}
