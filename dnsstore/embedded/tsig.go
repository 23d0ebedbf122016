package embedded

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// fudge is how many seconds the clock of a client may be off when it checks
// our signature (RFC 8945 section 10).
const fudge = 300

// minMAC is the least length of a signature that was cut (RFC 8945
// section 5.2.2.1).
const minMAC = 10

// auth is what the signature of a request says about it.
type auth struct {
	tsig *dns.TSIG // of the request; nil: there was none
	key  *key      // nil: unknown or not signed
	err  uint16    // a TSIG error; 0: the signature is good
}

// signed tells whether the request is by the holder of the key.
func (a auth) signed() bool { return a.tsig != nil && a.key != nil && a.err == 0 }

// authenticate checks the signature of a request (RFC 8945 section 5.2). It is
// not ok if the signature has no meaning at all, which is a format error.
func (s *Server) authenticate(req *dns.Msg, packet []byte) (a auth, ok bool) {
	if a.tsig = req.IsTsig(); a.tsig == nil {
		return a, countTSIG(req) == 0
	}
	h := a.tsig.Hdr
	// Time and fudge 0 are read as "not set" by the library; nobody signs so.
	if countTSIG(req) != 1 || h.Class != dns.ClassANY || h.Ttl != 0 || a.tsig.TimeSigned == 0 || a.tsig.Fudge == 0 {
		return auth{}, false
	}
	k := s.keys[dns.CanonicalName(h.Name)]
	if k == nil || k.algorithm != dns.CanonicalName(a.tsig.Algorithm) {
		a.err = dns.RcodeBadKey
		return a, true
	}
	a.key = k
	v := &verifier{key: k}
	// Its own verdict is by the system's clock, and of no interest. It changes
	// the octets, so it gets a copy.
	_ = dns.TsigVerifyWithProvider(append([]byte(nil), packet...), v, "", false)
	if v.malformed() {
		return auth{}, false
	}
	a.err = v.err(a.tsig, s.now())
	return a, true
}

func countTSIG(m *dns.Msg) int {
	n := 0
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if rr.Header().Rrtype == dns.TypeTSIG {
				n++
			}
		}
	}
	return n
}

// verifier takes the octets to be signed from the library.
type verifier struct {
	key       *key
	want, got []byte
}

// Generate is never used.
func (v *verifier) Generate([]byte, *dns.TSIG) ([]byte, error) { return nil, dns.ErrSecret }

// Verify notes both signatures.
func (v *verifier) Verify(octets []byte, t *dns.TSIG) (err error) {
	v.want = v.key.mac(octets)
	v.got, err = hex.DecodeString(t.MAC)
	return err
}

// malformed: the library found nothing to verify, or the signature has a
// length that none can have.
func (v *verifier) malformed() bool {
	return v.want == nil || len(v.got) > len(v.want) || len(v.got) < max(minMAC, len(v.want)/2)
}

// err returns the TSIG error, in the order of RFC 8945 section 5.2: signature,
// time, length. Signatures that were cut are recognised, but not accepted.
func (v *verifier) err(t *dns.TSIG, now time.Time) uint16 {
	signed, present := int64(t.TimeSigned), now.Unix()
	switch {
	case !hmac.Equal(v.got, v.want[:len(v.got)]):
		return dns.RcodeBadSig
	case max(signed-present, present-signed) > int64(t.Fudge):
		return dns.RcodeBadTime
	case len(v.got) < len(v.want):
		return dns.RcodeBadTrunc
	}
	return 0
}

// pack returns the answer in wire form, signed if the request was. The
// signature covers that of the request (RFC 8945 section 5.3).
func (s *Server) pack(resp *dns.Msg, a auth) ([]byte, error) {
	if a.tsig == nil {
		return resp.Pack()
	}
	t := &dns.TSIG{
		// Spelled as the client spells it.
		Hdr:       dns.RR_Header{Name: a.tsig.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: a.tsig.Algorithm, TimeSigned: uint64(s.now().Unix()), Fudge: fudge,
		OrigId: resp.Id, Error: a.err,
	}
	if a.err == dns.RcodeBadTime {
		// The client's own time, so that it can verify this, and ours beside
		// it, so that it can mend its clock (section 5.2.3).
		t.OtherData = fmt.Sprintf("%012x", t.TimeSigned)
		t.OtherLen = 6
		t.TimeSigned = a.tsig.TimeSigned
	}
	resp.Extra = append(resp.Extra, t)
	wire, _, err := dns.TsigGenerateWithProvider(resp, signer{a.key}, a.tsig.MAC, false)
	return wire, err
}

// signer makes signatures for the library. It has no key for BADKEY and
// BADSIG, whose answers are not signed (section 5.3.2).
type signer struct{ key *key }

// Generate signs octets.
func (s signer) Generate(octets []byte, _ *dns.TSIG) ([]byte, error) {
	if s.key == nil {
		return nil, dns.ErrSecret
	}
	return s.key.mac(octets), nil
}

// Verify is never used.
func (s signer) Verify([]byte, *dns.TSIG) error { return dns.ErrSecret }
