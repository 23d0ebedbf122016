package httptransport_test

import (
	"crypto/tls"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
	"github.com/availabilitygroup/ag/transport/transporttest"
)

func TestTransport_Suite(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) transporttest.Network{
		"http":     openHTTP,
		"https":    openHTTPS,
		"mutual":   openMutual,
		"explicit": openExplicit,
		"for":      openFor,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transporttest.Run(t, open)
		})
	}
}

func network(t testing.TB, a, b transport.Transport, urlA, urlB string) transporttest.Network {
	t.Helper()
	return transporttest.Network{
		A:       transporttest.Node{Transport: a, Peer: transport.Peer{ID: "a", URL: urlA}},
		B:       transporttest.Node{Transport: b, Peer: transport.Peer{ID: "b", URL: urlB}},
		Nowhere: transport.Peer{ID: "nowhere", URL: deadURL(t)},
	}
}

func openHTTP(t testing.TB) transporttest.Network {
	t.Helper()
	a, b := newTransport(t, httptransport.Config{}), newTransport(t, httptransport.Config{})
	return network(t, a, b, listen(t, mount(a)), listen(t, mount(b)))
}

func openExplicit(t testing.TB) transporttest.Network {
	t.Helper()
	c := httptransport.Config{Keys: []transport.Key{testKey(t, 'x')}}
	a, b := newTransport(t, c), newTransport(t, c)
	return network(t, a, b, listen(t, mount(a)), listen(t, mount(b)))
}

func openFor(t testing.TB) transporttest.Network {
	t.Helper()
	a, b := newTransport(t, httptransport.Config{}), newTransport(t, httptransport.Config{})
	name := transporttest.Group
	return network(t, a.For(name), b.For(name+"."), listen(t, mount(a)), listen(t, mount(b)))
}

// The servers have certificates of an own authority, for the group.
func openHTTPS(t testing.TB) transporttest.Network {
	t.Helper()
	ca := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, transporttest.Group)}}
	c := httptransport.Config{TLS: &tls.Config{RootCAs: ca.pool()}}
	a, b := newTransport(t, c), newTransport(t, c)
	return network(t, a, b, listenTLS(t, mount(a), server), listenTLS(t, mount(b), server))
}

// The servers ask for certificates of the clients.
func openMutual(t testing.TB) transporttest.Network {
	t.Helper()
	ca := newAuthority(t)
	own := []tls.Certificate{ca.issue(t, transporttest.Group)}
	server := &tls.Config{Certificates: own, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()}
	c := httptransport.Config{TLS: &tls.Config{RootCAs: ca.pool(), Certificates: own}}
	a, b := newTransport(t, c), newTransport(t, c)
	return network(t, a, b, listenTLS(t, mount(a), server), listenTLS(t, mount(b), server))
}

// newTransport returns a transport that nobody serves yet. Its connections are
// closed at the end, before the servers wait for that.
func newTransport(t testing.TB, c httptransport.Config) *httptransport.Transport {
	t.Helper()
	tr := httptransport.New(c)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}
