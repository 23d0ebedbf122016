package zone

import (
	"errors"
	"slices"

	"github.com/miekg/dns"
)

// Why a record cannot be part of a new zone.
var (
	errOutside   = errors.New("not in the zone")
	errClass     = errors.New("class is not IN")
	errKind      = errors.New("type is not kept by this server")
	errAlias     = errors.New("CNAME beside other data (RFC 1034 section 3.6.2)")
	errSingle    = errors.New("more than one record of a type that allows only one")
	errNotApex   = errors.New("SOA is not at the apex")
	errDuplicate = errors.New("same record twice")
)

// draft is a zone with changes that nobody sees yet.
type draft struct {
	base *Zone
	sets map[Key]*Set // what differs from base; nil: deleted
}

func newDraft(base *Zone) *draft {
	return &draft{base: base, sets: map[Key]*Set{}}
}

func (d *draft) get(k Key) *Set {
	if s, ok := d.sets[k]; ok {
		return s
	}
	return d.base.get(k)
}

// types returns the types of the RRsets at a name, as the draft has them.
func (d *draft) types(name string) []uint16 {
	present := d.base.Types(name)
	for k, set := range d.sets {
		if k.Name != name {
			continue
		}
		if i := slices.Index(present, k.Type); i >= 0 {
			present = slices.Delete(present, i, i+1)
		}
		if set != nil {
			present = append(present, k.Type)
		}
	}
	return present
}

// edit returns the set at k as one of the draft's own, which may be changed.
func (d *draft) edit(k Key) *Set {
	if s, ok := d.sets[k]; ok && s != nil {
		return s
	}
	s := &Set{}
	if old := d.get(k); old != nil {
		s = old.clone()
	}
	d.sets[k] = s
	return s
}

func (d *draft) remove(k Key) {
	if d.get(k) != nil {
		d.sets[k] = nil
	}
}

// add puts a record into its set: an equal one is replaced, and the time to
// live is that of the whole set from now on (RFC 2181 section 5.2).
func (d *draft) add(k Key, r record) {
	s := d.edit(k)
	s.ttl = normalTTL(r.rr.Header().Ttl)
	switch i := s.index(r.rdata); {
	case i >= 0:
		s.records[i] = r
	case single(k.Type):
		s.records = []record{r}
	default:
		s.records = append(s.records, r)
	}
}

// single tells the types of which a name has at most one record.
func single(rrtype uint16) bool { return rrtype == dns.TypeCNAME || rrtype == dns.TypeSOA }

// removeRecord takes one record out of its set.
func (d *draft) removeRecord(k Key, rdata string) {
	old := d.get(k)
	if old == nil {
		return
	}
	i := old.index(rdata)
	if i < 0 {
		return
	}
	if len(old.records) == 1 {
		d.remove(k)
		return
	}
	s := d.edit(k)
	s.records = slices.Delete(s.records, i, i+1)
}

// load adds a record of a new zone, where a mistake is to be told rather than
// passed over as in an update.
func (d *draft) load(rr dns.RR) error {
	k := keyOf(rr)
	switch {
	case !d.base.Contains(k.Name):
		return errOutside
	case rr.Header().Class != dns.ClassINET:
		return errClass
	case !Keeps(k.Type):
		return errKind
	case k.Type == dns.TypeSOA && k.Name != d.base.apex:
		return errNotApex
	case d.clashes(k):
		return errAlias
	}
	r, err := newRecord(rr)
	if err != nil {
		return err
	}
	if old := d.get(k); old != nil {
		if single(k.Type) {
			return errSingle
		}
		if old.index(r.rdata) >= 0 {
			return errDuplicate
		}
	}
	d.add(k, r)
	return nil
}

// clashes tells whether a CNAME would stand beside other data. The apex always
// has other data, even if it is not there yet.
func (d *draft) clashes(k Key) bool {
	if k.Type != dns.TypeCNAME {
		return d.get(Key{Name: k.Name, Type: dns.TypeCNAME}) != nil
	}
	return k.Name == d.base.apex ||
		slices.ContainsFunc(d.types(k.Name), func(t uint16) bool { return t != dns.TypeCNAME })
}

// changes returns what differs from the base, in a fixed order.
func (d *draft) changes() []Change {
	var out []Change
	for k, set := range d.sets {
		if !set.equal(d.base.get(k)) {
			out = append(out, Change{Key: k, Set: set})
		}
	}
	sortChanges(out)
	return out
}
