package httpapi

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxReplay is how much of a body is kept for another attempt. Most attempts
// fail before anything is read.
const maxReplay = 64 << 10

// errBodyGone: too much of the body was read, or is being read, for it to be
// sent again.
var errBodyGone = errors.New("httpapi: the body cannot be sent again")

// replay is the body of a request, which several attempts read from the start.
// The server that it came from closes it.
type replay struct {
	from io.Reader

	mu      sync.Mutex
	kept    []byte // guarded by mu; what was read, if it is not too much
	lost    bool   // guarded by mu; it was too much, or was not to be kept
	reading bool   // guarded by mu; an attempt waits for more
	present *reel  // guarded by mu; the others read no more
	end     error  // guarded by mu; how from has ended
}

// reel is the body as one attempt reads it.
type reel struct {
	of   *replay
	keep bool
	at   int // guarded by of.mu
}

// offer hands out the body from the start, and keeps what is read of it or not.
// If it was begun already, rewind has said that it can be.
func (v *visit) offer(keep bool) io.ReadCloser {
	if v.r.Body == nil || v.r.Body == http.NoBody {
		return v.r.Body
	}
	if v.body == nil {
		v.body = &replay{from: v.r.Body}
	}
	return v.body.start(keep)
}

// gather reads the body before the request is held, since in HTTP/1 net/http
// does not see a client go as long as there is a body to be read. It returns
// false if that has taken all the time that was left.
func (v *visit) gather(left time.Duration) (inTime bool) {
	if !v.gathers() {
		return true
	}
	late := make(chan struct{})
	alarm := v.cfg.Clock.AfterFunc(left, func() {
		defer close(late)
		_ = http.NewResponseController(v.w).SetReadDeadline(time.Unix(1, 0)) // long ago by each clock
	})
	_, _ = io.Copy(io.Discard, v.offer(true)) // how it has ended is what the next attempt finds
	if alarm.Stop() {
		return true
	}
	<-late
	return false
}

// gathers tells whether the body can be read ahead: all of it is kept, and the
// reading can be ended. One without a length may be a stream whose end waits
// for an answer.
func (v *visit) gathers() bool {
	if v.r.ProtoMajor != 1 || v.r.ContentLength <= 0 || v.r.ContentLength > maxReplay {
		return false
	}
	for w := v.w; ; {
		switch t := w.(type) {
		case interface {
			SetReadDeadline(deadline time.Time) error
		}:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

func (b *replay) start(keep bool) *reel {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present = &reel{of: b, keep: keep}
	return b.present
}

// rewind ends the present attempt, and tells whether there can be another.
func (b *replay) rewind() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present = nil
	return !b.lost && !b.reading
}

// again is rewind and start, for [http.Request.GetBody].
func (b *replay) again() (io.ReadCloser, error) {
	if !b.rewind() {
		return nil, errBodyGone
	}
	return b.start(true), nil
}

// Read reads what another attempt has read, then what nobody has.
func (r *reel) Read(p []byte) (int, error) {
	b := r.of
	if n, done, err := r.readKept(p); done {
		return n, err
	}
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading, b.end = false, err
	if !r.keep || len(b.kept)+n > maxReplay {
		b.kept, b.lost = nil, true
	}
	if !b.lost {
		b.kept = append(b.kept, p[:n]...)
	}
	r.at += n
	return n, err
}

// readKept reads what another attempt has read; done: there is no more to be
// had for this one.
func (r *reel) readKept(p []byte) (n int, done bool, err error) {
	b := r.of
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.present != r:
		return 0, true, errBodyGone
	case !b.lost && r.at < len(b.kept):
		n = copy(p, b.kept[r.at:])
		r.at += n
		return n, true, nil
	case b.end != nil:
		return 0, true, b.end
	case b.reading:
		return 0, true, errBodyGone
	}
	b.reading = true
	return 0, false, nil
}

// Close ends the reading by this attempt.
func (r *reel) Close() error {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.of.present == r {
		r.of.present = nil
	}
	return nil
}
