//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is a client on the host outside that sends requests to the name of the
// group at a fixed rate, whatever becomes of them: one to each path in turn,
// each with an ID of its own. It follows redirects and repeats nothing.
type load struct {
	name   string // which its IDs begin with
	paths  []string
	every  time.Duration
	within time.Duration // for which a request waits for its answer
	client *http.Client
	slots  chan struct{}
	done   chan struct{}
	once   sync.Once
	all    sync.WaitGroup

	mu       sync.Mutex
	requests []request // guarded by mu; those that have ended
}

// request is one, and what became of it.
type request struct {
	path           string
	id             string
	sent, answered time.Time
	status         int // 0: no answer
	redirected     bool
	retryAfter     string
	written        written // the answer of 200
	err            error
}

// maxInFlight bounds the requests of a load that wait for an answer: on a
// machine that cannot keep up, those that are too many are not sent.
const maxInFlight = 500

var errTooMany = errors.New("too many requests wait for their answers")

// send begins to send so many requests a second.
func send(t *testing.T, name string, rate int, within time.Duration, tr http.RoundTripper, paths ...string) *load {
	t.Helper()
	d := &load{
		name: name, paths: paths, every: time.Second / time.Duration(rate), within: within,
		client: &http.Client{Transport: tr}, slots: make(chan struct{}, maxInFlight), done: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	d.all.Go(func() { d.run(ctx) })
	t.Cleanup(func() {
		cancel()
		d.stop()
		d.client.CloseIdleConnections()
	})
	return d
}

// halt sends no more.
func (d *load) halt() { d.once.Do(func() { close(d.done) }) }

// stop sends no more, and waits for the answers.
func (d *load) stop() {
	d.halt()
	d.all.Wait()
}

// run sends each request when it is due, and those that are late at once.
func (d *load) run(ctx context.Context) {
	begin := time.Now()
	for i := 0; ; i++ {
		due := time.NewTimer(time.Until(begin.Add(time.Duration(i) * d.every)))
		select {
		case <-d.done:
			due.Stop()
			return
		case <-due.C:
		}
		r := request{path: d.paths[i%len(d.paths)], id: fmt.Sprintf("%s-%d", d.name, i), sent: time.Now()}
		select {
		case d.slots <- struct{}{}:
			d.all.Go(func() {
				d.ask(ctx, &r)
				<-d.slots
				d.note(r)
			})
		default:
			r.answered, r.err = r.sent, errTooMany
			d.note(r)
		}
	}
}

func (d *load) ask(ctx context.Context, r *request) {
	ctx, cancel := context.WithTimeout(ctx, d.within)
	defer cancel()
	defer func() { r.answered = time.Now() }()
	url := fmt.Sprintf("http://%s:%d%s/%s", fqdn, nodePort, r.path, r.id)
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("one of it"))
	if err != nil {
		r.err = err
		return
	}
	answer, err := d.client.Do(asked)
	if err != nil {
		r.err = err
		return
	}
	defer answer.Body.Close()
	r.redirected = answer.Request != asked
	r.retryAfter = answer.Header.Get("Retry-After")
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode == http.StatusOK {
		err = json.Unmarshal(text, &r.written)
	}
	if err != nil {
		r.err = err
		return
	}
	r.status = answer.StatusCode
	if r.status != http.StatusOK {
		r.err = fmt.Errorf("status %d: %s", r.status, strings.TrimSpace(string(text)))
	}
}

func (d *load) note(r request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
}

// kept are the requests that have ended.
func (d *load) kept() []request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.requests)
}

// more waits until so many requests have been served that were sent from now
// on.
func (d *load) more(t *testing.T, n int) {
	t.Helper()
	from := time.Now()
	await(t, fmt.Sprintf("%d more requests of %s have been served", n, d.name), func() bool {
		return len(served(d.kept(), func(r request) bool { return r.sent.After(from) })) >= n
	})
}

// firstAfter waits for an answer of 200 in a newer term than that, and returns
// when the first one came.
func (d *load) firstAfter(t *testing.T, term uint64) time.Time {
	t.Helper()
	var first time.Time
	await(t, "a request has been served in a new term", func() bool {
		for _, r := range served(d.kept(), func(r request) bool { return r.written.Term > term }) {
			if first.IsZero() || r.answered.Before(first) {
				first = r.answered
			}
		}
		return !first.IsZero()
	})
	return first
}

// served are those of some requests that were answered with 200.
func served(all []request, which func(request) bool) []request {
	return slices.DeleteFunc(all, func(r request) bool { return r.status != http.StatusOK || !which(r) })
}
