package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/event"
)

const (
	// maxStreams is how many clients may listen at once: each costs the
	// program a connection and the group a queue.
	maxStreams = 32
	// streamFor is how long a stream lasts. Its client comes back, with a
	// permission that is asked for anew.
	streamFor = 15 * time.Minute
	// keepAlive is how often a silent stream shows that it lives.
	keepAlive = 15 * time.Second
	// retryEnded is when a client looks again after a group that has ended, in
	// milliseconds: there may be a new one at this address by then.
	retryEnded = "15000"
)

// events sends the events of the group until the client goes.
func events(ctx context.Context, c *call) error {
	if c.streams.Add(1) > maxStreams {
		c.streams.Add(-1)
		return &refusal{
			status: http.StatusServiceUnavailable, reason: "streams",
			text: "As many clients listen to events as may. Close one of the streams, or read the history.",
		}
	}
	defer c.streams.Add(-1)
	s := newStream(c)
	ctx, cancel := c.cfg.Clock.WithTimeout(ctx, streamFor)
	live := make(chan event.Event)
	unsubscribe, err := c.group.Subscribe(event.Any, func(called context.Context, e event.Event) {
		select {
		case live <- e:
		case <-ctx.Done():
		case <-called.Done():
		}
	})
	if err != nil { // not reachable: the ID and the handler are right
		cancel()
		return err
	}
	defer unsubscribe()
	defer cancel() // before unsubscribe, which waits for the handler
	if err := s.open(); err != nil {
		return err
	}
	s.alive = c.cfg.Clock.Ticker(keepAlive)
	defer s.alive.Stop()
	s.greeting(ctx, live)
	s.replay(c.group.History())
	s.follow(ctx, live)
	return nil
}

// stream is the answer to one client: events with numbers above last.
type stream struct {
	*call
	control *http.ResponseController
	last    uint64
	greet   bool // the client wants to hear the present role first
	alive   *clock.Ticker
	err     error
}

// newStream finds out what the client has heard: what it says, if that was of
// this run; nothing, if it was of another; or all there is so far.
func newStream(c *call) *stream {
	s := &stream{call: c, control: http.NewResponseController(c.w)}
	var newest uint64
	if h := c.group.History(); len(h) > 0 {
		newest = h[len(h)-1].Meta().Seq
	}
	seen := c.r.Header.Get("Last-Event-ID")
	run, seq, ok := strings.Cut(seen, "-")
	switch n, err := strconv.ParseUint(seq, 10, 64); {
	case seen == "":
		s.greet, s.last = true, newest
	case ok && err == nil && run == c.run && n <= newest:
		s.last = n
	}
	return s
}

// open begins the answer, by a flush, which a writer that the host has wrapped
// may not be able to do.
func (s *stream) open() error {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies that buffer would keep events back
	if err := s.control.Flush(); errors.Is(err, http.ErrNotSupported) {
		h.Del("X-Accel-Buffering")
		return &refusal{
			status: http.StatusInternalServerError, reason: "no_flush",
			text: "The host program wraps the http.ResponseWriter in one that cannot flush. Let it have Unwrap, or do not wrap it here.",
		}
	}
	s.send(": events of one run of one node\n\n")
	return nil
}

// replay sends what the client has missed.
func (s *stream) replay(recent []event.Event) {
	if len(recent) > 0 && recent[0].Meta().Seq > s.last+1 {
		s.send(": some events are lost: the history does not go back to them\n\n")
	}
	for _, e := range recent {
		s.event(e)
	}
}

// follow sends events as they come.
func (s *stream) follow(ctx context.Context, live <-chan event.Event) {
	for {
		e, ok := s.next(ctx, live)
		if !ok {
			break
		}
		s.event(e)
	}
	if ctx.Err() == nil {
		s.send("retry: " + retryEnded + "\n: the group does not run any more\n\n")
	}
}

// next waits for an event, and shows meanwhile that the stream lives. There is
// none when the stream ends, or the group.
func (s *stream) next(ctx context.Context, live <-chan event.Event) (e event.Event, ok bool) {
	for s.err == nil {
		select {
		case <-ctx.Done():
			return nil, false
		case <-s.group.Done():
			return nil, false
		case <-s.alive.C:
			s.send(": alive\n\n")
		case e := <-live:
			return e, true
		}
	}
	return nil, false
}

// greeting sends the present role to a client that knows nothing, before all
// else. It is the first event of a subscription, and bears the number of what
// the client need not hear, so that nothing after that is taken for heard.
func (s *stream) greeting(ctx context.Context, live <-chan event.Event) {
	if !s.greet {
		return
	}
	if e, ok := s.next(ctx, live); ok {
		s.write(e)
	}
}

// event sends an event unless the client has it.
func (s *stream) event(e event.Event) {
	if seq := e.Meta().Seq; seq > s.last {
		s.last = seq
		s.write(e)
	}
}

// write sends one event of the stream: JSON has no line ends.
func (s *stream) write(e event.Event) {
	data, err := json.Marshal(e)
	if err != nil { // not reachable: the types of events are plain
		s.err = err
		return
	}
	s.send("id: " + s.run + "-" + strconv.FormatUint(s.last, 10) + "\nevent: " + string(e.Meta().ID) + "\ndata: " + string(data) + "\n\n")
}

// send writes and flushes; a client that does not read is dropped in time.
func (s *stream) send(text string) {
	if s.err != nil {
		return
	}
	// Where the deadline cannot be set, the host has wrapped the writer: its
	// limits must do then.
	_ = s.control.SetWriteDeadline(s.cfg.Clock.Now().Add(writeWithin))
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = s.control.Flush()
	}
}
