package transporttest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// patience is how long the suite waits for what must happen.
const patience = 30 * time.Second

// probeKind is the kind of the messages that find out whether a node serves.
const probeKind = "transporttest-probe"

// handlerFunc answers the suite's messages. Probes never reach it.
type handlerFunc = func(ctx context.Context, m transport.Message) (transport.Message, error)

// serving is a call of Serve.
type serving struct {
	t    testing.TB
	stop context.CancelFunc
	done chan error
}

// serve serves h at to until the end of the test, and returns when messages of
// from reach it.
func serve(t testing.TB, from, to Node, h handlerFunc) *serving {
	t.Helper()
	s := start(t, to, h)
	wait(t, "a message to reach "+to.Peer.ID, func(ctx context.Context) bool {
		select {
		case err := <-s.done:
			close(s.done)
			t.Fatalf("Serve returned before its context ended, with error %v", err)
		default:
		}
		_, err := from.Transport.Exchange(ctx, to.Peer, message(from, to, probeKind, nil))
		if err != nil && !errors.Is(err, transport.ErrUnreachable) {
			t.Fatalf("Exchange of a probe: %v", err)
		}
		return err == nil
	})
	return s
}

func start(t testing.TB, to Node, h handlerFunc) *serving {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &serving{t: t, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- to.Transport.Serve(ctx, probed(h)) }()
	t.Cleanup(s.end)
	return s
}

// end ends Serve, if that has not been done, and waits for it.
func (s *serving) end() {
	s.t.Helper()
	s.stop()
	select {
	case err, ok := <-s.done:
		if ok && err != nil {
			s.t.Errorf("Serve: got %v after its context ended, want nil", err)
		}
		if ok {
			close(s.done)
		}
	case <-time.After(patience):
		s.t.Error("Serve does not return after its context ended")
	}
}

func probed(h handlerFunc) transport.Handler {
	return transport.HandlerFunc(func(ctx context.Context, m transport.Message) (transport.Message, error) {
		if m.Kind == probeKind {
			return transport.Message{}, nil
		}
		return h(ctx, m)
	})
}

func message(from, to Node, kind string, body json.RawMessage) transport.Message {
	return transport.Message{Group: Group, From: from.Peer.ID, To: to.Peer.ID, Kind: kind, Body: body}
}

func echo(_ context.Context, m transport.Message) (transport.Message, error) {
	return transport.Message{Kind: m.Kind, Body: m.Body}, nil
}

// unwanted is a handler that must not be called.
func unwanted(t testing.TB) handlerFunc {
	t.Helper()
	return func(_ context.Context, m transport.Message) (transport.Message, error) {
		t.Errorf("the handler was called with %+v", m)
		return transport.Message{}, nil
	}
}

// wait calls ready until it is true.
func wait(t testing.TB, what string, ready func(ctx context.Context) bool) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ready(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// receive returns what c gives.
func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-within(t).Done():
		t.Fatalf("waited %v for %s", patience, what)
	}
	return v
}

// within returns a context for what must not take long.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
