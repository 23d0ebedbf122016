package httptransport_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// counting is an echo that counts.
func counting(calls *atomic.Int64) transport.HandlerFunc {
	return func(ctx context.Context, m transport.Message) (transport.Message, error) {
		calls.Add(1)
		return echo(ctx, m)
	}
}

func wantCalls(t testing.TB, calls *atomic.Int64, want int64) {
	t.Helper()
	if got := calls.Load(); got != want {
		t.Errorf("the handler was called %d times, want %d", got, want)
	}
}

func wantStatus(t testing.TB, got octets, want int) {
	t.Helper()
	if got.status != want {
		t.Errorf("got status %d (%s), want %d", got.status, got.body, want)
	}
}

// clock is the system's, with an offset.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time            { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration)   { c.offset.Add(int64(d)) }
func (c *clock) set(offset time.Duration)  { c.offset.Store(int64(offset)) }
func at(c *clock) (h httptransport.Config) { h.Now = c.now; return h }

func TestAttack_ForgedWithAnotherKey(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{}, unwanted(t))
	forger := newNode(t, "a", httptransport.Config{Keys: []transport.Key{testKey(t, 'f')}}, nil)
	_, err := exchange(t, forger, b.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
	if got := b.Stats(); got.BadSignature != 1 {
		t.Errorf("got %+v, want one bad signature", got)
	}
}

func TestAttack_Unsigned(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{}, unwanted(t))
	answer := deliver(t, b, octets{
		method: http.MethodPost,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   []byte(`{"group":"group.example","from":"a","to":"b","kind":"test"}`),
	})
	wantStatus(t, answer, http.StatusUnauthorized)
	if answer.header.Get("Ag-Peer") != "" {
		t.Error("an answer to nobody is signed")
	}
	if got := b.Stats(); got.BadSignature != 1 {
		t.Errorf("got %+v, want one bad signature", got)
	}
}

func TestAttack_ReplayedRequest(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var clk clock
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", at(&clk), counting(&calls))
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	captured, _ := tap.last()

	wantStatus(t, deliver(t, b, captured), http.StatusConflict)
	clk.advance(time.Minute)
	wantStatus(t, deliver(t, b, captured), http.StatusConflict) // too old, but known to be used
	clk.advance(2 * time.Minute)
	wantStatus(t, deliver(t, b, captured), http.StatusUnauthorized) // older than all that is remembered
	if got := b.Stats(); got.Replayed != 2 {
		t.Errorf("got %+v, want 2 replays", got)
	}
	mustExchange(t, a, seen, `2`)
	wantCalls(t, &calls, 2)
}

func TestAttack_ReplayedElsewhere(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	a := newNode(t, "a", httptransport.Config{}, unwanted(t))
	b := newNode(t, "b", httptransport.Config{}, counting(&calls))
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	captured, _ := tap.last()

	other := newNode(t, "c", httptransport.Config{}, unwanted(t))
	wantStatus(t, deliver(t, other, captured), http.StatusMisdirectedRequest)
	wantStatus(t, deliver(t, a, captured), http.StatusMisdirectedRequest) // sent back to its sender
	restarted := newNode(t, "b", httptransport.Config{}, unwanted(t))
	wantStatus(t, deliver(t, restarted, captured), http.StatusUnauthorized)
	untold := newTransport(t, httptransport.Config{Keys: []transport.Key{testKey(t, 'k')}})
	serve(t, untold, unwanted(t))
	waitOpen(t, untold)
	wantStatus(t, deliver(t, untold, captured), http.StatusUnauthorized)
	wantCalls(t, &calls, 1)
}

// TestAttack_HeldUpRequest holds a signed request up for longer than its nonce
// lives, and delivers it for the first time.
func TestAttack_HeldUpRequest(t *testing.T) {
	t.Parallel()
	var clk clock
	var held octets
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", at(&clk), unwanted(t))
	tap, seen := newTap(t, b)
	tap.pass = func(o octets) octets {
		if o.get("nonce") == "" {
			return deliver(t, b, o)
		}
		held = o
		return octets{status: http.StatusGatewayTimeout}
	}
	_, err := exchange(t, a, seen.peer(), `1`)
	wantKind(t, err, transport.ErrUnreachable)
	clk.advance(30 * time.Second)
	wantStatus(t, deliver(t, b, held), http.StatusUnauthorized)
}

// TestAttack_DoubledRequest delivers a request twice and loses the first
// answer. The message must be handled once, also if a lot of time passes
// between the two, and the sender must learn that nobody knows.
func TestAttack_DoubledRequest(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]time.Duration{"at once": 0, "later": time.Minute, "much later": 3 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			var clk clock
			a := newNode(t, "a", at(&clk), nil)
			b := newNode(t, "b", at(&clk), counting(&calls))
			mustExchange(t, a, b, `0`)
			tap, seen := newTap(t, b)
			tap.pass = func(o octets) octets {
				wantStatus(t, deliver(t, b, o), http.StatusOK)
				clk.advance(pause)
				return deliver(t, b, o)
			}
			if _, err := exchange(t, a, seen.peer(), `1`); err == nil {
				t.Error("Exchange: got no error")
			}
			wantCalls(t, &calls, 2)
		})
	}
}

// TestAttack_ChangedRequest changes each part of a request on its way.
func TestAttack_ChangedRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*octets){
		"body":           func(o *octets) { o.body = bytes.Replace(o.body, []byte(`1`), []byte(`2`), 1) },
		"body blank":     func(o *octets) { o.body = append(o.body, ' ') },
		"body empty":     func(o *octets) { o.body = nil },
		"body truncated": func(o *octets) { o.body = o.body[:len(o.body)/2] },
		"group":          func(o *octets) { o.set("group", "another.example") },
		"group and body": func(o *octets) {
			o.set("group", "another.example")
			o.body = bytes.ReplaceAll(o.body, []byte(groupName), []byte("another.example"))
		},
		"sender":        func(o *octets) { o.set("from", "c") },
		"receiver":      func(o *octets) { o.set("to", "c") },
		"both swapped":  func(o *octets) { o.set("from", "b"); o.set("to", "a") },
		"id":            func(o *octets) { o.set("id", strings.Repeat("A", 22)) },
		"nonce none":    func(o *octets) { o.set("nonce", "") },
		"nonce other":   func(o *octets) { o.set("nonce", strings.Repeat("A", 32)) },
		"key":           func(o *octets) { o.set("key", "00000000") },
		"code":          func(o *octets) { o.set("mac", strings.Repeat("A", 43)) },
		"code none":     func(o *octets) { o.set("mac", "") },
		"code no code":  func(o *octets) { o.set("mac", "!") },
		"code cut":      func(o *octets) { o.set("mac", o.get("mac")[:20]) },
		"version":       func(o *octets) { o.set("v", "2") },
		"field none":    func(o *octets) { o.header.Del("Ag-Peer") },
		"field empty":   func(o *octets) { o.header.Set("Ag-Peer", "") },
		"field twice":   func(o *octets) { o.header.Add("Ag-Peer", o.header.Get("Ag-Peer")) },
		"field longer":  func(o *octets) { o.header.Set("Ag-Peer", o.header.Get("Ag-Peer")+";mac=") },
		"field turned":  func(o *octets) { o.header.Set("Ag-Peer", turned(o.header.Get("Ag-Peer"))) },
		"field huge":    func(o *octets) { o.set("id", strings.Repeat("A", 2000)) },
		"method":        func(o *octets) { o.method = http.MethodPut },
		"content type":  func(o *octets) { o.header.Set("Content-Type", "text/plain") },
		"no type":       func(o *octets) { o.header.Del("Content-Type") },
		"content coded": func(o *octets) { o.header.Set("Content-Encoding", "gzip") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newNode(t, "a", httptransport.Config{}, nil)
			b := newNode(t, "b", httptransport.Config{}, unwanted(t))
			tap, seen := newTap(t, b)
			tap.pass = func(o octets) octets {
				change(&o)
				return deliver(t, b, o)
			}
			_, err := exchange(t, a, seen.peer(), `1`)
			if err == nil {
				t.Error("Exchange: got no error")
			}
			if got := b.Stats(); got.Received == 0 || got.Delivered+got.Refused+got.Panicked > 0 {
				t.Errorf("got %+v, want no delivery", got)
			}
		})
	}
}

// turned returns the parts of a field in the opposite order.
func turned(field string) string {
	parts := strings.Split(field, ";")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, ";")
}

// TestAttack_ChangedCopy lets a request be handled, and then answers with what
// the receiver says to a changed copy of it. The sender must not take that for
// an answer to its request, or it would sign the message again.
func TestAttack_ChangedCopy(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*octets){
		"body":     func(o *octets) { o.body = append(o.body, ' ') },
		"nonce":    func(o *octets) { o.set("nonce", "") },
		"key":      func(o *octets) { o.set("key", "00000000") },
		"code":     func(o *octets) { o.set("mac", "") },
		"id":       func(o *octets) { o.set("id", "") },
		"sender":   func(o *octets) { o.set("from", "c") },
		"receiver": func(o *octets) { o.set("to", "c") },
		"too long": func(o *octets) { o.body = bytes.Repeat([]byte(" "), 20<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			a := newNode(t, "a", httptransport.Config{}, nil)
			b := newNode(t, "b", httptransport.Config{}, counting(&calls))
			mustExchange(t, a, b, `0`)
			tap, seen := newTap(t, b)
			tap.pass = func(o octets) octets {
				wantStatus(t, deliver(t, b, o), http.StatusOK)
				o = o.clone()
				change(&o)
				return deliver(t, b, o)
			}
			_, err := exchange(t, a, seen.peer(), `1`)
			wantKind(t, err, transport.ErrUnauthenticated)
			wantCalls(t, &calls, 2)
		})
	}
}

// TestAttack_CopyAfterKeyChange lets a request be handled and delivers it again
// when its key has gone.
func TestAttack_CopyAfterKeyChange(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	old, young := testKey(t, 'o'), testKey(t, 'y')
	a := newNode(t, "a", httptransport.Config{Keys: []transport.Key{old, young}}, nil)
	b := newNode(t, "b", httptransport.Config{Keys: []transport.Key{old}}, counting(&calls))
	mustExchange(t, a, b, `0`)
	tap, seen := newTap(t, b)
	tap.pass = func(o octets) octets {
		wantStatus(t, deliver(t, b, o), http.StatusOK)
		if err := b.SetExplicitKeys(young); err != nil {
			t.Error(err)
		}
		return deliver(t, b, o)
	}
	_, err := exchange(t, a, seen.peer(), `1`)
	wantKind(t, err, transport.ErrUnreachable)
	wantCalls(t, &calls, 2)
}

// TestAttack_ChangedAnswer changes each part of an answer on its way.
func TestAttack_ChangedAnswer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*octets){
		"body":          func(o *octets) { o.body = bytes.Replace(o.body, []byte(`1`), []byte(`2`), 1) },
		"body blank":    func(o *octets) { o.body = append(o.body, ' ') },
		"body empty":    func(o *octets) { o.body = nil },
		"status":        func(o *octets) { o.status = http.StatusUnprocessableEntity },
		"status near":   func(o *octets) { o.status = http.StatusCreated },
		"nonce":         func(o *octets) { o.set("nonce", strings.Repeat("A", 32)) },
		"nonce none":    func(o *octets) { o.set("nonce", "") },
		"key":           func(o *octets) { o.set("key", "00000000") },
		"code":          func(o *octets) { o.set("mac", strings.Repeat("A", 43)) },
		"code none":     func(o *octets) { o.set("mac", "") },
		"version":       func(o *octets) { o.set("v", "2") },
		"field none":    func(o *octets) { o.header.Del("Ag-Peer") },
		"field twice":   func(o *octets) { o.header.Add("Ag-Peer", o.header.Get("Ag-Peer")) },
		"a plain page":  func(o *octets) { *o = octets{status: http.StatusOK, body: []byte("<html>")} },
		"not found":     func(o *octets) { *o = octets{status: http.StatusNotFound} },
		"only the body": func(o *octets) { o.header = http.Header{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newNode(t, "a", httptransport.Config{}, nil)
			b := newNode(t, "b", httptransport.Config{}, echo)
			mustExchange(t, a, b, `0`)
			tap, seen := newTap(t, b)
			tap.pass = func(o octets) octets {
				answer := deliver(t, b, o)
				wantStatus(t, answer, http.StatusOK)
				change(&answer)
				return answer
			}
			_, err := exchange(t, a, seen.peer(), `1`)
			wantKind(t, err, transport.ErrUnauthenticated)
		})
	}
}

// TestAttack_RefusalMadeConsent changes the status of a refusal.
func TestAttack_RefusalMadeConsent(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, func(context.Context, transport.Message) (transport.Message, error) {
		return transport.Message{}, context.Canceled
	})
	tap, seen := newTap(t, b)
	tap.pass = func(o octets) octets {
		answer := deliver(t, b, o)
		if answer.status == http.StatusUnprocessableEntity {
			answer.status = http.StatusOK
		}
		return answer
	}
	_, err := exchange(t, a, seen.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
}

// TestAttack_ReplayedAnswer gives an older answer for the present one: to the
// same question, from the same node, with the same key.
func TestAttack_ReplayedAnswer(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, echo)
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	_, old := tap.last()
	tap.pass = func(octets) octets { return old }
	_, err := exchange(t, a, seen.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
}

// TestAttack_ReplayedChallenge gives an older challenge, of the first contact,
// for an answer.
func TestAttack_ReplayedChallenge(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, echo)
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	_, answers := tap.seen()
	wantStatus(t, answers[0], http.StatusUnauthorized)
	tap.pass = func(octets) octets { return answers[0] }
	_, err := exchange(t, a, seen.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
	if requests, _ := tap.seen(); len(requests) != 3 {
		t.Errorf("the sender signed %d times, want 3: a replayed challenge must not count", len(requests))
	}
}

// TestAttack_ReflectedRequest sends a request back as its own answer.
func TestAttack_ReflectedRequest(t *testing.T) {
	t.Parallel()
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{}, echo)
	mustExchange(t, a, b, `0`)
	for name, reflect := range map[string]func(o octets) octets{
		"as it is": func(o octets) octets { return o },
		"in the form of an answer": func(o octets) octets {
			field := "v=1;key=" + o.get("key") + ";nonce=" + o.get("nonce") + ";mac=" + o.get("mac")
			o.header.Set("Ag-Peer", field)
			return o
		},
	} {
		tap, seen := newTap(t, b)
		tap.pass = func(o octets) octets {
			o = reflect(o)
			o.status = http.StatusOK
			return o
		}
		_, err := exchange(t, a, seen.peer(), `1`)
		t.Log(name)
		wantKind(t, err, transport.ErrUnauthenticated)
	}
}

// TestAttack_NonceFlood asks for nonces without end. What a peer holds must
// stay good.
func TestAttack_NonceFlood(t *testing.T) {
	t.Parallel()
	start := time.Now()
	still := func() time.Time { return start } // or the flood takes longer than a nonce lives
	a := newNode(t, "a", httptransport.Config{}, nil)
	b := newNode(t, "b", httptransport.Config{Now: still}, echo)
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	requests, _ := tap.seen()
	first := requests[0]
	for range 10000 {
		wantStatus(t, deliver(t, b, first), http.StatusUnauthorized)
	}
	mustExchange(t, a, seen, `2`)
	if after, _ := tap.seen(); len(after) != len(requests)+1 {
		t.Errorf("after the flood an exchange took %d round trips, want 1", len(after)-len(requests))
	}
}
