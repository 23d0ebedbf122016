package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

// client listens to a stream of events.
type client struct {
	header http.Header
	stop   context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	status int
	text   bytes.Buffer
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *client) Flush() {}

func (c *client) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// heard is one event of a stream.
type heard struct{ id, name, data string }

func (c *client) events(t *testing.T) []heard {
	t.Helper()
	var found []heard
	for block := range strings.SplitSeq(c.String(), "\n\n") {
		var h heard
		for line := range strings.SplitSeq(block, "\n") {
			switch field, value, _ := strings.Cut(line, ": "); field {
			case "id":
				h.id = value
			case "event":
				h.name = value
			case "data":
				h.data = value
			}
		}
		if h.name != "" {
			found = append(found, h)
		}
	}
	return found
}

// listen opens a stream.
func (n *node) listen(t *testing.T, last string) *client {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &client{header: http.Header{}, stop: stop, ended: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, "GET", "/ag/api/v1/events", nil)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	go func() {
		defer close(c.ended)
		n.api.ServeHTTP(c, r)
	}()
	synctest.Wait()
	return c
}

// close ends the stream and waits for the handler.
func (c *client) close() {
	c.stop()
	<-c.ended
}

func TestEvents_Live(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		before := a.Stats().Subscribers
		c := a.listen(t, "")
		if got := c.header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type %q", got)
		}
		done(t, a.ask(t, "PUT", "group/pause", ""))
		l.wait("the pause is told", func() bool { return strings.Contains(c.String(), `"paused":true`) })
		c.close()
		got := c.events(t)
		if got[0].name != string(event.NodeRoleChanged) || !strings.Contains(got[0].data, `"previous":"","new":"primary"`) {
			t.Errorf("the first event is %+v, want the present role", got[0])
		}
		for _, h := range got {
			var head event.Header
			if err := json.Unmarshal([]byte(h.data), &head); err != nil || string(head.ID) != h.name {
				t.Errorf("event %+v: %v", h, err)
			}
			if !regexp.MustCompile(`^[a-z2-7]{8}-\d+$`).MatchString(h.id) {
				t.Errorf("id %q", h.id)
			}
		}
		if got := a.Stats().Subscribers; got != before {
			t.Errorf("%d subscriptions are left, before there were %d", got, before)
		}
	})
}

// A client that comes back hears each event once.
func TestEvents_Resume(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		l.wait("nothing more happens by itself", func() bool { return a.GetNodeState().HeartbeatMethod == event.HeartbeatDirect })
		whole, first := a.listen(t, ""), a.listen(t, "")
		paused := func(n int) func() bool {
			return func() bool { return strings.Count(whole.String(), `"paused":`) == n }
		}
		done(t, a.ask(t, "PUT", "group/pause", ""))
		l.wait("the pause is told", paused(1))
		first.close()
		heardFirst := first.events(t)
		done(t, a.ask(t, "DELETE", "group/pause", ""))
		l.wait("the end of the pause is told", paused(2))
		second := a.listen(t, heardFirst[len(heardFirst)-1].id)
		done(t, a.ask(t, "PUT", "group/pause", ""))
		l.wait("the second pause is told", paused(3))
		second.close()
		whole.close()
		if diff := cmp.Diff(whole.events(t), slices.Concat(heardFirst, second.events(t)), cmp.AllowUnexported(heard{})); diff != "" {
			t.Errorf("a client that came back, against one that stayed: mismatch (-want +got):\n%s", diff)
		}
	})
}

// A client of another run, or one that says nonsense, has heard nothing.
func TestEvents_OtherRun(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		here := a.listen(t, "")
		here.close()
		run, _, _ := strings.Cut(here.events(t)[0].id, "-")
		for _, last := range []string{"abcdefgh-99999999", "nonsense", "-", "a-b", run + "-99999999", run + "--1", run} {
			c := a.listen(t, last)
			c.close()
			var want, got []uint64
			for _, e := range a.History() {
				want = append(want, e.Meta().Seq)
			}
			for _, h := range c.events(t) {
				var head event.Header
				if err := json.Unmarshal([]byte(h.data), &head); err != nil {
					t.Fatal(err)
				}
				got = append(got, head.Seq)
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
				t.Errorf("Last-Event-ID %q: mismatch (-want +got):\n%s", last, diff)
			}
		}
	})
}

func TestEvents_Gap(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		c := a.listen(t, "")
		c.close()
		id := c.events(t)[0].id
		for range 130 {
			done(t, a.ask(t, "PUT", "group/pause", ""))
			done(t, a.ask(t, "DELETE", "group/pause", ""))
		}
		late := a.listen(t, id)
		late.close()
		if got := late.String(); !strings.Contains(got, ": some events are lost") {
			t.Errorf("a gap is not told:\n%.300s", got)
		}
		if got := len(late.events(t)); got != 256 {
			t.Errorf("%d events are left, want 256", got)
		}
	})
}

func TestEvents_AliveAndEnd(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		start := time.Now()
		c := a.listen(t, "")
		<-c.ended
		if got := time.Since(start); got != 15*time.Minute {
			t.Errorf("the stream has ended after %v", got)
		}
		if got := strings.Count(c.String(), ": alive\n\n"); got < 58 || got > 60 {
			t.Errorf("%d signs of life in a quarter of an hour", got)
		}
	})
}

// So it is where a stream waits for its first event, because the group does
// not run yet.
func TestEvents_BeforeRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, err := availability.New(availability.Config{Store: dnsstore.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		n := &node{Group: g, api: httpapi.New(g, httpapi.Config{Authorize: everybody})}
		start := time.Now()
		c := n.listen(t, "")
		time.AfterFunc(time.Hour, c.stop)
		<-c.ended
		if got := time.Since(start); got != 15*time.Minute {
			t.Errorf("the stream has ended after %v", got)
		}
		if got := strings.Count(c.String(), ": alive\n\n"); got < 58 || got > 60 {
			t.Errorf("%d signs of life in a quarter of an hour", got)
		}
	})
}

func TestEvents_TooManyStreams(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		var open []*client
		for range 32 {
			open = append(open, a.listen(t, ""))
		}
		failed(t, a.ask(t, "GET", "events", ""), http.StatusServiceUnavailable, "streams")
		open[0].close()
		again := a.listen(t, "")
		for _, c := range append(open[1:], again) {
			c.close()
		}
		if len(again.events(t)) == 0 {
			t.Error("the stream that took a free place has no event")
		}
	})
}

// stuck is a client that does not read.
type stuck struct {
	*client
	free chan struct{}
}

func (s stuck) Write([]byte) (int, error) {
	<-s.free
	return 0, errors.New("the deadline has passed")
}

func TestEvents_StuckClient(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		s := stuck{client: &client{header: http.Header{}, ended: make(chan struct{})}, free: make(chan struct{})}
		go func() {
			defer close(s.ended)
			a.api.ServeHTTP(s, httptest.NewRequestWithContext(t.Context(), "GET", "/ag/api/v1/events", nil))
		}()
		synctest.Wait()
		done(t, b.ask(t, "PUT", "failover", ""))
		done(t, a.ask(t, "PUT", "failover", ""))
		close(s.free)
		<-s.ended
	})
}

// bare cannot flush.
type bare struct{ http.ResponseWriter }

func TestEvents_NoFlush(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start()
		w := httptest.NewRecorder()
		a.api.ServeHTTP(bare{w}, httptest.NewRequestWithContext(t.Context(), "GET", "/ag/api/v1/events", nil))
		failed(t, w, http.StatusInternalServerError, "no_flush")
		failed(t, a.ask(t, "HEAD", "events", ""), http.StatusMethodNotAllowed, "method")
	})
}

// The same over a socket, with a server that gives an answer less time than a
// stream needs.
func TestEvents_Socket(t *testing.T) {
	t.Parallel()
	g, err := availability.New(availability.Config{
		NodeID: "a", Store: dnsstore.NewMemory(),
		Settings: availability.Settings{GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("192.0.2.1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- g.Run(ctx) }()
	server := httptest.NewServer(checked(t, httpapi.New(g, httpapi.Config{Authorize: everybody})))
	defer server.Close()
	defer func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	listening, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(listening, "GET", server.URL+"/ag/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	await := func(text string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
		t.Fatalf("the stream has ended before %s: %v", text, lines.Err())
	}
	await(`"new":"not_in_group"`)
	create, err := http.NewRequestWithContext(listening, "POST", server.URL+"/ag/api/v1/group", strings.NewReader(`{"group_fqdn_ttl":20}`))
	if err != nil {
		t.Fatal(err)
	}
	create.Header.Set("Content-Type", "application/json")
	created, err := server.Client().Do(create)
	if err != nil {
		t.Fatal(err)
	}
	created.Body.Close()
	if created.StatusCode != http.StatusOK {
		t.Fatal(fmt.Sprint("created: ", created.Status))
	}
	await(`"new":"primary"`)
}

// The stream ends with the group, after its last events.
func TestEvents_EndWithTheGroup(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, _ := l.pair()
		c := a.listen(t, "")
		a.cancel()
		<-c.ended
		got := c.events(t)
		if last := got[len(got)-1]; last.name != string(event.NodeRoleChanged) && last.name != string(event.FailoverFinished) {
			t.Errorf("the last event is %+v, want one of the handover", last)
		}
		if !strings.Contains(c.String(), "does not run any more") {
			t.Error("the stream does not say why it ends")
		}
		late := a.listen(t, "")
		<-late.ended
	})
}
