//go:build linux

package httpapi_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// liveLab has a name server, and nodes with HTTP servers of their own, in real
// time over loopback.
type liveLab struct {
	t         testing.TB
	key       embedded.Key
	dns       string // address of the name server
	authorize func(*http.Request, httpapi.Scope) (string, error)
}

const (
	liveZone = "lab.test"
	liveFQDN = "svc.lab.test"
)

// liveNode is in no group and knows no settings.
type liveNode struct {
	*availability.Group
	ip     string
	port   int
	page   string // URL of the status page
	cutOff func() // ends its HTTP server
}

func newLiveLab(t testing.TB, authorize func(*http.Request, httpapi.Scope) (string, error)) *liveLab {
	t.Helper()
	l := &liveLab{t: t, authorize: authorize, key: embedded.Key{Name: "ag", Algorithm: "hmac-sha512", Secret: embedded.GenerateSecret()}}
	server, err := embedded.New(embedded.Config{Zone: liveZone, Keys: []embedded.Key{l.key}})
	if err != nil {
		t.Fatal(err)
	}
	l.run("the name server", server.Run)
	if l.dns, err = server.Addr(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs something until the end of the test.
func (l *liveLab) run(what string, run func(context.Context) error) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			l.t.Errorf("%s: %v", what, err)
		}
	})
	l.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// node starts a node; its answers are compared with the document.
func (l *liveLab) node(id, ip string) liveNode {
	l.t.Helper()
	listener, err := new(net.ListenConfig).Listen(l.t.Context(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		l.t.Fatal(err)
	}
	peers := httptransport.New(httptransport.Config{})
	g, err := availability.New(availability.Config{
		NodeID: id, Transport: peers, StateDir: l.t.TempDir(), OpenStore: rfc2136.Config{Server: l.dns, Zone: liveZone}.Open,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers)
	mux.Handle("/ag/", checked(l.t, httpapi.New(g, httpapi.Config{Authorize: l.authorize})))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.t.Errorf("serve: %v", err)
		}
	})
	cutOff := func() {
		_ = server.Close() // streams have no end of their own
		serving.Wait()
	}
	l.t.Cleanup(cutOff)
	l.run("node "+id, g.Run) // is ended before its server is
	port := listener.Addr().(*net.TCPAddr).Port
	return liveNode{Group: g, ip: ip, port: port, page: "http://" + net.JoinHostPort(ip, strconv.Itoa(port)) + "/ag/", cutOff: cutOff}
}

// settings are those of a node.
func (l *liveLab) settings(n liveNode) availability.Settings {
	return availability.Settings{
		GroupFQDN: liveFQDN, GroupFQDNTTL: time.Second, ExternalIPv4Address: netip.MustParseAddr(n.ip),
		ExternalScheme: "http", ExternalPort: uint16(n.port),
		Timing:   availability.Timing{AllowedAbsenceInterval: 20 * time.Second, HealthCheckInterval: 2 * time.Second, HealthReportInterval: time.Second},
		TSIGName: l.key.Name, TSIGAlgorithm: l.key.Algorithm, TSIGSecret: l.key.Secret,
	}
}

// pair makes a group of two, the first of them Primary.
func (l *liveLab) pair() (primary, secondary liveNode) {
	l.t.Helper()
	a, b := l.node("a", "127.0.0.1"), l.node("b", "127.0.0.2")
	for _, n := range []liveNode{a, b} {
		if err := n.Preconfigure(l.settings(n)); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := a.Create(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if err := b.Join(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	return a, b
}

// address is what the name resolves to, at the name server.
func (l *liveLab) address() string {
	l.t.Helper()
	store, err := rfc2136.Config{Server: l.dns, Zone: liveZone}.Open(dnsstore.Access{
		FQDN: liveFQDN, TSIGName: l.key.Name, TSIGAlgorithm: l.key.Algorithm, TSIGSecret: l.key.Secret,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	found, err := store.Lookup(l.t.Context(), dnsstore.Key{Name: liveFQDN, Type: "A"})
	if err != nil {
		l.t.Fatal(err)
	}
	if len(found.Data) == 0 {
		return ""
	}
	return found.Data[0]
}

// await waits in real time.
func (l *liveLab) await(what string, ok func() bool) {
	l.t.Helper()
	testnode.Await(l.t, patience, what, ok)
}
