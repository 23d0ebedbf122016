package transporttest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/transporttest"
)

// brokenBy is the variable that tells TestRun what is to be broken.
const brokenBy = "TRANSPORTTEST_BROKEN"

// TestRun runs the suite on the plainest transport there is, broken or not.
func TestRun(t *testing.T) {
	broken := os.Getenv(brokenBy)
	transporttest.Run(t, func(testing.TB) transporttest.Network {
		lan := map[string]*plain{}
		for _, id := range []string{"a", "b"} {
			lan[id] = &plain{lan: lan, broken: broken}
		}
		return transporttest.Network{
			A:       transporttest.Node{Transport: lan["a"], Peer: transport.Peer{ID: "a"}},
			B:       transporttest.Node{Transport: lan["b"], Peer: transport.Peer{ID: "b"}},
			Nowhere: transport.Peer{ID: "nowhere"},
		}
	})
}

// TestRun_Bites breaks the transport in one way after the other. The suite
// must notice, in the case that is for it.
func TestRun_Bites(t *testing.T) {
	t.Parallel()
	for broken, noticed := range map[string]string{
		"handled twice":            "OneRequestOneAnswer",
		"body shared":              "CopiedBodies",
		"answer not filled in":     "AnswerFilledIn",
		"answer not checked":       "AnswerToAnother",
		"answer of any size":       "AnswerTooLarge",
		"request not checked":      "InvalidMessages",
		"number rounded":           "BodyRoundTrip",
		"error lost":               "HandlerError",
		"error of another kind":    "HandlerError",
		"error is two kinds":       "HandlerError",
		"error without facts":      "Nowhere",
		"answer beside the error":  "HandlerError",
		"not authenticated lost":   "HandlerUnauthenticated",
		"any group":                "WrongGroup",
		"any node":                 "WrongNode",
		"kind of error of ctx":     "SenderEnds",
		"cause lost":               "SenderEnds",
		"sent after the end":       "SenderEndedBefore",
		"does not wait":            "ReceiverEnds",
		"error at the end":         "ServeAgain",
		"serves once":              "ServeAgain",
		"serves twice":             "ServeTwice",
		"serves nothing":           "ServeNothing",
		"answers without a server": "NotServing",
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRun$/^"+noticed+"$")
			c.Env = append(os.Environ(), brokenBy+"="+broken)
			out, err := c.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestRun/"+noticed) {
				t.Errorf("the case %s has not noticed: %v\n%s", noticed, err, out)
			}
		})
	}
}

// plain is a transport that calls its peers.
type plain struct {
	lan    map[string]*plain
	broken string

	mu      sync.Mutex
	serving bool
	served  bool
	h       transport.Handler
	ctx     func() context.Context
	calls   sync.WaitGroup
}

func (p *plain) Serve(ctx context.Context, h transport.Handler) error {
	p.mu.Lock()
	switch {
	case h == nil && p.broken != "serves nothing":
		p.mu.Unlock()
		return errors.New("nil handler")
	case h == nil:
		p.mu.Unlock()
		return nil
	case p.serving && p.broken == "serves twice":
		p.mu.Unlock()
		return nil
	case p.serving, p.served && p.broken == "serves once":
		p.mu.Unlock()
		return transport.ErrServing
	}
	p.serving, p.served, p.h, p.ctx = true, true, h, func() context.Context { return ctx }
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.h = nil
	p.mu.Unlock()
	if p.broken != "does not wait" {
		p.calls.Wait()
	}
	p.mu.Lock()
	p.serving = false
	p.mu.Unlock()
	if p.broken == "error at the end" {
		return ctx.Err()
	}
	return nil
}

func (p *plain) Exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	answer, err := p.exchange(ctx, to, m)
	if err == nil {
		return answer, nil
	}
	if p.broken != "answer beside the error" {
		answer = transport.Message{}
	} else {
		answer.Kind = "x"
	}
	if p.broken == "error without facts" {
		return answer, err
	}
	return answer, &transport.PeerError{Peer: to, Op: "exchange", Err: err}
}

func (p *plain) exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	if err := transport.CheckRequest(to, m); err != nil && p.broken != "request not checked" {
		return transport.Message{}, err
	}
	if ctx.Err() != nil && p.broken != "sent after the end" {
		return transport.Message{}, fmt.Errorf("%w: %w", transport.ErrUnreachable, ctx.Err())
	}
	peer := p.lan[to.ID]
	if peer == nil && p.broken == "any node" {
		peer = p.lan["b"]
	}
	if peer == nil {
		return transport.Message{}, transport.ErrUnreachable
	}
	type result struct {
		answer transport.Message
		err    error
	}
	done := make(chan result, 1)
	if !peer.call(func( //nolint:contextcheck // the handler has the context of Serve
		ctx context.Context, h transport.Handler,
	) {
		answer, err := p.deliver(ctx, h, m)
		if p.broken == "handled twice" {
			answer, err = p.deliver(ctx, h, m)
		}
		done <- result{answer, err}
	}) {
		if p.broken == "answers without a server" {
			return transport.Message{Group: m.Group, From: m.To, To: m.From}, nil
		}
		return transport.Message{}, transport.ErrUnreachable
	}
	select {
	case r := <-done:
		return r.answer, p.kindOf(r.err)
	case <-ctx.Done():
		switch p.broken {
		case "kind of error of ctx":
			return transport.Message{}, ctx.Err()
		case "cause lost":
			return transport.Message{}, fmt.Errorf("%w: %w", transport.ErrUnreachable, ctx.Err())
		}
		return transport.Message{}, fmt.Errorf("%w: %w: %w", transport.ErrUnreachable, ctx.Err(), context.Cause(ctx))
	}
}

func (p *plain) call(f func(ctx context.Context, h transport.Handler)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.h == nil {
		return false
	}
	h, ctx := p.h, p.ctx()
	p.calls.Go(func() { f(ctx, h) })
	return true
}

// deliver is transport.Deliver, with the parts that are broken left out.
func (p *plain) deliver(ctx context.Context, h transport.Handler, m transport.Message) (transport.Message, error) {
	if m.Group != transporttest.Group && p.broken != "any group" {
		return transport.Message{}, transport.ErrUnauthenticated
	}
	if p.broken == "number rounded" && string(m.Body) == "123456789012345678901234567890" {
		m.Body = []byte("123456789012345680000000000000")
	}
	switch p.broken {
	case "body shared":
		answer, err := h.HandleMessage(ctx, m)
		answer.Group, answer.From, answer.To = m.Group, m.To, m.From
		return answer, err
	case "answer not filled in", "answer not checked", "answer of any size":
		return h.HandleMessage(ctx, m.Clone())
	}
	return transport.Deliver(ctx, h, m)
}

func (p *plain) kindOf(err error) error {
	switch {
	case err == nil, p.broken == "error lost":
		return nil
	case p.broken == "error of another kind":
		return transport.ErrUnreachable
	case p.broken == "error is two kinds":
		return errors.Join(transport.ErrUnreachable, transport.ErrRejected)
	case errors.Is(err, transport.ErrUnauthenticated) && p.broken != "not authenticated lost":
		return transport.ErrUnauthenticated
	}
	return transport.ErrRejected
}
