package rfc2136

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// update is a change as records, before the zone is known.
type update struct {
	change  dnsstore.Change // normal
	prereq  []dns.RR
	content []dns.RR
	guarded []string // names with a condition that the change does not state
}

// newUpdate checks a change and builds its records. They are built afresh for
// each section: records that stand in two sections of a dns.Msg spoil each
// other, since the helpers of miekg/dns write into them.
func newUpdate(c dnsstore.Change) (update, error) {
	c, err := c.Normal()
	if err != nil {
		return update{}, err
	}
	u := update{change: c}
	for _, set := range c.If {
		if len(set.Data) == 0 {
			u.prereq = append(u.prereq, empty(set.Key, dns.ClassNONE)) // RFC 2136 section 2.4.3
			continue
		}
		rrs, err := records(set, 0) // RFC 2136 section 2.4.2; a TTL here is a FORMERR
		if err != nil {
			return update{}, err
		}
		u.prereq = append(u.prereq, rrs...)
	}
	if err := u.guardAliases(); err != nil {
		return update{}, err
	}
	return u, u.build()
}

// build fills the update section: all deletions, then all additions (RFC 2136
// section 3.4.2 keeps the order; PowerDNS does it so in any case). A whole
// RRset is deleted also where it is to be the same with another TTL, which
// Knot would not change otherwise.
func (u *update) build() error {
	var additions []dns.RR
	for _, set := range u.change.Set {
		u.content = append(u.content, empty(set.Key, dns.ClassANY)) // RFC 2136 section 2.5.2
		rrs, err := records(set, set.TTL)
		if err != nil {
			return err
		}
		additions = append(additions, rrs...) // RFC 2136 section 2.5.1
	}
	u.content = append(u.content, additions...)
	return nil
}

// guardAliases adds the conditions without which a server answers NOERROR and
// leaves a record out: there is no other record beside a CNAME (RFC 2136
// section 3.4.2.2). It refuses what would put one there by its own words.
func (u *update) guardAliases() error {
	for _, set := range u.change.Set {
		if len(set.Data) == 0 {
			continue
		}
		alias := dnsstore.Key{Name: set.Name, Type: "CNAME"}
		was, known := find(u.change.If, alias)
		is, changed := find(u.change.Set, alias)
		switch {
		case set.Type == "CNAME" && len(was.Data) > 0:
			// Where a CNAME is there is nothing else.
		case set.Type == "CNAME":
			u.guard(set.Name, dns.TypeANY) // RFC 2136 section 2.4.5: nothing at all at the name
		case changed && len(is.Data) > 0, !changed && len(was.Data) > 0:
			return fmt.Errorf("%s would have a CNAME and other data", set.Name)
		case !changed && !known:
			u.guard(set.Name, dns.TypeCNAME)
		}
	}
	return nil
}

func (u *update) guard(name string, kind uint16) {
	if slices.Contains(u.guarded, name) {
		return
	}
	u.guarded = append(u.guarded, name)
	u.prereq = append(u.prereq, &dns.ANY{Hdr: dns.RR_Header{Name: absolute(name), Rrtype: kind, Class: dns.ClassNONE}})
}

// find returns the set with that key.
func find(sets []dnsstore.RRSet, k dnsstore.Key) (set dnsstore.RRSet, found bool) {
	i := slices.IndexFunc(sets, func(s dnsstore.RRSet) bool { return s.Key == k })
	if i < 0 {
		return dnsstore.RRSet{}, false
	}
	return sets[i], true
}

// repeatable tells whether a second copy of the message can do no harm: the
// first one makes its own condition false, or it changes nothing at all.
func (u *update) repeatable() bool {
	if len(u.change.Set) == 0 {
		return true
	}
	for _, was := range u.change.If {
		for _, is := range u.change.Set {
			if was.Key == is.Key && !slices.Equal(was.Data, is.Data) {
				return true
			}
		}
	}
	return false
}

// nameOf is the first name that a change is about, empty if there is none.
func nameOf(c dnsstore.Change) string {
	for _, set := range slices.Concat(c.If, c.Set) {
		return set.Name
	}
	return ""
}

// outside returns a name of the change that is not in the zone.
func (u *update) outside(zone string) (name string, found bool) {
	for _, set := range slices.Concat(u.change.If, u.change.Set) {
		if !inZone(absolute(set.Name), zone) {
			return set.Name, true
		}
	}
	return "", false
}

// message is the change as an UPDATE of the zone.
func (u *update) message(zone string) *dns.Msg {
	m := new(dns.Msg)
	m.Opcode = dns.OpcodeUpdate
	m.Question = []dns.Question{{Name: zone, Qtype: dns.TypeSOA, Qclass: dns.ClassINET}}
	m.Answer = u.prereq
	m.Ns = u.content
	m.Compress = true // some servers take no datagram above 512 octets
	return m
}
