package zone

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// errNoRdata is a record without data where one needs some.
var errNoRdata = errors.New("zone: record without data")

// Keeps tells whether a zone holds records of this type. All others are
// refused: to compare records, one must know which of their octets are names.
func Keeps(rrtype uint16) bool {
	switch rrtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCAA, dns.TypeCNAME, dns.TypeMX,
		dns.TypeNS, dns.TypePTR, dns.TypeSOA, dns.TypeSRV, dns.TypeTXT:
		return true
	}
	return false
}

// isMeta tells the types that never name data (RFC 6895 section 3.1). ANY is
// one of them; where it is allowed the caller looks first.
func isMeta(rrtype uint16) bool {
	return rrtype == dns.TypeNone || rrtype == dns.TypeOPT || rrtype >= 128 && rrtype <= 255
}

// rdataOf returns the data of a record as octets that are equal if and only if
// the data is: names in it in lower case and not compressed, all else as it is
// (RFC 4034 section 6.2). TXT is compared octet for octet by it, whatever
// escapes its text has.
func rdataOf(rr dns.RR) (string, error) {
	c := dns.Copy(rr)
	lowerNames(c)
	// The root as owner makes the length of the header known.
	const header = 1 + 10
	*c.Header() = dns.RR_Header{Name: ".", Rrtype: rr.Header().Rrtype, Class: dns.ClassINET}
	wire, err := pack(c)
	if err != nil {
		return "", err
	}
	if len(wire) <= header {
		return "", errNoRdata
	}
	return string(wire[header:]), nil
}

func lowerNames(rr dns.RR) {
	switch r := rr.(type) {
	case *dns.CNAME:
		r.Target = dns.CanonicalName(r.Target)
	case *dns.MX:
		r.Mx = dns.CanonicalName(r.Mx)
	case *dns.NS:
		r.Ns = dns.CanonicalName(r.Ns)
	case *dns.PTR:
		r.Ptr = dns.CanonicalName(r.Ptr)
	case *dns.SOA:
		r.Ns, r.Mbox = dns.CanonicalName(r.Ns), dns.CanonicalName(r.Mbox)
	case *dns.SRV:
		r.Target = dns.CanonicalName(r.Target)
	}
}

// pack returns the wire form of a record, nothing compressed.
func pack(rr dns.RR) ([]byte, error) {
	// One more than its length: the packer of an empty TXT writes an octet
	// that it does not count.
	buf := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("pack %s record: %w", dns.TypeToString[rr.Header().Rrtype], err)
	}
	return buf[:n], nil
}
