//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// tap is a hostile host on the path to a node. It sees the messages of the
// other nodes, and sends back what it likes. It has no key.
type tap struct {
	node   string // the URL at which it reaches the node
	client *http.Transport
	server *httptest.Server

	mu      sync.Mutex // guards the following
	rng     *rand.Rand
	attacks []httpAttack
	rate    float64
	made    map[string]int
	seen    []passed
	held    *octets // an answer that has not been given
}

// octets are a request or an answer.
type octets struct {
	status int
	header http.Header
	body   []byte
}

func (o octets) clone() octets {
	o.header, o.body = o.header.Clone(), slices.Clone(o.body)
	return o
}

// set changes one part of the field Ag-Peer.
func (o octets) set(name, value string) octets {
	o = o.clone()
	parts := strings.Split(o.header.Get("Ag-Peer"), ";")
	for i, part := range parts {
		if strings.HasPrefix(part, name+"=") {
			parts[i] = name + "=" + value
		}
	}
	o.header.Set("Ag-Peer", strings.Join(parts, ";"))
	return o
}

// passed is a request and its answer.
type passed struct{ request, answer octets }

// httpAttack makes what goes back for a request.
type httpAttack struct {
	name string
	// lies: what goes back is no true answer in time.
	lies bool
	make func(ctx context.Context, p *tap, request octets) octets
	// drip is the pause between the octets of the body.
	drip time.Duration
}

// newTap stands between the other nodes and n, which runs.
func newTap(t *testing.T, n *node, seed uint64) *tap {
	t.Helper()
	p := &tap{node: *n.base.Load(), client: &http.Transport{}, rng: rand.New(rand.NewPCG(seed, 0)), made: map[string]int{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
		p.client.CloseIdleConnections()
	})
	n.relay.closeAll()
	n.relay.aim(strings.TrimPrefix(p.server.URL, "http://"))
	n.relay.closeAll() // what was connected past the tap
	return p
}

func (p *tap) begin(rate float64, attacks ...httpAttack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate, p.attacks = rate, attacks
}

func (p *tap) end() { p.begin(0) }

func (p *tap) count(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name != "" {
		return p.made[name]
	}
	all := 0
	for _, n := range p.made {
		all += n
	}
	return all
}

func (p *tap) seenSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen)
}

// captured are the last exchanges, the oldest first.
func (p *tap) captured() []passed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

func (p *tap) choose() (a httpAttack, attacked bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.attacks) == 0 || p.rng.Float64() >= p.rate {
		return httpAttack{}, false
	}
	return p.attacks[p.rng.IntN(len(p.attacks))], true
}

func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request := octets{header: r.Header.Clone(), body: body}
	a, attacked := p.choose()
	if !attacked {
		p.write(r.Context(), w, p.ask(r.Context(), p.node, request), 0)
		return
	}
	answer := a.make(r.Context(), p, request)
	p.mu.Lock()
	p.made[a.name]++
	p.mu.Unlock()
	p.write(r.Context(), w, answer, a.drip)
}

// write sends an answer; the zero one: none at all.
func (p *tap) write(ctx context.Context, w http.ResponseWriter, answer octets, drip time.Duration) {
	if answer.status == 0 {
		panic(http.ErrAbortHandler) // closes the connection
	}
	for name, values := range answer.header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.status)
	if drip == 0 {
		_, _ = w.Write(answer.body)
		return
	}
	tick := time.NewTicker(drip)
	defer tick.Stop()
	for i := range answer.body {
		if _, err := w.Write(answer.body[i : i+1]); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask hands a request to a node and keeps both.
func (p *tap) ask(ctx context.Context, node string, request octets) octets {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, node+"/ag/peer", bytes.NewReader(request.body))
	if err != nil {
		return octets{}
	}
	r.Header = request.header.Clone()
	response, err := p.client.RoundTrip(r)
	if err != nil {
		return octets{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return octets{}
	}
	answer := octets{response.StatusCode, response.Header, body}
	const kept = 256
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen[max(0, len(p.seen)-kept):], passed{request.clone(), answer.clone()})
	return answer
}
