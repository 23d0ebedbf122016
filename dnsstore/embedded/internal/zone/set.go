package zone

import (
	"slices"

	"github.com/miekg/dns"
)

// Key names an RRset: the owner in canonical form (lower case, final dot) and
// the type.
type Key struct {
	Name string
	Type uint16
}

// keyOf returns the key that a record belongs to.
func keyOf(rr dns.RR) Key {
	h := rr.Header()
	return Key{Name: dns.CanonicalName(h.Name), Type: h.Rrtype}
}

// Set is an RRset. It has at least one record, and no two with equal data.
type Set struct {
	ttl     uint32
	records []record
}

// record is one record, never changed, with its data in comparable form.
type record struct {
	rr    dns.RR
	rdata string
}

func newRecord(rr dns.RR) (record, error) {
	rdata, err := rdataOf(rr)
	if err != nil {
		return record{}, err
	}
	return record{rr: dns.Copy(rr), rdata: rdata}, nil
}

// maxTTL is the largest time to live; what is above counts as 0
// (RFC 2181 section 8).
const maxTTL = 1<<31 - 1

func normalTTL(ttl uint32) uint32 {
	if ttl > maxTTL {
		return 0
	}
	return ttl
}

func (s *Set) clone() *Set {
	return &Set{ttl: s.ttl, records: slices.Clone(s.records)}
}

func (s *Set) index(rdata string) int {
	return slices.IndexFunc(s.records, func(r record) bool { return r.rdata == rdata })
}

// equal compares data and time to live; nil is the RRset that does not exist.
func (s *Set) equal(o *Set) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.ttl == o.ttl && len(s.records) == len(o.records) &&
		!slices.ContainsFunc(s.records, func(r record) bool { return o.index(r.rdata) < 0 })
}

// matches compares with a set of data, times to live aside (RFC 2136
// section 1.1.1).
func (s *Set) matches(rdata map[string]struct{}) bool {
	if s == nil {
		return false
	}
	return len(s.records) == len(rdata) &&
		!slices.ContainsFunc(s.records, func(r record) bool { _, ok := rdata[r.rdata]; return !ok })
}

// answer returns copies of the records for a message, under the owner name as
// the client spells it.
func (s *Set) answer(owner string) []dns.RR {
	out := make([]dns.RR, len(s.records))
	for i, r := range s.records {
		out[i] = dns.Copy(r.rr)
		h := out[i].Header()
		h.Name, h.Class, h.Ttl = owner, dns.ClassINET, s.ttl
	}
	return out
}
