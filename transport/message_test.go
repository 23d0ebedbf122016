package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
)

func good() transport.Message {
	return transport.Message{Group: "group.example", From: "a", To: "b", Kind: "test", Body: json.RawMessage(`1`)}
}

func TestMessage_Check(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 253)
	for name, c := range map[string]struct {
		change func(*transport.Message)
		ok     bool
	}{
		"good":               {func(*transport.Message) {}, true},
		"longest group":      {func(m *transport.Message) { m.Group = long }, true},
		"group too long":     {func(m *transport.Message) { m.Group = long + "a" }, false},
		"group of one label": {func(m *transport.Message) { m.Group = "localhost" }, true},
		"group underscore":   {func(m *transport.Message) { m.Group = "_ag.gw-1.example" }, true},
		"group colon":        {func(m *transport.Message) { m.Group = "group:1" }, false},
		"group first dot":    {func(m *transport.Message) { m.Group = ".example" }, false},
		"group last dot":     {func(m *transport.Message) { m.Group = "example." }, false},
		"group semicolon":    {func(m *transport.Message) { m.Group = "a;from=c" }, false},
		"group not ASCII":    {func(m *transport.Message) { m.Group = "grüppe" }, false},
		"IPv4 ID":            {func(m *transport.Message) { m.From = "192.0.2.10" }, true},
		"IPv6 ID":            {func(m *transport.Message) { m.To = "2001:db8::1" }, true},
		"ID colon first":     {func(m *transport.Message) { m.To = "::1" }, false},
		"ID dash first":      {func(m *transport.Message) { m.From = "-a" }, false},
		"ID upper case":      {func(m *transport.Message) { m.From = "A" }, false},
		"longest ID":         {func(m *transport.Message) { m.From = long[:63] }, true},
		"ID too long":        {func(m *transport.Message) { m.From = long[:64] }, false},
		"no ID":              {func(m *transport.Message) { m.To = "" }, false},
		"no kind":            {func(m *transport.Message) { m.Kind = "" }, true},
		"longest kind":       {func(m *transport.Message) { m.Kind = long[:64] }, true},
		"kind too long":      {func(m *transport.Message) { m.Kind = long[:65] }, false},
		"kind special":       {func(m *transport.Message) { m.Kind = `"\<&>~!` }, true},
		"kind blank":         {func(m *transport.Message) { m.Kind = "a b" }, false},
		"kind control":       {func(m *transport.Message) { m.Kind = "a\x7f" }, false},
		"kind not ASCII":     {func(m *transport.Message) { m.Kind = "ä" }, false},
		"kind not UTF-8":     {func(m *transport.Message) { m.Kind = "\xff" }, false},
		"no body":            {func(m *transport.Message) { m.Body = nil }, true},
		"body not JSON":      {func(m *transport.Message) { m.Body = json.RawMessage(`x`) }, false},
		"largest body":       {func(m *transport.Message) { m.Body = text(transport.MaxBody) }, true},
		"body too large":     {func(m *transport.Message) { m.Body = text(transport.MaxBody + 1) }, false},
	} {
		m := good()
		c.change(&m)
		err := m.Check()
		if (err == nil) != c.ok {
			t.Errorf("%s: got error %v, want ok %v", name, err, c.ok)
		}
		if err != nil && (!errors.Is(err, transport.ErrInvalidMessage) || len(err.Error()) > 400) {
			t.Errorf("%s: got error %v, want a short one that wraps %v", name, err, transport.ErrInvalidMessage)
		}
	}
}

func text(octets int) json.RawMessage {
	return json.RawMessage(`"` + strings.Repeat("x", octets-2) + `"`)
}

func TestCheckRequest(t *testing.T) {
	t.Parallel()
	if err := transport.CheckRequest(transport.Peer{ID: "b"}, good()); err != nil {
		t.Errorf("to the node of the message: %v", err)
	}
	if err := transport.CheckRequest(transport.Peer{ID: "c"}, good()); !errors.Is(err, transport.ErrInvalidMessage) {
		t.Errorf("to another node: got error %v, want %v", err, transport.ErrInvalidMessage)
	}
}

func TestMessage_Clone(t *testing.T) {
	t.Parallel()
	m := good()
	c := m.Clone()
	c.Body[0] = '2'
	if diff := cmp.Diff(good(), m); diff != "" {
		t.Errorf("the copy shares its body (-want +got):\n%s", diff)
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	failure := errors.New("failure")
	for name, c := range map[string]struct {
		h    transport.HandlerFunc
		want transport.Message
		err  error
	}{
		"filled in": {
			func(context.Context, transport.Message) (transport.Message, error) { return transport.Message{}, nil },
			transport.Message{Group: "group.example", From: "b", To: "a"},
			nil,
		},
		"given": {
			func(_ context.Context, m transport.Message) (transport.Message, error) {
				return transport.Message{Group: m.Group, From: "b", To: "a", Kind: "k", Body: json.RawMessage(`2`)}, nil
			},
			transport.Message{Group: "group.example", From: "b", To: "a", Kind: "k", Body: json.RawMessage(`2`)},
			nil,
		},
		"not turned round": {
			func(_ context.Context, m transport.Message) (transport.Message, error) { return m, nil },
			transport.Message{},
			transport.ErrInvalidMessage,
		},
		"another group": {
			func(context.Context, transport.Message) (transport.Message, error) {
				return transport.Message{Group: "x"}, nil
			},
			transport.Message{},
			transport.ErrInvalidMessage,
		},
		"bad body": {
			func(context.Context, transport.Message) (transport.Message, error) {
				return transport.Message{Body: json.RawMessage(`{`)}, nil
			},
			transport.Message{},
			transport.ErrInvalidMessage,
		},
		"error": {
			func(_ context.Context, m transport.Message) (transport.Message, error) { return m, failure },
			transport.Message{},
			failure,
		},
	} {
		got, err := transport.Deliver(t.Context(), c.h, good())
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got error %v, want %v", name, err, c.err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: answer mismatch (-want +got):\n%s", name, diff)
		}
	}
}

func TestDeliver_Copies(t *testing.T) {
	t.Parallel()
	body := json.RawMessage(`2`)
	m := good()
	answer, err := transport.Deliver(t.Context(), transport.HandlerFunc(
		func(_ context.Context, m transport.Message) (transport.Message, error) {
			m.Body[0] = '3'
			return transport.Message{Body: body}, nil
		},
	), m)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body[0] = '4'
	if string(m.Body) != `1` || string(body) != `2` {
		t.Errorf("the body of the request is %s, want 1; that of the handler is %s, want 2", m.Body, body)
	}
}

func TestDeliver_Panic(t *testing.T) {
	t.Parallel()
	_, err := transport.Deliver(t.Context(), transport.HandlerFunc(
		func(context.Context, transport.Message) (transport.Message, error) { panic("the value") },
	), good())
	p, ok := errors.AsType[*transport.PanicError](err)
	if !ok {
		t.Fatalf("got error %v, want a *transport.PanicError", err)
	}
	if p.Value != "the value" || !strings.Contains(string(p.Stack), "message_test.go") || !strings.Contains(err.Error(), "the value") {
		t.Errorf("got value %v, error %v, stack %s", p.Value, err, p.Stack)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	late := fmt.Errorf("%w: %w", transport.ErrUnreachable, context.DeadlineExceeded)
	err := fmt.Errorf("heartbeat: %w", &transport.PeerError{
		Peer: transport.Peer{ID: "gw-b", URL: "https://192.0.2.11:443"}, Op: "exchange", Err: late,
	})
	const want = `heartbeat: exchange with "gw-b": transport: peer not reachable: context deadline exceeded`
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !errors.Is(err, transport.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap its reason", err)
	}
	p, ok := errors.AsType[*transport.PeerError](err)
	if !ok || p.Peer.ID != "gw-b" || !p.Timeout() {
		t.Errorf("got %+v, want the facts, and a timeout", p)
	}
	if (&transport.PeerError{Err: transport.ErrRejected}).Timeout() {
		t.Error("a rejection is a timeout")
	}
	if _, ok := errors.AsType[*transport.PeerError](io.EOF); ok {
		t.Error("a foreign error is a PeerError")
	}
	if _, ok := errors.AsType[*transport.PanicError](io.EOF); ok {
		t.Error("a foreign error is a PanicError")
	}
}
