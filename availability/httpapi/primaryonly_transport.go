package httpapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The limits of connections to members. How long an answer may take is for the
// handler and the client to say. Idle connections are given up sooner than by
// most servers: one that the other end has just closed costs a request.
const (
	dialWithin    = 3 * time.Second
	idleFor       = 15 * time.Second
	maxIdlePerOne = 64
	// continueWithin is how long a body that cannot be kept waits for the node
	// to read it: longer than a node holds a request before it refuses, up to a
	// W of six minutes. All but a node that does not know Expect says something
	// before (RFC 9110 §10.1.1).
	continueWithin = 30 * time.Second
)

// membersTransport carries requests to members. A member that is reached by
// its address proves by its certificate that it is the group's name: a
// certificate seldom has an address.
type membersTransport struct {
	config *tls.Config
	fqdn   func() string

	mu     sync.Mutex
	byName map[string]*http.Transport // guarded by mu; by the name to prove
}

func newMembersTransport(config *tls.Config, fqdn func() string) *membersTransport {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &membersTransport{config: config.Clone(), fqdn: fqdn, byName: map[string]*http.Transport{}}
}

// RoundTrip is documented at [http.RoundTripper].
func (t *membersTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	name := ""
	if _, err := netip.ParseAddr(r.URL.Hostname()); err == nil && t.config.ServerName == "" && r.URL.Scheme == "https" {
		name = t.fqdn()
	}
	return t.client(name).RoundTrip(r)
}

func (t *membersTransport) client(name string) *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	client := t.byName[name]
	if client == nil {
		client = newMembersClient(t.config, name)
		t.byName[name] = client
	}
	return client
}

// newMembersClient speaks HTTP/1.1: with one connection for all, as in HTTP/2,
// a dead one would stop everything, and protocols can be changed.
func newMembersClient(config *tls.Config, name string) *http.Transport {
	config = config.Clone()
	if name != "" {
		config.ServerName = name
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialWithin}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   dialWithin,
		ExpectContinueTimeout: continueWithin,
		DisableCompression:    true, // answers go on as they came
		MaxIdleConnsPerHost:   maxIdlePerOne,
		IdleConnTimeout:       idleFor,
		Protocols:             protocols,
	}
}
