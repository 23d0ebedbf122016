package agclient

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Client sends requests to the Primary of one group, and other requests to
// wherever they go. It is safe for concurrent use.
type Client struct {
	cfg     Config
	members []member // of the configuration
	know    knowledge
	turn    chan struct{} // who has it looks up
	dial    dialFunc
	pools   pools
}

var _ http.RoundTripper = (*Client)(nil)

// New returns a client, or an error that says all that is wrong with the
// configuration. It does no I/O: the first request looks the Primary up.
func New(c Config) (*Client, error) {
	c = c.withDefaults()
	members, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("agclient: %w", err)
	}
	client := &Client{
		cfg: c, members: members, turn: make(chan struct{}, 1),
		know: knowledge{trust: c.Trust, ttl: -1},
		dial: dialOf(c.Base),
	}
	client.pools.open = client.open
	return client, nil
}

// CloseIdleConnections closes the pooled connections that serve no request,
// also those of Base. http.Client.CloseIdleConnections calls it.
func (c *Client) CloseIdleConnections() {
	c.pools.closeIdle()
	c.cfg.Base.CloseIdleConnections()
}

// concerns tells whether a host is the name of the group.
func (c *Client) concerns(host string) bool {
	return len(host) <= len(c.cfg.FQDN)+1 && dnsstore.Canonical(host) == c.cfg.FQDN
}

// primary is what is known of the Primary; it looks it up if that is due. If
// the context ends, it is what was known before.
func (c *Client) primary(ctx context.Context) view {
	v, due, wait, need := c.know.present(c.cfg.Clock.Now())
	if !due || wait > leastRest || !c.pause(ctx, wait) {
		return v
	}
	c.look(ctx, need)
	v, _, _, _ = c.know.present(c.cfg.Clock.Now())
	return v
}

// another finds a Primary to go to after a failure. It looks again for as long
// as patience lasts, once at least unless look-ups rest for longer.
func (c *Client) another(ctx context.Context, failed view, patience time.Duration) (view, bool) {
	end := c.cfg.Clock.Now().Add(patience)
	for ctx.Err() == nil {
		now := c.cfg.Clock.Now()
		v, wait, need := c.know.again(now)
		if v.better(failed) {
			return v, true
		}
		if now.Add(max(wait, 0)).After(end) || !c.pause(ctx, wait) {
			return view{}, false
		}
		c.look(ctx, need)
	}
	return view{}, false
}

// pause waits, and tells whether the context has not ended.
func (c *Client) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := c.cfg.Clock.Timer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// look makes a look-up with at least that number, or waits for somebody else's.
// Only one is made at a time. One whose caller gives up has no end: the next
// in the row makes another.
func (c *Client) look(ctx context.Context, need uint64) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-c.turn }()
	number, ok := c.know.begin(need)
	if !ok {
		return
	}
	limited, cancel := context.WithTimeout(ctx, c.cfg.LookupTimeout)
	defer cancel()
	f := c.find(limited)
	if ctx.Err() != nil && f.place == anywhere {
		return
	}
	was, is, fruitless := c.know.finish(number, f, c.cfg.Clock.Now())
	if is.place != anywhere {
		c.pools.keep(is.place)
	}
	if is.place != anywhere && was.term > 0 && is.term > was.term {
		c.pools.recall(is.place)
	}
	c.log(ctx, was, is, f, fruitless)
}

// log tells of each move, and of look-ups in vain at the first and each
// doubling.
func (c *Client) log(ctx context.Context, was, is view, f finding, fruitless int) {
	name := slog.String("group", c.cfg.FQDN)
	switch {
	case is.place != anywhere && is.place != was.place:
		c.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "primary found", name,
			slog.String("to", string(is.place)), slog.Uint64("term", is.term))
	case fruitless > 0 && fruitless&(fruitless-1) == 0:
		attrs := []slog.Attr{name, slog.Int("times", fruitless)}
		if f.err != nil {
			attrs = append(attrs, slog.String("err", f.err.Error()))
		}
		c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "primary not found", attrs...)
	}
}

// DialContext connects to the Primary if addr is the group's name with a port
// and network is tcp, tcp4 or tcp6; to anything else as Base does. It looks the
// Primary up first if that is due. If the Primary cannot be reached it looks
// once more, and connects to another that it finds, else as Base does. The
// errors are those of Base's dialer.
//
// It is for what takes a dial function and no RoundTripper: drivers of
// databases, RPC. Nothing can be sent again there.
func (c *Client) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !c.concerns(host) || !strings.HasPrefix(network, "tcp") {
		return c.dial(ctx, network, addr)
	}
	v := c.primary(ctx)
	conn, err := c.reach(ctx, network, addr, v.place)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	c.know.suspect(v, c.cfg.Clock.Now())
	c.pools.drop(v.place)
	next, ok := c.another(ctx, v, leastRest)
	if !ok && v.place == anywhere {
		return nil, err
	}
	return c.reach(ctx, network, addr, next.place)
}
