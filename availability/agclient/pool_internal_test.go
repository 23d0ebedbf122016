package agclient

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A request that comes to a pool which was retired a moment before leaves no
// connection behind.
func TestPool_RetiredBeforeTheRequest(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	p := &pool{transport: &http.Transport{}}
	p.retire()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := p.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); string(text) != "x" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection is kept")
	}
}

// A clone has HTTP/2 where the transport has it, though it has a dialer.
func TestCloned_HTTP2(t *testing.T) {
	t.Parallel()
	own := map[string]func(string, *tls.Conn) http.RoundTripper{
		"h2": func(string, *tls.Conn) http.RoundTripper { return nil },
	}
	for name, tt := range map[string]struct {
		base *http.Transport
		want bool
	}{
		"by default":        {&http.Transport{}, true},
		"of x/net/http2":    {&http.Transport{TLSNextProto: own}, true},
		"disabled":          {&http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}, false},
		"with its own TLS":  {&http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}, false},
		"forced":            {&http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}, true},
		"with a dial of it": {&http.Transport{DialContext: new(net.Dialer).DialContext}, false},
	} {
		c := cloned(tt.base, new(net.Dialer).DialContext)
		if _, shared := c.TLSNextProto["h2"]; shared {
			t.Errorf("%s: the clone has the connections of the original", name)
		}
		_ = c.Clone() // sets HTTP/2 up
		if _, got := c.TLSNextProto["h2"]; got != tt.want {
			t.Errorf("%s: HTTP/2 is %t, want %t", name, got, tt.want)
		}
	}
}
