package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// concurrent is how many exchanges must be possible at a time.
const concurrent = 8

// testConcurrent meets its exchanges in the handlers: none is answered before
// all have arrived.
func testConcurrent(t *testing.T, n Network) {
	var arrived sync.WaitGroup
	arrived.Add(concurrent)
	meet := func(ctx context.Context, m transport.Message) (transport.Message, error) {
		arrived.Done()
		all := make(chan struct{})
		go func() { arrived.Wait(); close(all) }()
		select {
		case <-all:
			return transport.Message{Kind: m.Kind, Body: m.Body}, nil
		case <-ctx.Done():
			return transport.Message{}, ctx.Err()
		}
	}
	serve(t, n.A, n.B, meet)
	serve(t, n.B, n.A, meet)
	var exchanges sync.WaitGroup
	for i := range concurrent / 2 {
		exchanges.Go(func() { exchange(t, n.A, n.B, fmt.Sprintf(`"a to b %d"`, i)) })
		exchanges.Go(func() { exchange(t, n.B, n.A, fmt.Sprintf(`"b to a %d"`, i)) })
	}
	exchanges.Wait()
}

func testSenderEnds(t *testing.T, n Network) {
	arrived, release := make(chan struct{}), make(chan struct{})
	serve(t, n.A, n.B, func(context.Context, transport.Message) (transport.Message, error) {
		close(arrived)
		<-release
		return transport.Message{}, nil
	})
	defer close(release)
	cause := errors.New("the sender has changed its mind")
	ctx, cancel := context.WithCancelCause(within(t))
	ended := make(chan error, 1)
	go func() {
		_, err := n.A.Transport.Exchange(ctx, n.B.Peer, message(n.A, n.B, "request", nil))
		ended <- err
	}()
	receive(t, "the handler to be called", arrived)
	cancel(cause)
	err := receive(t, "Exchange to return after its context ended", ended)
	wantError(t, transport.Message{}, err, transport.ErrUnreachable)
	for _, want := range []error{context.Canceled, cause} {
		if !errors.Is(err, want) {
			t.Errorf("Exchange: got error %v, want one that wraps %v", err, want)
		}
	}
}

func testSenderEndedBefore(t *testing.T, n Network) {
	serve(t, n.A, n.B, unwanted(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := n.A.Transport.Exchange(ctx, n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrUnreachable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Exchange: got error %v, want one that wraps %v", err, context.Canceled)
	}
}

// testReceiverEnds ends Serve during a call: the call's context must end, and
// Serve must wait for it.
func testReceiverEnds(t *testing.T, n Network) {
	arrived := make(chan struct{})
	var finished atomic.Bool
	s := serve(t, n.A, n.B, func(ctx context.Context, _ transport.Message) (transport.Message, error) {
		close(arrived)
		<-ctx.Done()
		// Time enough for a Serve that does not wait to return before this does.
		linger, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Millisecond)
		defer cancel()
		<-linger.Done()
		defer finished.Store(true)
		return transport.Message{}, ctx.Err()
	})
	ended := make(chan error, 1)
	go func() {
		_, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
		ended <- err
	}()
	receive(t, "the handler to be called", arrived)
	s.end()
	if !finished.Load() {
		t.Error("Serve returned while a handler was running")
	}
	if err := receive(t, "Exchange to return", ended); err == nil {
		t.Error("Exchange: got no error, want the one of the handler")
	}
	got, err := n.A.Transport.Exchange(within(t), n.B.Peer, message(n.A, n.B, "request", nil))
	wantError(t, got, err, transport.ErrUnreachable)
}

func testServeAgain(t *testing.T, n Network) {
	for range 3 {
		s := serve(t, n.A, n.B, echo)
		exchange(t, n.A, n.B, `"again"`)
		s.end()
	}
}

func testServeTwice(t *testing.T, n Network) {
	serve(t, n.A, n.B, echo)
	err := n.B.Transport.Serve(within(t), probed(unwanted(t)))
	if !errors.Is(err, transport.ErrServing) {
		t.Errorf("Serve while it runs: got %v, want %v", err, transport.ErrServing)
	}
	exchange(t, n.A, n.B, `"not disturbed"`)
}

func testServeNothing(t *testing.T, n Network) {
	if err := n.B.Transport.Serve(within(t), nil); err == nil {
		t.Error("Serve of a nil handler: got no error")
	}
}
