package httptransport_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// A host mounts its transport on a server of its own and gives it to its
// group, which sets the keys and the address, and serves. Here the example
// does what a group does.
func ExampleNew() {
	octets := make([]byte, transport.MinKey)
	rand.Read(octets)
	key, err := transport.NewKey(octets)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := httptransport.New(httptransport.Config{Keys: []transport.Key{key}})
	b := httptransport.New(httptransport.Config{Keys: []transport.Key{key}})
	defer a.CloseIdleConnections()

	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, b)
	server := httptest.NewServer(mux)
	defer server.Close()

	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = b.Serve(ctx, transport.HandlerFunc(func(_ context.Context, m transport.Message) (transport.Message, error) {
			return transport.Message{Kind: "pong", Body: m.Body}, nil
		}))
	})
	answer := ask(ctx, a, transport.Peer{ID: "b", URL: server.URL})
	fmt.Println(answer.From, "says", answer.Kind, string(answer.Body))
	cancel()
	serving.Wait()
	// Output: b says pong {"n":1}
}

// ask asks until the peer serves.
func ask(ctx context.Context, t transport.Transport, to transport.Peer) transport.Message {
	for {
		answer, err := t.Exchange(ctx, to, transport.Message{
			Group: "gw.example.com", From: "a", To: to.ID, Kind: "ping", Body: json.RawMessage(`{"n":1}`),
		})
		if err == nil {
			return answer
		}
	}
}

// With certificates both ways: the host's server asks for them, and its
// transport shows its own. The certificates are for the FQDN of the group.
func ExampleConfig_mutualTLS() {
	var authorities *x509.CertPool // of the own authority
	var own tls.Certificate        // for gw.example.com, issued by it

	t := httptransport.New(httptransport.Config{
		TLS: &tls.Config{RootCAs: authorities, Certificates: []tls.Certificate{own}},
	})
	server := newServer(t, own, authorities)
	fmt.Println(server.Addr, server.TLSConfig.ClientAuth)
	// Output: :443 RequireAndVerifyClientCert
}

func newServer(t *httptransport.Transport, own tls.Certificate, authorities *x509.CertPool) *http.Server {
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, t)
	return &http.Server{
		Addr:    ":443",
		Handler: mux,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{own},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    authorities,
		},
	}
}

// A program that is in several groups mounts one transport for all of them.
func ExampleTransport_For() {
	t := httptransport.New(httptransport.Config{})
	http.NewServeMux().Handle(httptransport.Path, t)

	east, west := t.For("east.example.com"), t.For("west.example.com")
	_, keyed := east.(transport.Keyed)
	fmt.Println(east == west, east == t.For("East.Example.com."), keyed)
	// Output: false true true
}
