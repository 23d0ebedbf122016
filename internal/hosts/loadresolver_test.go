//go:build linux

package hosts_test

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/miekg/dns"
)

// resolver is an obedient one: it asks the server of the zone for the address
// of the name, and keeps what it hears for the TTL, no longer.
type resolver struct {
	lab  *lab
	turn chan struct{} // who has it may use the following
	addr string
	till time.Time
}

func (l *lab) resolver() *resolver { return &resolver{lab: l, turn: make(chan struct{}, 1)} }

var errNoAddress = errors.New("the name has no address")

// dial connects from the host outside; the name of the group is looked up.
func (r *resolver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == fqdn {
		if host, err = r.lookup(ctx); err != nil {
			return nil, err
		}
	}
	return r.lab.net.hosts[outside].dial(ctx, network, net.JoinHostPort(host, port))
}

func (r *resolver) lookup(ctx context.Context) (string, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if time.Now().Before(r.till) {
		return r.addr, nil
	}
	rrs, err := r.lab.queryFrom(ctx, outside, dns.TypeA)
	for err != nil && ctx.Err() == nil { // a busy machine loses datagrams
		rrs, err = r.lab.queryFrom(ctx, outside, dns.TypeA)
	}
	if err != nil {
		return "", err
	}
	for _, rr := range rrs {
		if a, ok := rr.(*dns.A); ok {
			r.addr, r.till = a.A.String(), time.Now().Add(time.Duration(a.Hdr.Ttl)*time.Second)
			return r.addr, nil
		}
	}
	return "", errNoAddress
}
