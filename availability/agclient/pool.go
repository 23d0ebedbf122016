package agclient

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// reachWithin is how long connecting to a place may take, all its addresses
// together: two lost packets. The resolver is tried after it.
const reachWithin = 4 * time.Second

// pool is the connections to one place. It has none older than itself.
type pool struct {
	born      time.Time
	transport *http.Transport
	retired   atomic.Bool
	waiting   *waiting // of its place
}

// RoundTrip sends a request over a connection of the pool.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.transport.RoundTrip(r)
	if p.retired.Load() { // meanwhile, perhaps: its connection is not kept then
		p.transport.CloseIdleConnections()
	}
	return response, err
}

// retire closes what is idle now, and the others when their requests end.
func (p *pool) retire() {
	p.retired.Store(true)
	p.transport.CloseIdleConnections()
}

// pools has at most one pool of each place.
type pools struct {
	open func(at place, now time.Time) *pool

	mu      sync.Mutex
	all     map[place]*pool    // guarded by mu
	waiting map[place]*waiting // guarded by mu; they outlive the pools
}

// get is the pool of a place, a new one if it is older than age. Negative: any
// age.
func (p *pools) get(at place, now time.Time, age time.Duration) *pool {
	p.mu.Lock()
	found := p.all[at]
	if found != nil && (age < 0 || now.Sub(found.born) < age) {
		p.mu.Unlock()
		return found
	}
	if p.all == nil {
		p.all, p.waiting = make(map[place]*pool), make(map[place]*waiting)
	}
	if p.waiting[at] == nil {
		p.waiting[at] = &waiting{}
	}
	fresh := p.open(at, now)
	fresh.waiting = p.waiting[at]
	p.all[at] = fresh
	p.mu.Unlock()
	if found != nil {
		found.retire()
	}
	return fresh
}

// keep retires the pools of all other places.
func (p *pools) keep(at place) { p.retire(func(o place) bool { return o != at }) }

// recall gives up what waits at all other places that are known.
func (p *pools) recall(at place) {
	p.mu.Lock()
	left := maps.Clone(p.waiting)
	maps.DeleteFunc(left, func(o place, _ *waiting) bool { return o == at || o == anywhere })
	maps.DeleteFunc(p.waiting, func(o place, _ *waiting) bool { return left[o] != nil })
	p.mu.Unlock()
	for _, w := range left {
		w.recall()
	}
}

// drop retires the pool of a place.
func (p *pools) drop(at place) { p.retire(func(o place) bool { return o == at }) }

func (p *pools) retire(which func(place) bool) {
	p.mu.Lock()
	gone := maps.Clone(p.all)
	maps.DeleteFunc(gone, func(at place, _ *pool) bool { return !which(at) })
	maps.DeleteFunc(p.all, func(at place, _ *pool) bool { return which(at) })
	p.mu.Unlock()
	for _, o := range gone {
		o.retire()
	}
}

// closeIdle closes what is idle, and keeps the pools.
func (p *pools) closeIdle() {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.all))
	p.mu.Unlock()
	for _, o := range all {
		o.transport.CloseIdleConnections()
	}
}

// pool is the pool for a request that is to go to a place.
func (c *Client) pool(at place) *pool {
	return c.pools.get(at, c.cfg.Clock.Now(), c.maxAge())
}

func (c *Client) maxAge() time.Duration {
	if c.cfg.MaxConnAge != 0 {
		return c.cfg.MaxConnAge
	}
	if ttl := c.know.connAge(); ttl > 0 {
		return ttl
	}
	return defaultMaxConnAge
}

// open makes the pool of a place. What is idle in it when it is replaced, or
// not used any more, closes by itself.
func (c *Client) open(at place, now time.Time) *pool {
	t := cloned(c.cfg.Base, func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || !c.concerns(host) { // a proxy
			return c.dial(ctx, network, addr)
		}
		conn, err := c.reach(ctx, network, addr, at)
		if err != nil {
			return nil, &unreachedError{err}
		}
		return conn, nil
	})
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, defaultIdle)
	if age := c.maxAge(); age > 0 {
		t.IdleConnTimeout = min(t.IdleConnTimeout, age)
	}
	return &pool{born: now, transport: t}
}

// unreachedError says that no connection came about, so nothing was sent.
type unreachedError struct{ err error }

func (e *unreachedError) Error() string { return e.err.Error() }

func (e *unreachedError) Unwrap() error { return e.err }

// reach connects to a place, at the port of addr: to one address after the
// other.
func (c *Client) reach(ctx context.Context, network, addr string, at place) (net.Conn, error) {
	hosts := at.hosts()
	if len(hosts) == 0 {
		return c.dial(ctx, network, addr)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	for _, host := range hosts {
		limited, cancel := context.WithTimeout(ctx, reachWithin/time.Duration(len(hosts)))
		var conn net.Conn
		conn, err = c.dial(limited, network, net.JoinHostPort(host, port))
		cancel()
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// asker is a transport for one question to one member.
func (c *Client) asker(ctx context.Context, m member) *http.Transport {
	t := cloned(c.cfg.Base, func(_ context.Context, network, _ string) (net.Conn, error) {
		return c.reach(ctx, network, net.JoinHostPort(c.cfg.FQDN, m.port), m.place)
	})
	t.Proxy, t.DisableKeepAlives = nil, true
	t.TLSHandshakeTimeout = c.cfg.LookupTimeout // it does not end with the request
	return t
}
