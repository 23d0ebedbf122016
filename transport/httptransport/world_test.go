package httptransport_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

const (
	groupName = "group.example"
	patience  = 30 * time.Second
)

// testKey returns a key that is the same for the same letter.
func testKey(t testing.TB, letter byte) transport.Key {
	t.Helper()
	key, err := transport.NewKey(bytes.Repeat([]byte{letter}, transport.MinKey))
	if err != nil {
		t.Fatalf("NewKey: %v", err)
	}
	return key
}

// node is a transport that is mounted on a server of its own and serves.
type node struct {
	*httptransport.Transport
	id  string
	url string
}

func (n node) peer() transport.Peer { return transport.Peer{ID: n.id, URL: n.url} }

// mount mounts a transport at its path.
func mount(tr http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, tr)
	return mux
}

// listen starts a server, without limits, until the end of the test.
func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// newNode returns a node whose handler is h; nil: it is not served.
func newNode(t testing.TB, id string, c httptransport.Config, h transport.HandlerFunc) node {
	t.Helper()
	if c.Keys == nil {
		c.Keys = []transport.Key{testKey(t, 'k')}
	}
	n := node{Transport: httptransport.New(c), id: id}
	if err := n.SetAddress(groupName, id); err != nil {
		t.Fatalf("SetAddress: %v", err)
	}
	n.url = listen(t, mount(n))
	t.Cleanup(n.CloseIdleConnections) // before the server waits for them
	if h != nil {
		serve(t, n, h)
		waitOpen(t, n)
	}
	return n
}

// serve serves h until the end of the test or the returned function is called.
func serve(t testing.TB, tr transport.Transport, h transport.HandlerFunc) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tr.Serve(ctx, h) }()
	stop = func() {
		cancel()
		select {
		case err, ok := <-done:
			if ok && err != nil {
				t.Errorf("Serve: %v", err)
			}
			if ok {
				close(done)
			}
		case <-time.After(patience):
			t.Error("Serve does not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

func echo(_ context.Context, m transport.Message) (transport.Message, error) {
	return transport.Message{Kind: m.Kind, Body: m.Body}, nil
}

func unwanted(t testing.TB) transport.HandlerFunc {
	t.Helper()
	return func(_ context.Context, m transport.Message) (transport.Message, error) {
		t.Errorf("the handler was called with %+v", m)
		return transport.Message{}, nil
	}
}

func message(from, to, body string) transport.Message {
	return transport.Message{Group: groupName, From: from, To: to, Kind: "test", Body: json.RawMessage(body)}
}

// exchange sends a message and gives up after a long while.
func exchange(t testing.TB, from node, to transport.Peer, body string) (transport.Message, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return from.Exchange(ctx, to, message(from.id, to.ID, body))
}

// mustExchange sends a message to an echo.
func mustExchange(t testing.TB, from, to node, body string) {
	t.Helper()
	got, err := exchange(t, from, to.peer(), body)
	if err != nil {
		t.Fatalf("Exchange from %s to %s: %v", from.id, to.id, err)
	}
	if string(got.Body) != body {
		t.Errorf("Exchange: got body %s, want %s", got.Body, body)
	}
}

// wantKind checks that an error is of one kind and no other.
func wantKind(t testing.TB, err, want error) {
	t.Helper()
	for _, kind := range []error{
		transport.ErrUnreachable, transport.ErrUnauthenticated, transport.ErrRejected, transport.ErrInvalidMessage,
	} {
		if errors.Is(err, kind) != errors.Is(want, kind) {
			t.Errorf("got error %v, want one that is %v and nothing else", err, want)
			return
		}
	}
}

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key := newPrivateKey(t)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatalf("create authority: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("parse authority: %v", err)
	}
	return authority{cert: cert, key: key}
}

// issue returns a certificate for a name, good for servers and clients.
func (a authority) issue(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key := newPrivateKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatalf("issue certificate: %v", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func newPrivateKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("generate key: %v", err)
	}
	return key
}

// listenTLS starts a server with TLS.
func listenTLS(t testing.TB, h http.Handler, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = config
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// deadURL is an address of this machine that nobody listens on.
func deadURL(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
