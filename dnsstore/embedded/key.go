package embedded

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

var (
	errAlgorithm = errors.New("not one of hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512")
	errBase64    = errors.New("not base64") // the cause would show a part of it
	errTwice     = errors.New("given twice")
)

// key is a TSIG key ready for use. It is never changed.
type key struct {
	name      string // canonical
	algorithm string // canonical
	hash      func() hash.Hash
	secret    dnsstore.Secret // the octets, wrapped up: no print of a Server shows them
	policy    policy
}

// mac signs octets.
func (k *key) mac(octets []byte) []byte {
	h := hmac.New(k.hash, []byte(k.secret.Reveal()))
	h.Write(octets)
	return h.Sum(nil)
}

func (c Config) keys(apex string, wrong *mistakes) map[string]*key {
	keys := make(map[string]*key, len(c.Keys))
	for i, k := range c.Keys {
		field := fmt.Sprintf("Keys[%d]", i)
		parsed := k.parse(apex, field, wrong)
		if _, twice := keys[parsed.name]; twice {
			wrong.add(field+".Name", errTwice)
		}
		keys[parsed.name] = parsed
	}
	return keys
}

func (k Key) parse(apex, field string, wrong *mistakes) *key {
	out := &key{}
	var err error
	if out.name, err = canonical(k.Name); err != nil {
		wrong.add(field+".Name", err)
	}
	out.algorithm = dns.HmacSHA256
	if k.Algorithm != "" {
		out.algorithm = dns.CanonicalName(k.Algorithm)
	}
	if out.hash = hashOf(out.algorithm); out.hash == nil {
		wrong.add(field+".Algorithm", errAlgorithm)
	}
	octets, err := base64.StdEncoding.DecodeString(strings.TrimSpace(k.Secret.Reveal()))
	switch {
	case err != nil:
		wrong.add(field+".Secret", errBase64)
	case len(octets) == 0:
		wrong.add(field+".Secret", errEmpty)
	}
	out.secret = dnsstore.NewSecret(string(octets))
	for i, g := range k.Allow {
		out.policy = append(out.policy, g.parse(apex, fmt.Sprintf("%s.Allow[%d]", field, i), wrong))
	}
	return out
}

func hashOf(algorithm string) func() hash.Hash {
	switch algorithm {
	case dns.HmacSHA1:
		return sha1.New
	case dns.HmacSHA224:
		return sha256.New224
	case dns.HmacSHA256:
		return sha256.New
	case dns.HmacSHA384:
		return sha512.New384
	case dns.HmacSHA512:
		return sha512.New
	}
	return nil
}
