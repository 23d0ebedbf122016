package agtest

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Record returns the strings of the group's TXT record as it stands in the
// store, such as "primary=a"; none if there is no record.
func (c *Cluster) Record() []string {
	c.t.Helper()
	strs, err := c.readRecord()
	if err != nil {
		c.t.Fatalf("agtest: the record: %v", err)
	}
	return strs
}

func (c *Cluster) readRecord() ([]string, error) {
	texts, err := c.lookup("TXT")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, text := range texts {
		strs, err := dnsstore.ParseTXT(text)
		if err != nil {
			return nil, fmt.Errorf("read the record: %w", err)
		}
		all = append(all, strs...)
	}
	return all, nil
}

// HostRecord returns the addresses of the group's name as they stand in the
// store, IPv4 before IPv6; none if there is no host record. Clients with a
// cache see them up to the TTL later.
func (c *Cluster) HostRecord() []netip.Addr {
	c.t.Helper()
	var all []netip.Addr
	for _, kind := range []string{"A", "AAAA"} {
		texts, err := c.lookup(kind)
		for _, text := range texts {
			var a netip.Addr
			if a, err = netip.ParseAddr(text); err != nil {
				break
			}
			all = append(all, a)
		}
		if err != nil {
			c.t.Fatalf("agtest: the host record: %v", err)
		}
	}
	return all
}

// lookup reads at the group's name, also after the test's context has ended.
func (c *Cluster) lookup(kind string) ([]string, error) {
	ctx := context.WithoutCancel(c.t.Context())
	set, err := c.store.Lookup(ctx, dnsstore.Key{Name: c.name(), Type: kind})
	return set.Data, err
}

// name is the name of the group.
func (c *Cluster) name() string { return dnsstore.Canonical(c.nodes[0].config.Settings.GroupFQDN) }
