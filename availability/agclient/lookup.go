package agclient

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

// find is one look-up: the store, and if that does not do, the members.
func (c *Client) find(ctx context.Context) finding {
	f := c.read(ctx)
	k := c.know.known(c.cfg.Clock.Now())
	least := max(k.term, f.term)
	older := f.term > 0 && f.term < least // of a store that lags behind
	if f.place != anywhere && len(k.suspects) == 0 && !older {
		return f
	}
	all := f.members
	if all == nil {
		all = k.members
	}
	all = merged(merged(all, c.members...), k.hint)
	said := c.ask(ctx, all, f.place, least)
	f.answered = f.answered || said.answered
	_, suspect := k.suspects[f.place]
	switch {
	case said.found && said.best.place == f.place:
		f.term, f.confirmed = max(f.term, said.best.term), true
	case said.found:
		f.place, f.term, f.confirmed = said.best.place, said.best.term, true
	case suspect || older || said.denied:
		f.place = anywhere
	}
	return f
}

// read asks the store, for half of the time that is left.
func (c *Client) read(ctx context.Context) finding {
	f := finding{ttl: -1}
	if c.cfg.Store == nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.LookupTimeout/2)
	defer cancel()
	set, err := c.cfg.Store.Lookup(ctx, dnsstore.Key{Name: c.cfg.FQDN, Type: "TXT"})
	if err != nil {
		f.err = fmt.Errorf("lookup TXT: %w", err)
		return f
	}
	r, err := parse(set.Data)
	if err != nil {
		return c.readAddresses(ctx, err)
	}
	f.answered, f.ttl, f.term = true, r.TTL, r.Term
	f.members = listed(r, c.cfg.RolePath)
	if m, ok := r.Member(r.Primary); ok {
		f.place = placeOf(m.IPv4, m.IPv6)
	}
	return f
}

// parse reads the one record of a group among the TXT records of its name.
func parse(data []string) (record.Record, error) {
	var ours [][]string
	for _, text := range data {
		if strs, err := dnsstore.ParseTXT(text); err == nil && record.Ours(strs) {
			ours = append(ours, strs)
		}
	}
	if len(ours) != 1 {
		return record.Record{}, fmt.Errorf("%d records of a group", len(ours))
	}
	return record.Parse(ours[0])
}

// readAddresses reads the host record, where there is no record to be read: it
// has the addresses of the Primary too. why says what is the matter with it.
func (c *Client) readAddresses(ctx context.Context, why error) finding {
	f := finding{ttl: -1, err: why}
	var addrs []netip.Addr
	for _, kind := range []string{"A", "AAAA"} {
		set, err := c.cfg.Store.Lookup(ctx, dnsstore.Key{Name: c.cfg.FQDN, Type: kind})
		if err != nil {
			return finding{ttl: -1, err: errors.Join(why, fmt.Errorf("lookup %s: %w", kind, err))}
		}
		f.answered = true
		for _, text := range set.Data {
			if a, err := netip.ParseAddr(text); err == nil {
				addrs, f.ttl = append(addrs, a), max(f.ttl, set.TTL, time.Duration(0))
			}
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare) // their order means nothing
	f.place = placeOf(addrs...)
	return f
}
