package zone

import "github.com/miekg/dns"

// wanted are the RRsets that value prerequisites ask for (RFC 2136
// section 2.4.2): the data of each, as a set.
type wanted map[Key]map[string]struct{}

// Check evaluates the prerequisite section of an UPDATE (RFC 2136 section 3.2)
// and returns a response code: NOERROR if all hold.
func (z *Zone) Check(prerequisites []dns.RR) int {
	want := wanted{}
	for _, rr := range prerequisites {
		if rcode := z.checkOne(rr, want); rcode != dns.RcodeSuccess {
			return rcode
		}
	}
	// Only now is it known which records belong to one RRset.
	for k, rdata := range want {
		if !z.get(k).matches(rdata) {
			return dns.RcodeNXRrset
		}
	}
	return dns.RcodeSuccess
}

func (z *Zone) checkOne(rr dns.RR, want wanted) int {
	h := rr.Header()
	switch {
	case h.Ttl != 0:
		return dns.RcodeFormatError
	case !z.Contains(h.Name):
		return dns.RcodeNotZone
	}
	switch h.Class {
	case dns.ClassANY:
		return z.checkPresent(rr)
	case dns.ClassNONE:
		return z.checkAbsent(rr)
	case dns.ClassINET:
		return want.add(rr)
	}
	return dns.RcodeFormatError
}

// checkPresent: the RRset exists (section 2.4.1), or the name is in use
// (section 2.4.4).
func (z *Zone) checkPresent(rr dns.RR) int {
	k := keyOf(rr)
	switch {
	case rr.Header().Rdlength != 0:
		return dns.RcodeFormatError
	case k.Type == dns.TypeANY:
		if len(z.Types(k.Name)) == 0 {
			return dns.RcodeNameError
		}
	case isMeta(k.Type):
		return dns.RcodeFormatError
	case z.get(k) == nil:
		return dns.RcodeNXRrset
	}
	return dns.RcodeSuccess
}

// checkAbsent: the RRset does not exist (section 2.4.3), or the name is not in
// use (section 2.4.5).
func (z *Zone) checkAbsent(rr dns.RR) int {
	k := keyOf(rr)
	switch {
	case rr.Header().Rdlength != 0:
		return dns.RcodeFormatError
	case k.Type == dns.TypeANY:
		if len(z.Types(k.Name)) > 0 {
			return dns.RcodeYXDomain
		}
	case isMeta(k.Type):
		return dns.RcodeFormatError
	case z.get(k) != nil:
		return dns.RcodeYXRrset
	}
	return dns.RcodeSuccess
}

// add notes one record of an RRset that must exist with exactly this data
// (section 2.4.2). A record that is listed twice counts once: it is a set.
func (w wanted) add(rr dns.RR) int {
	k := keyOf(rr)
	if isMeta(k.Type) || rr.Header().Rdlength == 0 {
		return dns.RcodeFormatError
	}
	rdata, err := rdataOf(rr)
	if err != nil {
		return dns.RcodeFormatError
	}
	if w[k] == nil {
		w[k] = map[string]struct{}{}
	}
	w[k][rdata] = struct{}{}
	return dns.RcodeSuccess
}
