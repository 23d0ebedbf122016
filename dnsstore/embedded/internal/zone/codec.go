package zone

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// ErrEncoding is what Decode returns for octets that Encode did not write for
// a zone of this name.
var ErrEncoding = errors.New("zone: changes cannot be decoded")

// Encode returns the changes as octets: records in wire form, as in the update
// section of a message. Each RRset starts with one that deletes it (class
// ANY), followed by what it has then (class IN). So the encodings of two lists
// one after the other are the encoding of both.
func Encode(changes []Change) ([]byte, error) {
	var out []byte
	for _, c := range changes {
		records := []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: c.Name, Rrtype: c.Type, Class: dns.ClassANY}}}
		if c.Set != nil {
			records = append(records, c.Set.answer(c.Name)...)
		}
		for _, rr := range records {
			wire, err := pack(rr)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", c.Name, err)
			}
			out = append(out, wire...)
		}
	}
	return out, nil
}

// Decode returns the changes that Encode wrote. Any octets may be given; its
// errors wrap ErrEncoding.
func (z *Zone) Decode(octets []byte) ([]Change, error) {
	var changes []Change
	for off := 0; off < len(octets); {
		rr, next, err := dns.UnpackRR(octets, off)
		if err != nil {
			return nil, fmt.Errorf("%w: octet %d: %w", ErrEncoding, off, err)
		}
		if next <= off {
			return nil, fmt.Errorf("%w: octet %d: no record", ErrEncoding, off)
		}
		if changes, err = z.decodeOne(changes, rr); err != nil {
			return nil, fmt.Errorf("%w: octet %d: %w", ErrEncoding, off, err)
		}
		off = next
	}
	return changes, nil
}

func (z *Zone) decodeOne(changes []Change, rr dns.RR) ([]Change, error) {
	k, h := keyOf(rr), rr.Header()
	if !z.Contains(k.Name) || !Keeps(k.Type) {
		return nil, errOutside
	}
	last := len(changes) - 1
	switch {
	case h.Class == dns.ClassANY && h.Rdlength == 0:
		return append(changes, Change{Key: k}), nil
	case h.Class != dns.ClassINET || last < 0 || changes[last].Key != k:
		return nil, errClass
	}
	r, err := newRecord(rr)
	if err != nil {
		return nil, err
	}
	if changes[last].Set == nil {
		changes[last].Set = &Set{ttl: normalTTL(h.Ttl)}
	}
	if changes[last].Set.index(r.rdata) >= 0 {
		return nil, errDuplicate
	}
	changes[last].Set.records = append(changes[last].Set.records, r)
	return changes, nil
}
