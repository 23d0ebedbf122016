package transporttest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
)

// wantError checks that an exchange failed with one kind of error, and not
// with another as well.
func wantError(t testing.TB, got transport.Message, err error, kinds ...error) {
	t.Helper()
	if diff := cmp.Diff(transport.Message{}, got); diff != "" {
		t.Errorf("answer beside an error mismatch (-want +got):\n%s", diff)
	}
	if _, ok := errors.AsType[*transport.PeerError](err); !ok {
		t.Errorf("Exchange: got error %v, want a *transport.PeerError", err)
	}
	var is []error
	for _, kind := range []error{
		transport.ErrUnreachable, transport.ErrUnauthenticated, transport.ErrRejected, transport.ErrInvalidMessage,
	} {
		if errors.Is(err, kind) {
			is = append(is, kind)
		}
	}
	if len(is) != 1 || !slices.Contains(kinds, is[0]) {
		t.Errorf("Exchange: got error %v, which is %v, want one of %v", err, is, kinds)
	}
}

func testHandlerError(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{}, errors.New("no such thing")
	})
	for range 2 {
		got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
		wantError(t, got, err, transport.ErrRejected)
	}
}

func testHandlerUnauthenticated(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{}, errors.Join(errors.New("not for me"), transport.ErrUnauthenticated)
	})
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrUnauthenticated)
}

func testHandlerPanic(t *testing.T, n Network) {
	serve(t, n.A, n.B, func(_ context.Context, m transport.Message) (transport.Message, error) {
		if m.Kind == "panic" {
			panic("on purpose")
		}
		return transport.Message{Kind: m.Kind, Body: m.Body}, nil
	})
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "panic", nil))
	wantError(t, got, err, transport.ErrRejected)
	exchange(t, n.A, n.B, `"still there"`)
}

// A transport that finds nodes by their IDs does not find this one.
func testWrongNode(t *testing.T, n Network) {
	serve(t, n.A, n.B, unwanted(t))
	other := Node{Peer: transport.Peer{ID: "somebody-else", URL: n.B.Peer.URL}}
	got, err := n.A.Transport.Exchange(within(t), other.Peer, message(n.A, other, "request", nil))
	wantError(t, got, err, transport.ErrUnauthenticated, transport.ErrUnreachable)
}

// A transport that was told its group may refuse to send to another.
func testWrongGroup(t *testing.T, n Network) {
	serve(t, n.A, n.B, unwanted(t))
	m := message(n.A, n.B, "request", nil)
	m.Group = "another.example"
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, m)
	wantError(t, got, err, transport.ErrUnauthenticated, transport.ErrInvalidMessage)
}

func testNowhere(t *testing.T, n Network) {
	m := message(n.A, Node{Peer: n.Nowhere}, "request", nil)
	got, err := n.A.Transport.Exchange(within(t), n.Nowhere, m)
	wantError(t, got, err, transport.ErrUnreachable)
	if perr, ok := errors.AsType[*transport.PeerError](err); ok {
		if diff := cmp.Diff(n.Nowhere, perr.Peer); diff != "" {
			t.Errorf("peer of the error mismatch (-want +got):\n%s", diff)
		}
	}
}

func testNotServing(t *testing.T, n Network) {
	ctx := within(t)
	got, err := n.A.Transport.Exchange(ctx, n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrUnreachable)
	if ctx.Err() != nil {
		t.Error("Exchange with a node that does not serve waits until its context ends, want an error at once")
	}
}
