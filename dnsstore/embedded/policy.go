package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

var (
	errNotInZone = errors.New("not in the zone")
	errType      = errors.New("not a type that this server keeps")
)

func (g Grant) parse(apex, field string, wrong *mistakes) grant {
	name, err := canonical(g.Name)
	switch {
	case err != nil:
		wrong.add(field+".Name", err)
	case !dns.IsSubDomain(apex, name):
		wrong.add(field+".Name", errNotInZone)
	}
	out := grant{name: name, subtree: g.Subtree}
	for _, text := range g.Types {
		t, known := dns.StringToType[strings.ToUpper(text)]
		if !known || !zone.Keeps(t) {
			wrong.add(field+".Types", fmt.Errorf("%w: %q", errType, text))
		}
		out.types = append(out.types, t)
	}
	return out
}

// policy is what a key may change; nil: everything.
type policy []grant

type grant struct {
	name    string // canonical
	subtree bool
	types   []uint16 // none: all but NS and SOA
}

// permits tells whether the key may make this one change to the zone.
func (p policy) permits(z *zone.Zone, rr dns.RR) bool {
	if p == nil {
		return true
	}
	h := rr.Header()
	name := dns.CanonicalName(h.Name)
	if !slices.ContainsFunc(p, func(g grant) bool { return g.covers(name) }) {
		return false
	}
	types := []uint16{h.Rrtype}
	if h.Rrtype == dns.TypeANY {
		types = deletable(z, name)
	}
	return !slices.ContainsFunc(types, func(t uint16) bool { return !p.allows(name, t) })
}

// deletable returns the types that go when a name is deleted: at the apex NS
// and SOA stay (RFC 2136 section 3.4.2.3).
func deletable(z *zone.Zone, name string) []uint16 {
	types := z.Types(name)
	if name != z.Apex() {
		return types
	}
	return slices.DeleteFunc(types, func(t uint16) bool { return t == dns.TypeNS || t == dns.TypeSOA })
}

func (p policy) allows(name string, rrtype uint16) bool {
	return slices.ContainsFunc(p, func(g grant) bool { return g.covers(name) && g.lists(rrtype) })
}

func (g grant) covers(name string) bool {
	return name == g.name || g.subtree && dns.IsSubDomain(g.name, name)
}

func (g grant) lists(rrtype uint16) bool {
	if len(g.types) == 0 {
		return rrtype != dns.TypeNS && rrtype != dns.TypeSOA
	}
	return slices.Contains(g.types, rrtype)
}
