package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// sample is what a node says of itself at an instant.
type sample struct {
	State availability.NodeState `json:"-"`
	Role  string                 `json:"role"`
	Term  uint64                 `json:"term"`
	Beat  string                 `json:"beat"`
	At    time.Time              `json:"at"`
	Until time.Time              `json:"until"`
	Count uint64                 `json:"count"`
}

// MarshalJSON fills in what the show wants to know of the state.
func (s sample) MarshalJSON() ([]byte, error) {
	type plain sample
	p := plain(s)
	p.Role, p.Term, p.Beat = string(s.State.NodeRole), s.State.Term, string(s.State.HeartbeatMethod)
	return json.Marshal(p)
}

// watcher looks at both nodes, at the name in DNS, and calls the workflow by
// that name, from outside, again and again.
type watcher struct {
	show   *show
	client *http.Client
	names  *net.Resolver

	mu       sync.Mutex
	last     map[string]sample // guarded by mu, as is all below
	tenures  []tenure
	samples  int
	overlaps []string
	host     string
	counted  int
	lost     int
}

func (s *show) newWatcher() *watcher {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.server)
	}
	return &watcher{
		show: s, last: map[string]sample{},
		client: &http.Client{Timeout: 300 * time.Millisecond},
		names:  &net.Resolver{PreferGo: true, Dial: dial},
	}
}

// watch looks until ctx ends.
func (w *watcher) watch(ctx context.Context) {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for id, address := range w.show.addresses() {
			w.look(ctx, id, address)
		}
		if n%4 == 0 {
			w.work(ctx)
			w.show.draw()
		}
	}
}

// look asks a node for its state, and checks that no other one was Primary
// while it was.
func (w *watcher) look(ctx context.Context, id string, address netip.Addr) {
	var s sample
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url(address, "/state"), http.NoBody)
	if err != nil {
		return
	}
	answer, err := w.client.Do(r)
	if err == nil {
		err = json.NewDecoder(answer.Body).Decode(&s)
		answer.Body.Close()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		delete(w.last, id)
		return
	}
	w.last[id] = s
	w.samples++
	if s.Role == "primary" {
		w.noteLocked(tenure{id: id, term: s.Term, first: s.At, last: s.At})
	}
}

// work is a client: it resolves the name, with a real query, and calls what is
// there.
func (w *watcher) work(ctx context.Context) {
	host := ""
	addresses, err := w.names.LookupNetIP(ctx, "ip", w.show.settings.GroupFQDN+".")
	if err == nil && len(addresses) > 0 {
		host = addresses[0].Unmap().String()
	}
	ok := host != "" && w.call(ctx, addresses[0].Unmap())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host = host
	if ok {
		w.counted++
	} else {
		w.lost++
	}
}

func (w *watcher) call(ctx context.Context, address netip.Addr) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url(address, "/work"), http.NoBody)
	if err != nil {
		return false
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (w *watcher) url(address netip.Addr, path string) string {
	return "http://" + netip.AddrPortFrom(address, w.show.port).String() + path
}
