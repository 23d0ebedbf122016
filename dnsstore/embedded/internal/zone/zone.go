package zone

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/miekg/dns"
)

// Zone is the data of one zone. It is never changed, so it is safe for
// concurrent use.
type Zone struct {
	apex  string
	nodes map[string]*node
}

// node is a name that exists: it has records, or names below it, or both. One
// without records is an empty non-terminal (RFC 8499 section 7).
type node struct {
	sets     map[uint16]*Set
	children int // direct ones
}

// Change is a new content of one RRset. A nil Set deletes it.
type Change struct {
	Key
	Set *Set
}

// New returns the zone at apex with these records, which must be as they come
// from the wire. A zone without SOA or NS at its apex gets a plain one, with
// serial 1. All mistakes are reported, joined.
func New(apex string, records []dns.RR) (*Zone, error) {
	empty := Empty(apex)
	d := newDraft(empty)
	var errs []error
	for _, rr := range records {
		if err := d.load(rr); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], err))
		}
	}
	for _, rr := range []dns.RR{defaultSOA(empty.apex), defaultNS(empty.apex)} {
		if d.get(keyOf(rr)) == nil {
			errs = append(errs, d.load(rr))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return empty.With(d.changes()), nil
}

// Empty returns a zone without any record, which only [Zone.With] makes a
// usable one.
func Empty(apex string) *Zone {
	return &Zone{apex: dns.CanonicalName(apex), nodes: map[string]*node{}}
}

func defaultSOA(apex string) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 3600},
		Ns:  below("ns", apex), Mbox: below("hostmaster", apex),
		// A short negative time to live: a record that is created is seen soon.
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 604800, Minttl: 5,
	}
}

func defaultNS(apex string) dns.RR {
	return &dns.NS{
		Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 3600},
		Ns:  below("ns", apex),
	}
}

func below(label, apex string) string {
	if apex == "." {
		return label + "."
	}
	return label + "." + apex
}

// Apex returns the name of the zone in canonical form.
func (z *Zone) Apex() string { return z.apex }

// Serial returns the serial number of the zone, 0 if it has none yet.
func (z *Zone) Serial() uint32 {
	if soa := z.soa(); soa != nil {
		return soa.Serial
	}
	return 0
}

func (z *Zone) soa() *dns.SOA {
	set := z.get(Key{Name: z.apex, Type: dns.TypeSOA})
	if set == nil {
		return nil
	}
	soa, _ := set.records[0].rr.(*dns.SOA)
	return soa
}

// Contains tells whether a name is the apex or below it.
func (z *Zone) Contains(name string) bool { return dns.IsSubDomain(z.apex, name) }

// Types returns the types of the records at a name, in rising order.
func (z *Zone) Types(name string) []uint16 {
	n := z.nodes[dns.CanonicalName(name)]
	if n == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(n.sets))
}

func (z *Zone) get(k Key) *Set {
	if n := z.nodes[k.Name]; n != nil {
		return n.sets[k.Type]
	}
	return nil
}

// All returns the whole zone as changes to an empty one, in a fixed order.
func (z *Zone) All() []Change {
	var all []Change
	for name, n := range z.nodes {
		for rrtype, set := range n.sets {
			all = append(all, Change{Key: Key{Name: name, Type: rrtype}, Set: set})
		}
	}
	sortChanges(all)
	return all
}

func sortChanges(c []Change) {
	slices.SortFunc(c, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
}

// Complete tells whether the zone has what every zone has: a SOA.
func (z *Zone) Complete() bool { return z.soa() != nil }
