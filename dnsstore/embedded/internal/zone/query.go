package zone

import "github.com/miekg/dns"

// maxAliases bounds the CNAMEs followed for one query; a loop of them ends
// there.
const maxAliases = 8

// Answer is what a zone says to a query.
type Answer struct {
	Rcode         int
	Authoritative bool
	Answer        []dns.RR
	Authority     []dns.RR
	Additional    []dns.RR
}

// Query answers a query (RFC 1034 section 4.3.2, but for wildcards) with as
// few records as are needed, and REFUSED if the name is not in the zone or the
// question is for a transfer. Owner names are spelled as in the question. A
// negative answer has the SOA (RFC 2308 section 3). ANY gets one RRset only
// (RFC 8482 section 4.1).
func (z *Zone) Query(name string, rrtype uint16) Answer {
	if !z.Contains(name) || isMeta(rrtype) && rrtype != dns.TypeANY {
		return Answer{Rcode: dns.RcodeRefused}
	}
	a := Answer{Authoritative: true}
	for range maxAliases {
		lower := dns.CanonicalName(name)
		if cut, ok := z.cut(lower, rrtype); ok {
			if len(a.Answer) == 0 {
				return z.referral(cut)
			}
			return a
		}
		n := z.nodes[lower]
		if n == nil {
			a.Rcode = dns.RcodeNameError
			return z.negative(a)
		}
		set, alias := n.match(rrtype)
		if set == nil {
			return z.negative(a)
		}
		a.Answer = append(a.Answer, set.answer(name)...)
		if !alias {
			return a
		}
		name = target(set)
		if !z.Contains(name) {
			return a
		}
	}
	return a
}

// match returns the RRset to answer with, and whether it is an alias to be
// followed.
func (n *node) match(rrtype uint16) (set *Set, alias bool) {
	if set := n.sets[rrtype]; set != nil {
		return set, false
	}
	if rrtype != dns.TypeANY {
		set := n.sets[dns.TypeCNAME]
		return set, set != nil
	}
	lowest := ^uint16(0)
	for t, s := range n.sets {
		if t < lowest {
			lowest, set = t, s
		}
	}
	return set, false
}

func target(set *Set) string {
	if cname, ok := set.records[0].rr.(*dns.CNAME); ok {
		return cname.Target
	}
	return "."
}

// negative adds the SOA, with the time to live of the absence.
func (z *Zone) negative(a Answer) Answer {
	set, soa := z.get(Key{Name: z.apex, Type: dns.TypeSOA}), z.soa()
	if soa == nil {
		return a
	}
	a.Authority = set.answer(z.apex)
	a.Authority[0].Header().Ttl = min(set.ttl, soa.Minttl)
	return a
}

// cut returns the name from which on the zone is delegated away, if the
// question is for the other side: the topmost with NS records below the apex.
// DS is asked of this side (RFC 4035 section 3.1.4.1).
func (z *Zone) cut(name string, rrtype uint16) (cut string, ok bool) {
	if rrtype == dns.TypeDS && name != z.apex {
		name = parent(name)
	}
	for name != z.apex {
		if z.get(Key{Name: name, Type: dns.TypeNS}) != nil {
			cut, ok = name, true
		}
		name = parent(name)
	}
	return cut, ok
}

// referral names the servers of a delegated zone and the addresses of those
// that this zone knows.
func (z *Zone) referral(cut string) Answer {
	a := Answer{Authority: z.get(Key{Name: cut, Type: dns.TypeNS}).answer(cut)}
	for _, rr := range a.Authority {
		ns, ok := rr.(*dns.NS)
		if !ok {
			continue
		}
		for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
			if glue := z.get(Key{Name: dns.CanonicalName(ns.Ns), Type: t}); glue != nil {
				a.Additional = append(a.Additional, glue.answer(ns.Ns)...)
			}
		}
	}
	return a
}
