package transport_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// Two nodes in memory, first connected, then not. Run in a bubble of package
// testing/synctest this takes no time.
func ExampleNewMemory() {
	network := transport.NewMemory()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		_ = network.Node("b").Serve(ctx, transport.HandlerFunc(
			func(_ context.Context, _ transport.Message) (transport.Message, error) {
				return transport.Message{Kind: "pong"}, nil
			}))
	}()
	ask := func(timeout time.Duration) (transport.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return network.Node("a").Exchange(ctx, transport.Peer{ID: "b"},
			transport.Message{Group: "gw.example.com", From: "a", To: "b", Kind: "ping"})
	}
	answer, err := ask(time.Minute)
	for errors.Is(err, transport.ErrUnreachable) { // until b serves
		answer, err = ask(time.Minute)
	}
	fmt.Println(answer.From, "says", answer.Kind)

	network.Cut("b", "a")
	_, err = ask(time.Millisecond)
	fmt.Println(errors.Is(err, transport.ErrUnreachable), errors.Is(err, context.DeadlineExceeded))
	cancel()
	<-serving
	// Output:
	// b says pong
	// true true
}

// A key shows its ID and never its octets.
func ExampleNewKey() {
	_, err := transport.NewKey([]byte("a password"))
	fmt.Println(err)
	key, err := transport.NewKey([]byte("0123456789abcdef0123456789abcdef"))
	fmt.Println(key, err)
	// Output:
	// transport: a key of 10 octets: at least 32 are needed
	// [key c088659f] <nil>
}
