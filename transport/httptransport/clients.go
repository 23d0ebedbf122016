package httptransport

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The limits of connections to peers. The context of an exchange bounds it as a
// whole; these bound what may outlive it.
const (
	connectTimeout = 10 * time.Second
	idleTimeout    = 90 * time.Second
	maxIdlePerPeer = 4
	maxPerPeer     = 32
	maxHeader      = 16 << 10
)

// clients holds the connections to peers: those without TLS, and those with it
// by the name that certificates must have.
type clients struct {
	tls *tls.Config

	mu     sync.Mutex // guards the following
	byName map[string]*http.Transport
}

func newClients(config *tls.Config) *clients {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &clients{tls: config.Clone(), byName: map[string]*http.Transport{}}
}

// place is where a peer is reached.
type place struct {
	url    string // scheme and address
	host   string // what the field Host says
	client *http.Transport
}

// locate finds the place of a peer's URL. Its host must be an address: a name
// would have to be looked up, in the DNS that may be what has failed.
func (c *clients) locate(peerURL, groupFQDN string) (place, error) {
	u, err := url.Parse(peerURL)
	if err != nil {
		return place{}, errors.New("the peer's URL is none") // err would show it, with a password if there is one
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host}
	if u.Path = strings.TrimSuffix(u.Path, "/"); *u != bare {
		return place{}, errors.New("the peer's URL has more than scheme, address and port")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		return place{}, fmt.Errorf("the peer's URL has no IP address: %w", err)
	}
	name := ""
	switch u.Scheme {
	case "http":
	case "https":
		name = cmp.Or(c.tls.ServerName, groupFQDN)
	default:
		return place{}, fmt.Errorf("the peer's URL has scheme %.20q, want http or https", u.Scheme)
	}
	host := cmp.Or(name, groupFQDN)
	if u.Port() != "" {
		host = net.JoinHostPort(host, u.Port())
	}
	return place{url: bare.String(), host: host, client: c.client(name)}, nil
}

// client returns the connections for a name, none: without TLS.
func (c *clients) client(name string) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	client := c.byName[name]
	if client == nil {
		client = newClient(c.tls, name)
		c.byName[name] = client
	}
	return client
}

// newClient returns a client that is used by RoundTrip alone, which follows no
// redirect and knows no cookie. It has no Proxy. It speaks HTTP/1.1: with one
// connection for all, as in HTTP/2, a dead one would stop everything.
func newClient(config *tls.Config, name string) *http.Transport {
	config = config.Clone()
	config.ServerName = name
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    connectTimeout,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdlePerPeer,
		MaxConnsPerHost:        maxPerPeer,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              protocols,
	}
}

func (c *clients) closeIdle() {
	c.mu.Lock()
	var all []*http.Transport
	for _, client := range c.byName {
		all = append(all, client)
	}
	c.mu.Unlock()
	for _, client := range all {
		client.CloseIdleConnections()
	}
}

// foreignCertificate tells whether a connection failed because the peer's
// certificate did not prove who it is.
func foreignCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
