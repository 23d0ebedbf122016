package httptransport_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/transport/httptransport"
)

// octets are a request or an answer on the wire.
type octets struct {
	method string
	status int
	header http.Header
	body   []byte
}

func (o *octets) clone() octets {
	c := *o
	c.header, c.body = o.header.Clone(), slices.Clone(o.body)
	return c
}

// set changes one part of the field Ag-Peer.
func (o *octets) set(name, value string) {
	parts := strings.Split(o.header.Get("Ag-Peer"), ";")
	for i, part := range parts {
		if strings.HasPrefix(part, name+"=") {
			parts[i] = name + "=" + value
		}
	}
	o.header.Set("Ag-Peer", strings.Join(parts, ";"))
}

// get returns one part of the field Ag-Peer.
func (o *octets) get(name string) string {
	for part := range strings.SplitSeq(o.header.Get("Ag-Peer"), ";") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return value
		}
	}
	return ""
}

// deliver brings a request to a handler, and its answer back.
func deliver(t testing.TB, h http.Handler, o octets) octets {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), o.method, httptransport.Path, bytes.NewReader(o.body))
	r.Header = o.header.Clone()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return octets{status: w.Code, header: w.Result().Header, body: w.Body.Bytes()}
}

// tap stands between nodes. It sees what passes, and may do what it likes.
type tap struct {
	t  testing.TB
	to http.Handler
	// pass gets a request and returns the answer; nil: deliver.
	pass func(request octets) octets

	mu       sync.Mutex
	requests []octets
	answers  []octets
}

// newTap returns a tap before a node, and the node as seen through it.
func newTap(t testing.TB, to node) (*tap, node) {
	t.Helper()
	p := &tap{t: t, to: to.Transport}
	to.url = listen(t, p)
	return p, to
}

// seen returns what has passed so far.
func (p *tap) seen() (requests, answers []octets) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests), slices.Clone(p.answers)
}

// last returns the request and the answer that passed last.
func (p *tap) last() (request, answer octets) {
	requests, answers := p.seen()
	if len(answers) == 0 {
		p.t.Fatal("nothing has passed the tap")
	}
	return requests[len(requests)-1].clone(), answers[len(answers)-1].clone()
}

func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Errorf("tap: %v", err)
	}
	request := octets{method: r.Method, header: r.Header.Clone(), body: body}
	p.mu.Lock()
	p.requests = append(p.requests, request.clone())
	p.mu.Unlock()
	pass := p.pass
	if pass == nil {
		pass = func(o octets) octets { return deliver(p.t, p.to, o) } //nolint:contextcheck // the request beyond the tap is another
	}
	answer := pass(request)
	p.mu.Lock()
	p.answers = append(p.answers, answer.clone())
	p.mu.Unlock()
	for name, values := range answer.header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}
