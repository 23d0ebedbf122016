package agclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agclient"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/transport"
)

// realGroup is two nodes of a group as a program has them, with the middleware
// and the API, in a bubble. The resolver knows the address of the first node
// and never learns another: the client is to need no better one.
type realGroup struct {
	t      *testing.T
	net    *network
	peers  *transport.Memory
	groups []*availability.Group
	hosts  []*host
	stores []*dnsstoretest.Faulty
	client *agclient.Client
	ledger ledger
}

// ledger is what the programs have served.
type ledger struct {
	mu      sync.Mutex
	byPath  map[string]int
	holders map[uint64]string // by term
	wrong   []string
}

func (l *ledger) enter(path, id string, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byPath[path]++; l.byPath[path] > 1 {
		l.wrong = append(l.wrong, path+" was served twice")
	}
	if holder, ok := l.holders[term]; ok && holder != id {
		l.wrong = append(l.wrong, fmt.Sprintf("%s and %s served in term %d", holder, id, term))
	}
	l.holders[term] = id
}

// inGroup runs a test with a group of two, the first of them Primary.
func inGroup(t *testing.T, elsewhere httpapi.Elsewhere, test func(t *testing.T, g *realGroup)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := &realGroup{
			t: t, net: newNetwork(), peers: transport.NewMemory(),
			ledger: ledger{byPath: map[string]int{}, holders: map[uint64]string{}},
		}
		memory := dnsstore.NewMemory()
		var running, serving sync.WaitGroup
		var servers []*http.Server
		for i := range 2 {
			h, server := g.start(ctx, &running, i, memory, elsewhere)
			serving.Go(func() { _ = server.Serve(h) })
			servers = append(servers, server)
		}
		defer func() {
			g.client.CloseIdleConnections()
			cancel()
			running.Wait()
			for i, s := range servers {
				_ = s.Close()
				g.stores[i].Close()
			}
			serving.Wait()
			time.Sleep(time.Minute)
		}()
		g.net.resolve(fqdn, address(0))
		var err error
		g.client, err = agclient.New(agclient.Config{FQDN: fqdn, Store: memory, Base: &http.Transport{DialContext: g.net.dial}})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.groups[0].Create(ctx); err != nil {
			t.Fatal(err)
		}
		if err := g.groups[1].Join(ctx); err != nil {
			t.Fatal(err)
		}
		test(t, g)
		for _, wrong := range g.ledger.wrong {
			t.Error(wrong)
		}
	})
}

// start is the program of one node.
func (g *realGroup) start(ctx context.Context, running *sync.WaitGroup, i int, memory dnsstore.Store, elsewhere httpapi.Elsewhere) (*host, *http.Server) {
	g.t.Helper()
	id := string(rune('a' + i))
	store := dnsstoretest.NewFaulty(memory)
	group, err := availability.New(availability.Config{
		NodeID: id, Transport: g.peers.Node(id), Store: store,
		Settings: availability.Settings{
			GroupFQDN: fqdn, ExternalIPv4Address: netip.MustParseAddr(address(i)), ExternalScheme: "http", ExternalPort: 8080,
		},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	running.Go(func() {
		if err := group.Run(ctx); err != nil {
			g.t.Errorf("Run: %v", err)
		}
	})
	work := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		term, _ := availability.TermFromContext(r.Context())
		g.ledger.enter(r.URL.Path, id, term)
		_, _ = fmt.Fprint(w, id)
	})
	mux := http.NewServeMux()
	mux.Handle("/ag/", httpapi.New(group, httpapi.Config{}))
	mux.Handle("/", httpapi.PrimaryOnly(group, work, httpapi.PrimaryOnlyConfig{
		Elsewhere: elsewhere, Transport: &http.Transport{DialContext: g.net.dial, DisableKeepAlives: true},
	}))
	h := g.net.host(address(i))
	g.groups, g.hosts, g.stores = append(g.groups, group), append(g.hosts, h), append(g.stores, store)
	return h, &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
}

// load sends a request every so often, and tells when those began that were not
// served.
func (g *realGroup) load(every, length time.Duration) (sent int, lost []time.Duration) {
	var all sync.WaitGroup
	var mu sync.Mutex
	start := time.Now()
	for at := time.Duration(0); at < length; at += every {
		all.Go(func() {
			time.Sleep(at)
			status, _, err := send(g.t.Context(), g.t, g.client, http.MethodPost, fmt.Sprintf("http://%s/%v", fqdn, at), "change")
			mu.Lock()
			defer mu.Unlock()
			if sent++; err != nil || status != http.StatusOK {
				lost = append(lost, time.Since(start))
			}
		})
	}
	all.Wait()
	return sent, lost
}

// A planned failover loses no request, there and back, whatever the middleware
// does at a node that is not Primary.
func TestGroup_PlannedFailover(t *testing.T) {
	for _, elsewhere := range []httpapi.Elsewhere{httpapi.ElsewhereRedirect, httpapi.ElsewhereForward, httpapi.ElsewhereRefuse} {
		t.Run(string(elsewhere), func(t *testing.T) {
			inGroup(t, elsewhere, func(t *testing.T, g *realGroup) {
				for i, at := range []time.Duration{2 * time.Second, 5 * time.Second} {
					time.AfterFunc(at, func() {
						if err := g.groups[i].Failover(t.Context()); err != nil {
							t.Errorf("failover: %v", err)
						}
					})
				}
				sent, lost := g.load(5*time.Millisecond, 8*time.Second)
				if len(lost) > 0 {
					t.Errorf("%d of %d requests lost, the first at %v", len(lost), sent, lost[0])
				}
				if n := len(g.ledger.holders); n != 3 {
					t.Errorf("%d terms, want 3: the test shows nothing", n)
				}
			})
		})
	}
}

// After a crash, requests are lost until the takeover, and none after it.
func TestGroup_Crash(t *testing.T) {
	inGroup(t, httpapi.ElsewhereRedirect, func(t *testing.T, g *realGroup) {
		const crash = 5 * time.Second
		var taken time.Duration
		start := time.Now()
		time.AfterFunc(crash, func() {
			g.hosts[0].crash()
			g.stores[0].Cut()
			g.peers.Cut("a", "b")
			g.peers.Cut("b", "a")
			for !g.groups[1].IsPrimary() {
				time.Sleep(10 * time.Millisecond)
			}
			taken = time.Since(start)
		})
		sent, lost := g.load(100*time.Millisecond, 2*time.Minute)
		if taken == 0 || taken > crash+65*time.Second {
			t.Fatalf("the takeover was at %v", taken)
		}
		for _, at := range lost {
			if at < crash || at > taken+2*time.Second {
				t.Errorf("a request was lost at %v; crash at %v, takeover at %v", at, crash, taken)
			}
		}
		if got := sent - len(lost); got < 500 {
			t.Errorf("%d requests were served: the test shows nothing", got)
		}
		g.stores[0].Heal()
		g.peers.Heal("a", "b")
		g.peers.Heal("b", "a")
	})
}
