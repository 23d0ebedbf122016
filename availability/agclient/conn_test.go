package agclient_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability/agclient"
	"github.com/availabilitygroup/ag/dnsstore"
)

// A connection that is older than MaxConnAge serves no further request; by
// default that is the TTL, or 30 s where it is not known.
func TestConnections_Age(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*lab, *agclient.Config)
		want int
	}{
		"TTL":     {nil, 5},
		"unknown": {nothing, 4},
		"longer":  {func(_ *lab, c *agclient.Config) { c.MaxConnAge = time.Minute }, 2},
		"any":     {func(_ *lab, c *agclient.Config) { c.MaxConnAge = -1 }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, tt.edit, func(t *testing.T, l *lab) {
				for range 20 { // 100 s
					l.want(0, http.MethodPost, "1")
					l.sleep(5 * time.Second)
				}
				if got := l.net.connections(address(0)); got != tt.want {
					t.Errorf("%d connections in 100 s, want %d", got, tt.want)
				}
			})
		})
	}
}

// Without further requests it is closed too.
func TestConnections_IdleAge(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.sleep(20*time.Second + time.Millisecond)
		if got := l.nodes[0].open(); got != 0 {
			t.Errorf("%d connections after the TTL", got)
		}
	})
}

// A connection that becomes too old while it serves a request serves it to its
// end, and is closed then.
func TestConnections_AgeSparesTheRequest(t *testing.T) {
	inLab(t, func(_ *lab, c *agclient.Config) { c.MaxConnAge = time.Second }, func(t *testing.T, l *lab) {
		reader, writer := io.Pipe()
		var all sync.WaitGroup
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+fqdn+"/", reader)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := l.client.RoundTrip(r)
			if err != nil {
				t.Errorf("the request did not outlive the age: %v", err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		})
		l.sleep(2 * time.Second)
		l.want(0, http.MethodGet, "")
		if got := l.nodes[0].open(); got != 2 {
			t.Errorf("%d connections are open, want 2", got)
		}
		if _, err := writer.Write([]byte("the end")); err != nil {
			t.Error(err)
		}
		writer.Close()
		all.Wait()
		l.sleep(100 * time.Millisecond)
		if got := l.nodes[0].open(); got != 1 {
			t.Errorf("%d connections are open after the request, want 1", got)
		}
	})
}

// When the Primary has moved no connection to the old one stays.
func TestConnections_OldPrimary(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { l.want(0, http.MethodGet, "") })
		}
		all.Wait()
		if l.nodes[0].open() == 0 {
			t.Fatal("no connection is kept")
		}
		l.move(1, 101)
		l.sleep(5 * time.Second)
		l.want(1, http.MethodGet, "")
		l.sleep(100 * time.Millisecond)
		if got := l.nodes[0].open(); got != 0 {
			t.Errorf("%d connections to the old Primary", got)
		}
		l.client.CloseIdleConnections()
		l.sleep(100 * time.Millisecond)
		if got := l.nodes[1].open(); got != 0 {
			t.Errorf("%d connections after CloseIdleConnections", got)
		}
	})
}

// Nor after a failure, whatever is found then; and the answer of the node that
// refused holds no connection.
func TestConnections_AfterAFailure(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { l.want(0, http.MethodGet, "") })
		}
		all.Wait()
		l.name(-1, 101)
		l.nodes[0].set(func() { l.nodes[0].primary = false })
		time.AfterFunc(time.Second, func() { l.nodes[1].set(func() { l.nodes[1].deluded, l.nodes[1].term = true, 101 }) })
		l.want(1, http.MethodPost, "1")
		l.sleep(100 * time.Millisecond)
		if got := l.nodes[0].open(); got != 0 {
			t.Errorf("%d connections to the node that refused", got)
		}
	})
	t.Run("nobody else", func(t *testing.T) {
		inLab(t, nil, func(t *testing.T, l *lab) {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() { l.want(0, http.MethodGet, "") })
			}
			all.Wait()
			l.nodes[0].set(func() { l.nodes[0].primary = false })
			if status, _, err := l.send(t.Context(), http.MethodGet, "/", ""); status != http.StatusServiceUnavailable || err != nil {
				t.Errorf("got %d, %v", status, err)
			}
			l.sleep(100 * time.Millisecond)
			if got := l.nodes[0].open(); got != 0 {
				t.Errorf("%d connections to the node that refused", got)
			}
		})
	})
}

// A request to a machine that has vanished goes to the next Primary as soon as
// another request has found it, if that does no harm.
func TestConnections_VanishedPrimary(t *testing.T) {
	stream := func(r *http.Request) { r.GetBody = nil }
	for name, tt := range map[string]struct {
		method string
		edit   func(*http.Request)
		again  bool
	}{
		"GET":    {http.MethodGet, func(*http.Request) {}, true},
		"PUT":    {http.MethodPut, func(*http.Request) {}, true},
		"stream": {http.MethodPut, stream, false},
		"POST":   {http.MethodPost, func(*http.Request) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.want(0, http.MethodGet, "")
				l.nodes[0].set(func() { l.nodes[0].hangs = true })
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var all sync.WaitGroup
				for range 3 {
					all.Go(func() {
						start := time.Now()
						_, text, err := l.send(ctx, tt.method, "/", "content", tt.edit)
						if tt.again && (text != "b" || time.Since(start) > 23*time.Second) {
							t.Errorf("%q, %v after %v", text, err, time.Since(start))
						}
						if !tt.again && !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("%q, %v, want the end of the context", text, err)
						}
					})
				}
				l.sleep(21 * time.Second) // beyond MaxConnAge
				short, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				if _, _, err := l.send(short, http.MethodPost, "/", ""); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				l.move(1, 101)
				l.want(1, http.MethodPost, "")
				all.Wait()
				want := 1
				if tt.again {
					want = 4
				}
				if got := len(l.nodes[1].served()); got != want {
					t.Errorf("%d requests at the new Primary, want %d", got, want)
				}
			})
		})
	}
}

// An answer that has begun is read to its end, whoever is Primary meanwhile.
func TestConnections_AnswerGoesOn(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+fqdn+"/slow", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := l.client.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		l.move(1, 101)
		l.sleep(5 * time.Second)
		l.want(1, http.MethodGet, "")
		if text, err := io.ReadAll(response.Body); string(text) != "first last" || err != nil {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

// Without a newer term nothing is given up: another address may be the same
// node.
func TestConnections_AnotherAddressInOneTerm(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.nodes[0].set(func() { l.nodes[0].hangs = true })
		l.move(1, 100)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, text, err := l.send(ctx, http.MethodGet, "/", ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q, %v, want the end of the context", text, err)
			}
		})
		l.sleep(6 * time.Second)
		l.want(1, http.MethodGet, "")
		all.Wait()
	})
}

// counted is a context that counts who waits for its end.
type counted struct {
	context.Context

	open atomic.Int64
}

func (c *counted) AfterFunc(f func()) (stop func() bool) {
	c.open.Add(1)
	end := context.AfterFunc(c.Context, f)
	return func() bool {
		c.open.Add(-1)
		return end()
	}
}

// Value hides the context below.
func (c *counted) Value(any) any { return nil }

// A context that lives long holds nothing of requests that have ended, whether
// their answers were closed or read to the end.
func TestConnections_ContextIsLetGo(t *testing.T) {
	for name, tt := range map[string]struct {
		method string
		finish func(io.ReadCloser)
	}{
		"read":    {http.MethodGet, func(b io.ReadCloser) { _, _ = io.Copy(io.Discard, b) }},
		"closed":  {http.MethodGet, func(b io.ReadCloser) { b.Close() }},
		"no body": {http.MethodHead, func(io.ReadCloser) {}},
		"refused": {http.MethodDelete, func(b io.ReadCloser) { b.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				parent, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.method == http.MethodDelete {
					l.want(0, http.MethodGet, "")
					l.move(1, 101)
				}
				ctx := &counted{Context: parent}
				r, err := http.NewRequestWithContext(ctx, tt.method, "http://"+fqdn+"/", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				response, err := l.client.RoundTrip(r) //nolint:bodyclose // by finish, or not at all
				if err != nil {
					t.Fatal(err)
				}
				tt.finish(response.Body)
				l.sleep(time.Second)
				if n := ctx.open.Load(); n != 0 {
					t.Errorf("%d are left", n)
				}
			})
		})
	}
}

func TestCloseIdleConnections_OfBase(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		_, _, _ = send(t.Context(), t, l.client, http.MethodGet, "http://"+address(1)+"/ag/api/v1/primary", "")
		if got := l.nodes[1].open(); got != 1 {
			t.Fatalf("%d connections are kept, want 1", got)
		}
		l.client.CloseIdleConnections()
		l.sleep(100 * time.Millisecond)
		if got := l.nodes[1].open(); got != 0 {
			t.Errorf("%d connections after CloseIdleConnections", got)
		}
	})
}

// A proxy is used for requests, not for questions to members.
func TestConnections_Proxy(t *testing.T) {
	for name, port := range map[string]string{"for requests": "", "for questions": "8080"} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(_ *lab, c *agclient.Config) {
				c.Store, c.Members = nil, []string{"http://192.0.2.2:8080"}
				c.Base.Proxy = func(r *http.Request) (*url.URL, error) {
					if r.URL.Port() != port {
						return nil, nil
					}
					return &url.URL{Scheme: "http", Host: address(0) + ":3128"}, nil
				}
			}, func(t *testing.T, l *lab) {
				l.nodes[1].set(func() { l.nodes[1].deluded, l.nodes[1].term = true, 100 })
				if port == "" {
					l.want(0, http.MethodGet, "")
					wantDialed(t, l.net, 0, "192.0.2.2:8080", "192.0.2.1:3128")
					return
				}
				l.want(1, http.MethodGet, "")
				wantDialed(t, l.net, 0, "192.0.2.2:8080", "192.0.2.2:80")
			})
		})
	}
}

func TestDialContext(t *testing.T) {
	refused := func(l *lab) { l.nodes[0].crash() }
	for name, tt := range map[string]struct {
		network, addr string
		before        func(*lab)
		want          []string
		ok            bool
	}{
		"the Primary":         {"tcp", fqdn + ":5432", func(l *lab) { l.move(1, 101) }, []string{"192.0.2.2:5432"}, true},
		"spelt otherwise":     {"tcp4", "APP.lab.test.:1", func(l *lab) { l.move(1, 101) }, []string{"192.0.2.2:1"}, true},
		"another name":        {"tcp", "192.0.2.1:80", func(l *lab) { l.move(1, 101) }, []string{"192.0.2.1:80"}, true},
		"another network":     {"udp", fqdn + ":53", func(l *lab) { l.move(1, 101) }, []string{"192.0.2.1:53"}, true},
		"dead and taken over": {"tcp", fqdn + ":1", func(l *lab) { refused(l); l.nodes[1].set(func() { l.nodes[1].deluded = true }) }, []string{"192.0.2.1:1", "192.0.2.2:1"}, true},
		"dead":                {"tcp", fqdn + ":1", refused, []string{"192.0.2.1:1", "192.0.2.1:1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.nodes[1].set(func() { l.nodes[1].term = 100 })
				tt.before(l)
				conn, err := l.client.DialContext(t.Context(), tt.network, tt.addr)
				if (err == nil) != tt.ok {
					t.Errorf("error %v", err)
				}
				if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("error %v, want the dialer's", err)
				}
				if conn != nil {
					conn.Close()
				}
				if diff := cmp.Diff(tt.want, l.net.withoutPort("8080")); diff != "" {
					t.Errorf("dialed mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDialContext_EndsWithItsContext(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.nodes[0].vanish()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := l.client.DialContext(ctx, "tcp", fqdn+":80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// The rest is over real sockets and TLS.

// pair is two servers at one port of two addresses of the loopback interface.
func pair(t testing.TB, handler func(i int) http.Handler) (port string, servers [2]*httptest.Server) {
	t.Helper()
	for range 20 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err = net.SplitHostPort(first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		second, err := net.Listen("tcp", "127.0.0.2:"+port)
		if err != nil {
			first.Close()
			continue
		}
		for i, l := range []net.Listener{first, second} {
			quiet := log.New(io.Discard, "", 0)
			servers[i] = &httptest.Server{
				Listener: l, EnableHTTP2: true, Config: &http.Server{Handler: handler(i), ReadHeaderTimeout: time.Minute, ErrorLog: quiet},
			}
			t.Cleanup(servers[i].Close)
		}
		return port, servers
	}
	t.Skip("no port is free at two addresses of the loopback interface")
	return "", servers
}

// Over TLS the certificate is that of the name, and HTTP/2 and HTTP/1.1 follow
// the Primary alike.
func TestTLS_FollowsThePrimary(t *testing.T) {
	for _, want := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			port, servers := pair(t, func(i int) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, i, r.Proto, " ", r.Host) })
			})
			for _, s := range servers {
				s.StartTLS()
			}
			memory := dnsstore.NewMemory()
			point := func(address string) {
				set := dnsstore.RRSet{Key: dnsstore.Key{Name: "example.com", Type: "A"}, Data: []string{address}}
				if err := memory.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{set}}); err != nil {
					t.Fatal(err)
				}
			}
			base := servers[0].Client().Transport.(*http.Transport).Clone()
			if want == "HTTP/1.1" {
				base.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
				base.TLSClientConfig.NextProtos = nil
			}
			c, err := agclient.New(agclient.Config{FQDN: "example.com", Store: memory, Base: base, Trust: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.CloseIdleConnections)
			for i, address := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.1"} {
				point(address)
				text := ""
				for range 1000 { // until what was found is too old
					_, text, err = send(t.Context(), t, c, http.MethodGet, "https://example.com:"+port+"/", "")
					if err != nil || text[0] == byte('0'+i%2) {
						break
					}
					<-time.After(time.Millisecond)
				}
				if wanted := fmt.Sprint(i%2, want, " example.com:", port); text != wanted || err != nil {
					t.Errorf("got %q, %v, want %q", text, err, wanted)
				}
			}
		})
	}
}

// An address that belongs to somebody else now, whose certificate shows it, is
// not sent anything; the resolver may know better.
func TestTLS_ForeignCertificate(t *testing.T) {
	t.Parallel()
	port, servers := pair(t, func(i int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, i) })
	})
	servers[0].StartTLS()
	servers[1].TLS = &tls.Config{Certificates: []tls.Certificate{foreign(t)}, MinVersion: tls.VersionTLS12}
	servers[1].StartTLS()
	base := servers[0].Client().Transport.(*http.Transport).Clone()
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(addr); err == nil && host == "example.com" {
			addr = "127.0.0.1:" + port
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	c, err := agclient.New(agclient.Config{FQDN: "example.com", Store: answers{"A": "127.0.0.2"}, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	status, text, err := send(t.Context(), t, c, http.MethodPost, "https://example.com:"+port+"/", "order")
	if err != nil || status != http.StatusOK || text != "0" {
		t.Errorf("got %d, %q, %v, want an answer of the node that the resolver knows", status, text, err)
	}
}

// foreign is a certificate that nobody trusts.
func foreign(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
