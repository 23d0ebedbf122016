package transport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrServing: Serve was called while an earlier call was running.
var ErrServing = errors.New("transport: serving already")

// Addressed is implemented by transports that do not know by themselves whom
// they serve. A group calls SetAddress before Serve. From then on a message to
// another group or node is refused, and its sender gets [ErrUnauthenticated].
type Addressed interface {
	Transport
	// SetAddress sets the group and the ID of the node that is served. It
	// returns an error for names that are none and for names that contradict
	// what the transport was made for.
	SetAddress(group, node string) error
}

// PanicError is a panic of a handler.
type PanicError struct {
	// Value is what the handler panicked with.
	Value any
	// Stack is the stack of the goroutine, as package runtime/debug prints it.
	Stack []byte
}

// Error returns the value in words, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("the handler panicked: %v", e.Value) }

// Deliver is how a transport calls a handler. The handler gets a copy of m. A
// panic is recovered and returned as a [PanicError]. The empty names of the
// answer are filled in from m, and an answer that is none is returned as an
// error that wraps [ErrInvalidMessage]; every other error is the handler's own.
func Deliver(ctx context.Context, h Handler, m Message) (answer Message, err error) {
	defer func() {
		if value := recover(); value != nil {
			answer, err = Message{}, &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	answer, err = h.HandleMessage(ctx, m.Clone())
	if err != nil {
		return Message{}, err
	}
	return checkAnswer(m, answer.Clone())
}

// HandlerFunc is a function that is a [Handler].
type HandlerFunc func(ctx context.Context, m Message) (Message, error)

// HandleMessage calls f.
func (f HandlerFunc) HandleMessage(ctx context.Context, m Message) (Message, error) {
	return f(ctx, m)
}
