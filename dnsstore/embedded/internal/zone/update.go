package zone

import (
	"slices"

	"github.com/miekg/dns"
)

// Prescan checks the update section of an UPDATE before any of it is applied
// (RFC 2136 section 3.4.1) and returns a response code. Types that are not
// kept are REFUSED here, so that nothing is ever applied in part.
func (z *Zone) Prescan(updates []dns.RR) int {
	for _, rr := range updates {
		if rcode := z.prescanOne(rr); rcode != dns.RcodeSuccess {
			return rcode
		}
	}
	return dns.RcodeSuccess
}

func (z *Zone) prescanOne(rr dns.RR) int {
	h := rr.Header()
	if !z.Contains(h.Name) {
		return dns.RcodeNotZone
	}
	var wrong bool
	switch h.Class {
	case dns.ClassINET:
		wrong = isMeta(h.Rrtype) || h.Rdlength == 0
	case dns.ClassANY:
		wrong = h.Ttl != 0 || h.Rdlength != 0 || isMeta(h.Rrtype) && h.Rrtype != dns.TypeANY
	case dns.ClassNONE:
		wrong = h.Ttl != 0 || h.Rdlength == 0 || isMeta(h.Rrtype)
	default:
		wrong = true
	}
	switch {
	case wrong:
		return dns.RcodeFormatError
	case h.Class == dns.ClassINET && !Keeps(h.Rrtype):
		return dns.RcodeRefused
	}
	return dns.RcodeSuccess
}

// Update returns what an update section, for which [Zone.Prescan] returned
// NOERROR, changes in the zone (RFC 2136 section 3.4.2): its records are taken
// in order, and at the end the serial number goes up if anything did change
// (section 3.6). It returns nothing if all is as before.
func (z *Zone) Update(updates []dns.RR) ([]Change, error) {
	d := newDraft(z)
	for _, rr := range updates {
		var err error
		switch rr.Header().Class {
		case dns.ClassINET:
			err = d.insert(rr)
		case dns.ClassANY:
			d.deleteSets(rr)
		case dns.ClassNONE:
			err = d.deleteRecord(rr)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(d.changes()) == 0 {
		return nil, nil
	}
	if err := d.bump(); err != nil {
		return nil, err
	}
	return d.changes(), nil
}

// insert adds a record (section 3.4.2.2). What would put a CNAME beside other
// data, or take the serial number back, is silently passed over.
func (d *draft) insert(rr dns.RR) error {
	k := keyOf(rr)
	if d.clashes(k) || k.Type == dns.TypeSOA && !d.newer(rr) {
		return nil
	}
	r, err := newRecord(rr)
	if err != nil {
		return err
	}
	d.add(k, r)
	return nil
}

// newer tells whether a SOA record is for the apex and has a serial number
// above the present one (RFC 1982 section 3.2).
func (d *draft) newer(rr dns.RR) bool {
	soa, ok := rr.(*dns.SOA)
	old := d.get(keyOf(rr))
	if !ok || old == nil {
		return false
	}
	present, ok := old.records[0].rr.(*dns.SOA)
	return ok && serialAfter(soa.Serial, present.Serial)
}

// serialAfter compares by serial number arithmetic. For two numbers that are
// exactly half of the space apart the RFC leaves it open; here neither is
// after the other.
func serialAfter(a, b uint32) bool {
	const half = 1 << 31
	return a != b && a-b < half
}

// deleteSets deletes an RRset, or all of a name (section 3.4.2.3). The apex
// keeps its SOA and NS.
func (d *draft) deleteSets(rr dns.RR) {
	k := keyOf(rr)
	types := []uint16{k.Type}
	if k.Type == dns.TypeANY {
		types = d.types(k.Name)
	}
	for _, t := range types {
		if k.Name == d.base.apex && (t == dns.TypeSOA || t == dns.TypeNS) {
			continue
		}
		d.remove(Key{Name: k.Name, Type: t})
	}
}

// deleteRecord deletes one record (section 3.4.2.4), but neither the SOA nor
// the last NS of the apex.
func (d *draft) deleteRecord(rr dns.RR) error {
	k := keyOf(rr)
	rdata, err := rdataOf(rr)
	if err != nil {
		return err
	}
	if k.Type == dns.TypeSOA {
		return nil
	}
	if k.Name == d.base.apex && k.Type == dns.TypeNS {
		if s := d.get(k); s == nil || len(s.records) == 1 {
			return nil
		}
	}
	d.removeRecord(k, rdata)
	return nil
}

// bump raises the serial number by one, unless the update has raised it. 0 is
// left out, since some servers take it for "unknown".
func (d *draft) bump() error {
	k := Key{Name: d.base.apex, Type: dns.TypeSOA}
	set := d.get(k)
	if set == nil || !set.equal(d.base.get(k)) {
		return nil
	}
	rr := dns.Copy(set.records[0].rr)
	soa, ok := rr.(*dns.SOA)
	if !ok {
		return nil
	}
	soa.Serial = max(soa.Serial+1, 1)
	soa.Hdr.Ttl = set.ttl
	r, err := newRecord(soa)
	if err != nil {
		return err
	}
	d.sets[k] = &Set{ttl: set.ttl, records: slices.Clone([]record{r})}
	return nil
}
