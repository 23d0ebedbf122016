package availability_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// wired is a group on loopback: an embedded server, real stores and real
// transports, all in this process.
type wired struct {
	t      *testing.T
	secret availability.Secret
	dns    string // the server's address
	log    *notes // of all nodes, all levels
	w      time.Duration
	now    func() time.Time // of the transports' nonces; nil: the system's
	nodes  []*wiredNode
}

type wiredNode struct {
	*availability.Group
	t         *testing.T
	faulty    *dnsstoretest.Faulty
	transport *httptransport.Transport
	front     *httptest.Server // where the others reach it
	cancel    context.CancelFunc
	done      chan error
	once      sync.Once

	mu   sync.Mutex
	pass func(w http.ResponseWriter, r *http.Request, to http.Handler) // who is on the path; nil: nobody; guarded by mu
}

// notes collects what is logged.
type notes struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func newWired(t *testing.T, w time.Duration) *wired {
	t.Helper()
	l := &wired{t: t, secret: embedded.GenerateSecret(), log: &notes{}, w: w}
	s, err := embedded.New(embedded.Config{
		Zone: "lab.test", Keys: []embedded.Key{{Name: "ag-key", Secret: l.secret}}, Logger: l.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server: %v", err)
		}
	})
	if l.dns, err = s.Addr(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *wired) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// ServeHTTP is the path to the node.
func (n *wiredNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	pass := n.pass
	n.mu.Unlock()
	if pass == nil {
		n.transport.ServeHTTP(w, r)
		return
	}
	pass(w, r, n.transport)
}

// attack puts somebody on the path to the node.
func (n *wiredNode) attack(pass func(w http.ResponseWriter, r *http.Request, to http.Handler)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pass = pass
}

// start runs one more node: a, b and so on.
func (l *wired) start() *wiredNode {
	l.t.Helper()
	n := &wiredNode{t: l.t, done: make(chan error, 1)}
	n.transport = httptransport.New(httptransport.Config{Now: l.now, Logger: l.logger()})
	n.front = httptest.NewServer(n)
	at := netip.MustParseAddrPort(strings.TrimPrefix(n.front.URL, "http://"))
	g, err := availability.New(availability.Config{
		NodeID: string(rune('a' + len(l.nodes))),
		Settings: availability.Settings{
			GroupFQDN: "svc.lab.test", GroupFQDNTTL: time.Second, ExternalScheme: "http",
			ExternalIPv4Address: at.Addr(), ExternalPort: at.Port(),
			Timing: availability.Timing{
				AllowedAbsenceInterval: l.w, HealthReportInterval: l.w / 6, HealthCheckInterval: l.w / 3,
			},
			TSIGName: "ag-key", TSIGSecret: l.secret,
		},
		OpenStore: func(a dnsstore.Access) (dnsstore.Store, error) {
			s, err := rfc2136.Config{Server: l.dns, Zone: "lab.test"}.Open(a)
			if err != nil {
				return nil, err
			}
			n.faulty = dnsstoretest.NewFaulty(s)
			return n.faulty, nil
		},
		Transport: n.transport, Logger: l.logger(),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	n.Group = g
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.t.Context()))
	n.cancel = cancel
	go func() { n.done <- g.Run(ctx) }()
	l.nodes = append(l.nodes, n)
	l.t.Cleanup(n.stop)
	return n
}

// stop ends a node, once.
func (n *wiredNode) stop() {
	n.once.Do(func() {
		n.cancel()
		if err := <-n.done; err != nil {
			n.t.Errorf("Run: %v", err)
		}
		n.transport.CloseIdleConnections()
		n.front.CloseClientConnections()
		n.front.Close()
	})
}

// pair is a group of two with a as Primary.
func (l *wired) pair() (a, b *wiredNode) {
	l.t.Helper()
	a, b = l.start(), l.start()
	l.until("a has created the group", func() bool {
		err := a.Create(l.t.Context())
		return err == nil || errors.Is(err, availability.ErrInGroup)
	})
	l.until("b has joined the group", func() bool {
		err := b.Join(l.t.Context())
		return err == nil || errors.Is(err, availability.ErrInGroup)
	})
	return a, b
}

// until waits for a condition.
func (l *wired) until(what string, ok func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			l.t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}
