package agclient

import (
	"context"
	"net"
	"net/http"
	"time"
)

// dialFunc is the type of http.Transport.DialContext.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// defaultBase is what http.DefaultTransport is, as a value of one's own.
func defaultBase() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           defaultDialer().DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		IdleConnTimeout:       defaultIdle,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

func defaultDialer() *net.Dialer {
	return &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
}

// dialOf is how a transport connects.
func dialOf(t *http.Transport) dialFunc {
	if t.DialContext != nil {
		return t.DialContext
	}
	if dial := t.Dial; dial != nil { //nolint:staticcheck // a Base that still has it must go on working
		return func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
	}
	return new(net.Dialer).DialContext
}

// dialsTLS tells whether a transport leaves TLS to a function of the host's.
func dialsTLS(t *http.Transport) bool {
	return t.DialTLSContext != nil || t.DialTLS != nil //nolint:staticcheck // it counts as much as its successor
}

// cloned is a clone of a transport that connects with dial. HTTP/2 is made
// anew if the transport has it: what x/net/http2 has put there would share its
// connections, and setting a dialer would disable it.
func cloned(base *http.Transport, dial dialFunc) *http.Transport {
	t := base.Clone()
	if _, ok := base.TLSNextProto["h2"]; ok { // Clone has seen to it
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true
	}
	t.DialContext = dial
	t.Dial = nil //nolint:staticcheck // dial calls it
	return t
}
