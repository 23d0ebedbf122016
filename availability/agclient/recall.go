package agclient

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// errMoved: the request was given up, since a newer term has begun elsewhere
// while it waited for an answer.
var errMoved = errors.New("agclient: the Primary has moved")

// waiting is the requests at one place that have no answer yet and do no harm
// if they are sent again elsewhere. A machine that has vanished never answers
// them.
type waiting struct {
	mu   sync.Mutex
	all  map[*waiter]struct{} // guarded by mu
	over bool                 // guarded by mu; recalled: it has no further requests
}

type waiter struct{ giveUp context.CancelCauseFunc }

func (w *waiting) add(r *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		r.giveUp(errMoved)
		return
	}
	if w.all == nil {
		w.all = make(map[*waiter]struct{})
	}
	w.all[r] = struct{}{}
}

func (w *waiting) remove(r *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, r)
}

// recall gives up all requests that wait, or come late.
func (w *waiting) recall() {
	w.mu.Lock()
	w.over = true
	all := slices.Collect(maps.Keys(w.all))
	w.mu.Unlock()
	for _, r := range all {
		r.giveUp(errMoved)
	}
}

// recallable tells whether a request may be given up and sent again.
func recallable(r *http.Request) bool {
	return idempotent(r) && rewindable(r) && r.Header.Get("Upgrade") == ""
}

// send sends a request that can be recalled until its answer begins.
func (p *pool) send(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &waiter{giveUp: cancel}
	p.waiting.add(w)
	response, err := p.RoundTrip(r.WithContext(ctx))
	p.waiting.remove(w)
	moved := errors.Is(context.Cause(ctx), errMoved)
	switch {
	case err == nil && moved:
		response.Body.Close()
		return nil, errMoved
	case err == nil && response.Body != http.NoBody:
		response.Body = &body{ReadCloser: response.Body, end: cancel}
		return response, nil
	}
	cancel(nil)
	if moved {
		err = errMoved
	}
	return response, err
}

// body ends the context of its request when it ends.
type body struct {
	io.ReadCloser

	end context.CancelCauseFunc
}

// Read reads on; the transport is done with the request when there is an error.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(nil)
	}
	return n, err
}

// Close ends the request.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end(nil)
	return err
}
