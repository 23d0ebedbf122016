package rfc2136

import (
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/miekg/dns"
)

const (
	headerSize = 12 // RFC 1035 section 4.1.1
	fixedRR    = 10 // RFC 1035 section 4.1.3: type, class, TTL, length
)

var errMalformed = errors.New("malformed message")

// splitTSIG returns the TSIG record of a message, nil if it has none, and the
// message as it was before that was added: the octets that are signed.
//
// It is stricter than dns.Msg.Unpack: the counts must be true, nothing may
// come after the last record, and a TSIG record anywhere but there is an error
// (RFC 8945 section 5.1).
func splitTSIG(raw []byte) (unsigned []byte, t *dns.TSIG, err error) {
	at, found, err := findTSIG(raw)
	if err != nil || !found {
		return nil, nil, err
	}
	rr, _, err := dns.UnpackRR(raw, at)
	if err != nil {
		return nil, nil, err
	}
	t, ok := rr.(*dns.TSIG)
	if !ok || t.Hdr.Class != dns.ClassANY || t.Hdr.Ttl != 0 || !trueLengths(t) {
		return nil, nil, errMalformed
	}
	unsigned = append([]byte(nil), raw[:at]...)
	binary.BigEndian.PutUint16(unsigned, t.OrigId)
	binary.BigEndian.PutUint16(unsigned[10:], binary.BigEndian.Uint16(raw[10:])-1)
	return unsigned, t, nil
}

// trueLengths tells whether the record says the sizes of what it holds (RFC
// 8945 section 4.2); dns.UnpackRR lets a record end before its other data.
func trueLengths(t *dns.TSIG) bool {
	return hex.DecodedLen(len(t.MAC)) == int(t.MACSize) && hex.DecodedLen(len(t.OtherData)) == int(t.OtherLen)
}

// findTSIG walks over a message and returns where its TSIG record begins.
func findTSIG(raw []byte) (at int, found bool, err error) {
	count := func(i int) int { return int(binary.BigEndian.Uint16(raw[i:])) }
	off := headerSize
	for range count(4) {
		if off, err = skipName(raw, off); err != nil {
			return 0, false, err
		}
		if off += 4; off > len(raw) {
			return 0, false, errMalformed
		}
	}
	additional := count(10)
	records := count(6) + count(8) + additional
	for i := range records {
		at = off
		var kind uint16
		if kind, off, err = skipRecord(raw, off); err != nil {
			return 0, false, err
		}
		if kind == dns.TypeTSIG && (i != records-1 || additional == 0) {
			return 0, false, errMalformed
		}
		found = kind == dns.TypeTSIG
	}
	if off != len(raw) {
		return 0, false, errMalformed
	}
	return at, found, nil
}

// skipRecord returns the type of the record at off, and where the next begins.
func skipRecord(raw []byte, off int) (kind uint16, next int, err error) {
	off, err = skipName(raw, off)
	if err != nil {
		return 0, 0, err
	}
	if off+fixedRR > len(raw) {
		return 0, 0, errMalformed
	}
	kind = binary.BigEndian.Uint16(raw[off:])
	next = off + fixedRR + int(binary.BigEndian.Uint16(raw[off+8:]))
	if next > len(raw) {
		return 0, 0, errMalformed
	}
	return kind, next, nil
}

// skipName returns where the name at off ends. It follows no pointer.
func skipName(raw []byte, off int) (int, error) {
	for off < len(raw) {
		switch n := int(raw[off]); {
		case n == 0:
			return off + 1, nil
		case n >= 0xC0: // RFC 1035 section 4.1.4: a pointer ends a name
			return off + 2, nil
		case n >= 0x40:
			return 0, errMalformed
		default:
			off += 1 + n
		}
	}
	return 0, errMalformed
}
