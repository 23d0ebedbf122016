package rfc2136

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// tsigKey is a shared key. It keeps the secret wrapped up, so that no print of
// a Store shows it.
type tsigKey struct {
	name      string // lower case and with the final dot: some servers compare octets
	algorithm string // likewise
	secret    dnsstore.Secret
}

// newKey checks the three fields and reports all mistakes at once.
func newKey(name, algorithm string, secret dnsstore.Secret) (tsigKey, error) {
	if algorithm == "" {
		algorithm = DefaultAlgorithm
	}
	k := tsigKey{name: absolute(name), algorithm: absolute(algorithm), secret: secret}
	var errs []error
	if err := checkName(name); err != nil {
		errs = append(errs, &FieldError{Field: "TSIGName", Problem: err.Error()})
	}
	if k.hash() == nil {
		errs = append(errs, &FieldError{
			Field:   "TSIGAlgorithm",
			Problem: fmt.Sprintf("%q is none of hmac-sha256, hmac-sha384, hmac-sha512", algorithm),
		})
	}
	if octets, err := k.octets(); err != nil {
		errs = append(errs, &FieldError{Field: "TSIGSecret", Problem: "not base64"})
	} else if len(octets) == 0 {
		errs = append(errs, &FieldError{Field: "TSIGSecret", Problem: "empty"})
	}
	return k, errors.Join(errs...)
}

func (k tsigKey) octets() ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimSpace(k.secret.Reveal()))
}

// hash returns the hash function of the algorithm, nil if there is none.
func (k tsigKey) hash() func() hash.Hash {
	switch k.algorithm {
	case dns.HmacSHA256:
		return sha256.New
	case dns.HmacSHA384:
		return sha512.New384
	case dns.HmacSHA512:
		return sha512.New
	}
	return nil
}

// sign returns the octets of a message with its signature, and the signature.
// The message itself is not changed: TsigGenerate strips the TSIG record from
// what it is given, so that a second use would go out unsigned.
func (k tsigKey) sign(m *dns.Msg, at time.Time, fudge time.Duration) (wire, mac []byte, err error) {
	seconds := max(at.Unix(), 1) // TsigGenerate takes 0 for "now"
	signed := m.Copy().SetTsig(k.name, k.algorithm, uint16(fudge/time.Second), seconds)
	wire, text, err := dns.TsigGenerate(signed, strings.TrimSpace(k.secret.Reveal()), "", false)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	mac, err = hex.DecodeString(text)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	return wire, mac, nil
}

// verifies tells whether t is our signature of an answer (RFC 8945 section
// 5.3) to the request with that MAC. unsigned is the answer up to t.
//
// It stands here because dns.TsigVerify looks at no answer with RCODE NOTAUTH,
// takes a TSIG record anywhere in the message, and has its own clock. The time
// in the signature is not compared with ours: the MAC is over our request's,
// so the answer cannot be an old one, and a true answer that took long is
// true.
func (k tsigKey) verifies(t *dns.TSIG, unsigned, requestMAC []byte) bool {
	if absolute(t.Hdr.Name) != k.name || absolute(t.Algorithm) != k.algorithm {
		return false
	}
	got, err := hex.DecodeString(t.MAC)
	if err != nil || len(got) == 0 {
		return false
	}
	want, err := k.answerMAC(t, unsigned, requestMAC)
	return err == nil && hmac.Equal(got, want)
}

// answerMAC computes what the signature of an answer has to be (RFC 8945
// section 4.3).
func (k tsigKey) answerMAC(t *dns.TSIG, unsigned, requestMAC []byte) ([]byte, error) {
	secret, err := k.octets()
	if err != nil {
		return nil, errors.New("secret is not base64")
	}
	variables, err := tsigVariables(t)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(k.hash(), secret)
	mac.Write(binary.BigEndian.AppendUint16(nil, uint16(len(requestMAC))))
	mac.Write(requestMAC)
	mac.Write(unsigned)
	mac.Write(variables)
	return mac.Sum(nil), nil
}

// tsigVariables are the fields of a TSIG record that are signed (RFC 8945
// section 4.3.3), names in canonical form.
func tsigVariables(t *dns.TSIG) ([]byte, error) {
	buf := make([]byte, 512) // two names of at most 255 octets
	at := 0
	var err error
	if at, err = dns.PackDomainName(absolute(t.Hdr.Name), buf, at, nil, false); err != nil {
		return nil, err
	}
	out := append([]byte(nil), buf[:at]...)
	out = binary.BigEndian.AppendUint16(out, dns.ClassANY)
	out = binary.BigEndian.AppendUint32(out, 0) // TTL
	if at, err = dns.PackDomainName(absolute(t.Algorithm), buf, 0, nil, false); err != nil {
		return nil, err
	}
	out = append(out, buf[:at]...)
	out = binary.BigEndian.AppendUint16(out, uint16(t.TimeSigned>>32))
	out = binary.BigEndian.AppendUint32(out, uint32(t.TimeSigned))
	out = binary.BigEndian.AppendUint16(out, t.Fudge)
	out = binary.BigEndian.AppendUint16(out, t.Error)
	other, err := hex.DecodeString(t.OtherData)
	if err != nil {
		return nil, err
	}
	out = binary.BigEndian.AppendUint16(out, uint16(len(other)))
	return append(out, other...), nil
}
