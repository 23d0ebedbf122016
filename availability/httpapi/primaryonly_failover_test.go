package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// ledger is what the nodes of a test have done: who did each request, and who
// did any in each term.
type ledger struct {
	mu     sync.Mutex
	done   map[string]int
	holder map[uint64]string
	wrong  []string
}

func newLedger() *ledger { return &ledger{done: map[string]int{}, holder: map[uint64]string{}} }

// app does what it is asked, after a while, if it then may; otherwise it
// passes the request on.
func (l *ledger) app(n *node) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := time.ParseDuration(r.URL.Query().Get("for"))
		time.Sleep(d)
		term, err := n.Guard(r.Context())
		if err != nil {
			if !httpapi.PassOn(r) {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return
		}
		l.note(n.GetNodeState().NodeID, term, r.URL.Path)
		text, _ := io.ReadAll(r.Body)
		_, _ = w.Write(text)
	})
}

func (l *ledger) note(node string, term uint64, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[what]++
	if other, ok := l.holder[term]; ok && other != node {
		l.wrong = append(l.wrong, fmt.Sprintf("term %d served by %s and %s", term, other, node))
	}
	l.holder[term] = node
}

// check wants everything done once, and no term to have two holders.
func (l *ledger) check(t *testing.T, sent int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for what, times := range l.done {
		if times != 1 {
			t.Errorf("%s was done %d times", what, times)
		}
	}
	if len(l.done) != sent || len(l.wrong) > 0 {
		t.Errorf("%d of %d requests were done; %q", len(l.done), sent, l.wrong)
	}
}

// body is one that a client sends.
type body struct {
	text   string
	length int64 // -1: it does not say
}

// someBodies are short and long, of known and unknown length. None is too long
// for net/http to take what is left of it before it sends an answer.
func someBodies() []body {
	short, long := "the body", strings.Repeat("the body", 9<<10)
	known, unknown := body{short, int64(len(short))}, body{short, -1}
	return []body{known, {long, int64(len(long))}, known, unknown, known, {long, -1}}
}

// load sends requests to all sites in turn, and follows redirects as every
// client does.
type load struct {
	work sync.WaitGroup
	stop chan struct{}

	mu   sync.Mutex
	sent int
	lost []string
}

func (w *web) load(t *testing.T, pause time.Duration, again bool, sites ...*site) *load {
	o, bodies := &load{stop: make(chan struct{})}, someBodies()
	for i := range 8 {
		o.work.Go(func() {
			transport := w.transport()
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for k := 0; ; k++ {
				select {
				case <-o.stop:
					return
				case <-time.After(pause):
				}
				path := fmt.Sprintf("/%d/%d?for=%dms", i, k, 1+(i+k)%7)
				to, other := sites[(i+k)%len(sites)].address, sites[(i+k+1)%len(sites)].address
				problem := post(t, client, to, other, path, bodies[k%len(bodies)], again)
				o.mu.Lock()
				o.sent++
				if problem != "" {
					o.lost = append(o.lost, path+": "+problem)
				}
				o.mu.Unlock()
			}
		})
	}
	return o
}

// post sends a request to a node; and to the other one, as the name has it then,
// if the answer says that it was not served.
func post(t *testing.T, client *http.Client, to, other, path string, b body, again bool) (problem string) {
	for range 10 {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+to+path, strings.NewReader(b.text))
		if err != nil {
			return err.Error()
		}
		r.ContentLength = b.length
		answer, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if again && answer.StatusCode == http.StatusServiceUnavailable {
			wait, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			time.Sleep(time.Duration(wait) * time.Second)
			to, other = other, to
			continue
		}
		if err != nil || answer.StatusCode != 200 || string(text) != b.text {
			return fmt.Sprintf("%s %.200s %v", answer.Status, text, err)
		}
		return ""
	}
	return "asked in vain"
}

func (o *load) end(t *testing.T) (sent int) {
	t.Helper()
	close(o.stop)
	o.work.Wait()
	for _, problem := range o.lost[:min(len(o.lost), 5)] {
		t.Errorf("lost %s", problem)
	}
	if len(o.lost) > 0 {
		t.Errorf("%d of %d requests are lost", len(o.lost), o.sent)
	}
	return o.sent
}

// slow has DNS and the network of nodes take their time.
func (l *lab) slow() {
	for _, n := range l.nodes {
		n.faulty.Delay(3*time.Millisecond, 4*time.Millisecond)
		for _, other := range l.nodes {
			if other != n {
				l.net.Delay(n.GetNodeState().NodeID, other.GetNodeState().NodeID, 2*time.Millisecond)
			}
		}
	}
}

// A planned failover loses no request, and does none twice, whichever node
// clients ask, while DNS and the network take their time; and none is served
// by two nodes in one term. Where requests are refused, clients come again.
func TestPrimaryOnly_PlannedFailoverLosesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edits [3]func(*httpapi.PrimaryOnlyConfig)
		every time.Duration
	}{
		"redirect":       {[3]func(*httpapi.PrimaryOnlyConfig){redirecting, redirecting}, 100 * time.Millisecond},
		"forward":        {[3]func(*httpapi.PrimaryOnlyConfig){forwarding, forwarding}, 100 * time.Millisecond},
		"mixed":          {[3]func(*httpapi.PrimaryOnlyConfig){redirecting, forwarding}, 100 * time.Millisecond},
		"three redirect": {[3]func(*httpapi.PrimaryOnlyConfig){redirecting, redirecting, redirecting}, 100 * time.Millisecond},
		"three forward":  {[3]func(*httpapi.PrimaryOnlyConfig){forwarding, forwarding, forwarding}, 100 * time.Millisecond},
		"refuse":         {[3]func(*httpapi.PrimaryOnlyConfig){refusing, refusing}, 12 * time.Second}, // Retry-After is 5
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, l *lab, w *web, _, _ *node) {
				if tt.edits[2] != nil {
					if err := l.start(plain).Join(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				l.slow()
				book := newLedger()
				var sites []*site
				for i, n := range l.nodes {
					sites = append(sites, w.open(n, book.app(n), tt.edits[i]))
				}
				o := w.load(t, tt.every/50, name == "refuse", sites...)
				for i := range 4 {
					time.Sleep(tt.every)
					to := l.nodes[(i+1)%len(l.nodes)].GetNodeState().NodeID
					if err := l.nodes[i%2].Failover(t.Context(), availability.To(to)); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(tt.every)
				book.check(t, o.end(t))
				if len(book.holder) < 3 {
					t.Errorf("served in the terms %v: no failover", book.holder)
				}
			})
		})
	}
}

// Nor does the stop of the Primary's program, whose server stays up for a while.
func TestPrimaryOnly_StopLosesNothing(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*httpapi.PrimaryOnlyConfig){"redirect": redirecting, "forward": forwarding} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
				l.slow()
				book := newLedger()
				o := w.load(t, 2*time.Millisecond, false, w.open(a, book.app(a), edit), w.open(b, book.app(b), edit))
				time.Sleep(100 * time.Millisecond)
				a.cancel()
				<-a.Done()
				time.Sleep(time.Second)
				book.check(t, o.end(t))
				if !b.IsPrimary() || len(book.holder) != 2 {
					t.Errorf("served in the terms %v", book.holder)
				}
			})
		})
	}
}

// After a crash nothing is served until the other node takes over; what was
// under way is not sent again unless it may be.
func TestPrimaryOnly_Crash(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, l *lab, w *web, a, b *node) {
		book := newLedger()
		first, second := w.open(a, book.app(a), forwarding), w.open(b, book.app(b), forwarding)
		ended := make(chan int)
		for _, method := range []string{"POST", "PUT"} {
			go func() { ended <- try(t, second, method, "/"+method+"?for=1s", "text").Code }()
		}
		time.Sleep(500 * time.Millisecond)
		first.crash(l)
		a.faulty.Cut()
		got := []int{<-ended, <-ended}
		if got[0]+got[1] != 502+503 {
			t.Errorf("statuses %v, want 502 for POST, and 503 for PUT, which was tried again", got)
		}
		start := time.Now()
		refused(t, try(t, second, "GET", "/held", ""), 503, "unreachable")
		if took := time.Since(start); took != 6500*time.Millisecond {
			t.Errorf("held for %v, want δ + 2 s", took)
		}
		l.wait("b is Primary", b.IsPrimary)
		if got := try(t, second, "POST", "/after", "text"); got.Code != 200 || got.Header().Get(httpapi.RoleField) != "primary" {
			t.Errorf("after the takeover: status %d %s", got.Code, got.Body)
		}
		book.check(t, 3) // here the handlers at a outlived its server, and its role
	})
}

// leap is a clock that jumps as that of a process does which was stopped.
type leap struct {
	clock.Clock
	mu    sync.Mutex
	ahead time.Duration
}

func (c *leap) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Clock.Now().Add(c.ahead)
}

func (c *leap) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// A process that was stopped serves nothing from the moment that it goes on,
// before anything in it has noticed.
func TestPrimaryOnly_Suspension(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		slow := &leap{Clock: clock.New()}
		a, b := l.pair(func(c *availability.Config, _ *httpapi.Config) {
			if c.NodeID == "a" {
				c.Clock = slow
			}
		})
		book := newLedger()
		s := httpapi.PrimaryOnly(a.Group, book.app(a), httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.ElsewhereRefuse})
		reason := make(chan error, 1)
		under := httpapi.PrimaryOnly(a.Group, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			reason <- context.Cause(r.Context())
		}), httpapi.PrimaryOnlyConfig{})
		ended := make(chan struct{})
		go func() { defer close(ended); try(t, under, "GET", "/", "") }()
		synctest.Wait()
		a.faulty.Cut() // so that it cannot have the role back at once
		slow.jump(time.Hour)
		if got := try(t, s, "POST", "/", ""); got.Code != 503 || got.Header().Get(httpapi.RoleField) == "primary" {
			t.Errorf("a process that was stopped for an hour answers %d as %s", got.Code, got.Header().Get(httpapi.RoleField))
		}
		<-ended
		if err := <-reason; !errors.Is(err, availability.ErrNotPrimary) {
			t.Errorf("what was under way has ended with %v", err)
		}
		book.check(t, 0)
		_ = b
	})
}

// A node that has left goes on sending clients with an old address to the
// Primary.
func TestPrimaryOnly_AfterLeave(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, a, b *node) {
		first := w.open(a, hello(a.Group), forwarding)
		w.open(b, hello(b.Group), forwarding)
		if err := a.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := try(t, first, "POST", "/", "text"); got.Code != 200 || got.Header().Get("Served-By") != "b" {
			t.Errorf("status %d %s", got.Code, got.Body)
		}
	})
}
