package httptransport_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// waitOpen waits until a transport does not answer 503.
func waitOpen(t testing.TB, h http.Handler) {
	t.Helper()
	waitFor(t, "the transport to be served", func() bool {
		return deliver(t, h, octets{method: http.MethodPost}).status != http.StatusServiceUnavailable
	})
}

func waitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ready(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func TestExchange_RoundTrips(t *testing.T) {
	t.Parallel()
	var clk clock
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", at(&clk), echo)
	tap, seen := newTap(t, b)
	total := 0
	for _, step := range []struct {
		name  string
		pause time.Duration
		want  int
	}{
		{"first contact", 0, 2},
		{"second", 0, 1},
		{"within the life of a nonce", 29 * time.Second, 1},
		{"after a pause", 31 * time.Second, 2},
		{"and on", 0, 1},
		{"a clock put back", -300 * time.Second, 1},
	} {
		clk.advance(step.pause)
		mustExchange(t, a, seen, `1`)
		requests, _ := tap.seen()
		if got := len(requests) - total; got != step.want {
			t.Errorf("%s: got %d round trips, want %d", step.name, got, step.want)
		}
		total = len(requests)
	}
	if got := a.Stats().SignedAgain; got != 2 {
		t.Errorf("signed again %d times, want 2", got)
	}
}

// TestExchange_AfterRestart starts the peer anew when a sender has a store of
// nonces of the old one. They are worth nothing, which may cost the next
// exchange a round trip, but not each.
func TestExchange_AfterRestart(t *testing.T) {
	t.Parallel()
	const overlapping = 4
	var arrived sync.WaitGroup
	arrived.Add(overlapping)
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, func(ctx context.Context, m transport.Message) (transport.Message, error) {
		arrived.Done()
		arrived.Wait()
		return echo(ctx, m)
	})
	tap, seen := newTap(t, b)
	var exchanges sync.WaitGroup
	for range overlapping {
		exchanges.Go(func() { mustExchange(t, a, seen, `1`) })
	}
	exchanges.Wait()
	tap.to = newNode(t, "b", httptransport.Config{}, echo).Transport
	for _, want := range []int{2, 1, 1} {
		before, _ := tap.seen()
		mustExchange(t, a, seen, `2`)
		if after, _ := tap.seen(); len(after)-len(before) != want {
			t.Errorf("after the restart: got %d round trips, want %d", len(after)-len(before), want)
		}
	}
}

// TestExchange_ConcurrentFirst meets a peer for the first time with many
// exchanges at once.
func TestExchange_ConcurrentFirst(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, counting(&calls))
	for range 3 {
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() { mustExchange(t, a, b, fmt.Sprint(i)) })
		}
		all.Wait()
	}
	wantCalls(t, &calls, 150)
}

// TestExchange_WrongClocks lets clocks be years apart and go as they like.
func TestExchange_WrongClocks(t *testing.T) {
	t.Parallel()
	var ahead, behind clock
	ahead.set(200 * 24 * time.Hour)
	behind.set(-200 * 24 * time.Hour)
	// Deadlines of connections are set by the same clock, so this one is given
	// room; the system's clock cannot be wrong in that way.
	c := at(&behind)
	c.IOTimeout = 1000 * 24 * time.Hour
	a := newNode(t, "a", at(&ahead), echo)
	b := newNode(t, "b", c, echo)
	for range 3 {
		mustExchange(t, a, b, `1`)
		mustExchange(t, b, a, `2`)
		ahead.advance(-time.Hour)
		behind.advance(time.Hour)
	}
}

func TestExchange_Addresses(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	for _, url := range []string{
		"", "127.0.0.1:1", "http://", "http://localhost:1", "http://gw-b.example:1", "ftp://127.0.0.1:1",
		"http://user:password@127.0.0.1:1", "http://127.0.0.1:1/x", "http://127.0.0.1:1?x=y", "http://127.0.0.1:1#x",
		"http://127.0.0.1:1x", "http://[::1", "http:127.0.0.1:1", "https://127.0.0.1.nip.io", "\x7f",
	} {
		_, err := exchange(t, a, transport.Peer{ID: "b", URL: url}, `1`)
		t.Logf("%s: %v", url, err)
		wantKind(t, err, transport.ErrUnreachable)
	}
	b := newNode(t, "b", httptransport.Config{}, echo)
	b.url += "/"
	mustExchange(t, a, b, `1`)
	_, err := exchange(t, a, transport.Peer{ID: "b", URL: strings.Replace(b.url, "127.0.0.1", "localhost", 1)}, `1`)
	if wantKind(t, err, transport.ErrUnreachable); b.Stats().Exchanges+b.Stats().Delivered != 1 {
		t.Error("a name was looked up")
	}
}

func TestExchange_NoKeys(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, httptransport.Config{})
	for name, err := range map[string]error{
		"SetKeys": tr.SetKeys(),
		"Serve":   tr.Serve(t.Context(), transport.HandlerFunc(echo)),
		"zero":    tr.SetKeys(transport.Key{}),
	} {
		if err == nil {
			t.Errorf("%s without a key: got no error", name)
		}
	}
	_, err := exchange(t, node{Transport: tr, id: "a"}, transport.Peer{ID: "b", URL: deadURL(t)}, `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
}

func TestNew_ZeroKey(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, httptransport.Config{Keys: []transport.Key{testKey(t, 'k'), {}}})
	if err := tr.SetKeys(testKey(t, 'k')); err == nil {
		t.Error("SetKeys after a mistake in the Config: got no error")
	}
	if err := tr.Serve(t.Context(), transport.HandlerFunc(echo)); err == nil {
		t.Error("Serve after a mistake in the Config: got no error")
	}
	_, err := exchange(t, node{Transport: tr, id: "a"}, transport.Peer{ID: "b", URL: deadURL(t)}, `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
}

func TestSetAddress(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, httptransport.Config{})
	one, ok := tr.For(groupName).(transport.Addressed)
	if !ok {
		t.Fatal("the transport of a group is not transport.Addressed")
	}
	for _, c := range []struct {
		to          transport.Addressed
		group, node string
		ok          bool
	}{
		{tr, groupName, "a", true},
		{tr, "another.example", "a", true},
		{tr, "Group.Example", "a", false},
		{tr, groupName, "", false},
		{tr, "", "a", false},
		{one, groupName, "2001:db8::1", true},
		{one, "another.example", "a", false},
	} {
		if err := c.to.SetAddress(c.group, c.node); (err == nil) != c.ok {
			t.Errorf("SetAddress(%q, %q): got error %v, want ok %v", c.group, c.node, err, c.ok)
		}
	}
}

// TestExchange_NotTold delivers to a transport that does not know whom it
// serves: its handler must look.
func TestExchange_NotTold(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newTransport(t, httptransport.Config{Keys: []transport.Key{testKey(t, 'k')}})
	serve(t, b, echo)
	waitOpen(t, b)
	mustExchange(t, a, node{id: "anybody", url: listen(t, mount(b))}, `1`)
}
