package rfc2136

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// typeOf returns the number of a type that dnsstore.CheckKey accepts.
func typeOf(k dnsstore.Key) uint16 { return dns.StringToType[k.Type] }

// records returns the records of a normal set, of class IN.
func records(set dnsstore.RRSet, ttl time.Duration) ([]dns.RR, error) {
	rrs := make([]dns.RR, 0, len(set.Data))
	for _, text := range set.Data {
		h := header(set.Key, dns.ClassINET)
		h.Ttl = uint32(ttl / time.Second)
		rr, err := record(h, text)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", set.Name, set.Type, err)
		}
		rrs = append(rrs, rr)
	}
	return rrs, nil
}

func header(k dnsstore.Key, class uint16) dns.RR_Header {
	return dns.RR_Header{Name: absolute(k.Name), Rrtype: typeOf(k), Class: class}
}

// empty is a record without data, which is how RFC 2136 speaks of whole
// RRsets: class ANY deletes one, class NONE says that there is none.
func empty(k dnsstore.Key, class uint16) dns.RR { return &dns.ANY{Hdr: header(k, class)} }

// record builds one record from data in normal form.
func record(h dns.RR_Header, text string) (dns.RR, error) {
	switch h.Rrtype {
	case dns.TypeTXT:
		strs, err := dnsstore.ParseTXT(text)
		if err != nil {
			return nil, err
		}
		return &dns.TXT{Hdr: h, Txt: escaped(strs)}, nil
	case dns.TypeA, dns.TypeAAAA:
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		if h.Rrtype == dns.TypeA {
			return &dns.A{Hdr: h, A: net.IP(addr.AsSlice())}, nil
		}
		return &dns.AAAA{Hdr: h, AAAA: net.IP(addr.AsSlice())}, nil
	case dns.TypeCNAME:
		return &dns.CNAME{Hdr: h, Target: text}, nil
	default:
		return soa(h, text)
	}
}

// escaped puts strings into the form in which dns.TXT keeps them: that of
// presentation, without the quotes. A bare backslash would be lost there.
func escaped(strs []string) []string {
	out := make([]string, len(strs))
	for i, s := range strs {
		quoted := dnsstore.FormatTXT([]string{s})
		out[i] = quoted[1 : len(quoted)-1]
	}
	return out
}

func soa(h dns.RR_Header, text string) (dns.RR, error) {
	f := strings.Fields(text)
	if len(f) != 7 {
		return nil, fmt.Errorf("SOA of %d fields", len(f))
	}
	var n [5]uint32
	for i := range n {
		v, err := strconv.ParseUint(f[2+i], 10, 32)
		if err != nil {
			return nil, err
		}
		n[i] = uint32(v)
	}
	return &dns.SOA{Hdr: h, Ns: f[0], Mbox: f[1], Serial: n[0], Refresh: n[1], Retry: n[2], Expire: n[3], Minttl: n[4]}, nil
}

// data returns the data of a received record, in the form of `dig +short`.
func data(rr dns.RR) (string, error) {
	switch rr := rr.(type) {
	case *dns.TXT:
		if len(rr.Txt) == 0 { // not even an empty string: no server should have it
			return "", errMalformed
		}
		return `"` + strings.Join(rr.Txt, `" "`) + `"`, nil
	case *dns.A:
		return address(rr.A.To4())
	case *dns.AAAA:
		return address(rr.AAAA.To16())
	case *dns.CNAME:
		return rr.Target, nil
	case *dns.SOA:
		return fmt.Sprintf("%s %s %d %d %d %d %d", rr.Ns, rr.Mbox, rr.Serial, rr.Refresh, rr.Retry, rr.Expire, rr.Minttl), nil
	}
	return "", errMalformed
}

// address does without net.IP.String, which prints an IPv4-mapped IPv6 address
// as an IPv4 address.
func address(octets []byte) (string, error) {
	addr, ok := netip.AddrFromSlice(octets)
	if !ok {
		return "", errMalformed
	}
	return addr.String(), nil
}

// received returns the RRset that an answer has for a key: the records of that
// very name and type. What an alias leads to is not among them.
func received(k dnsstore.Key, rrs []dns.RR) (dnsstore.RRSet, error) {
	set := dnsstore.RRSet{Key: k}
	for _, rr := range rrs {
		h := rr.Header()
		if h.Rrtype != typeOf(k) || h.Class != dns.ClassINET || absolute(h.Name) != absolute(k.Name) {
			continue
		}
		text, err := data(rr)
		if err != nil {
			return dnsstore.RRSet{}, fmt.Errorf("record of %s %s: %w", k.Name, k.Type, err)
		}
		set.Data = append(set.Data, text)
		set.TTL = time.Duration(h.Ttl) * time.Second
	}
	normal, err := set.Normal()
	if err != nil {
		return dnsstore.RRSet{}, fmt.Errorf("record of %w", err)
	}
	return normal, nil
}
