package embedded_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// signature says how a request is signed, where that is not as it should be.
type signature struct {
	key, algorithm, secret string
	off                    time.Duration // the client's clock
	fudge                  uint16
	cut                    int // octets left of the MAC; 0: all
	edit                   func(packet []byte)
}

func (g signature) sign(t *testing.T, m *dns.Msg, now time.Time) (packet []byte, mac string) {
	t.Helper()
	m = m.Copy()
	m.Compress = true
	m.SetTsig(orElse(g.key, keyName), orElse(g.algorithm, dns.HmacSHA256), g.fudge, now.Add(g.off).Unix())
	if g.fudge == 0 {
		m.IsTsig().Fudge = 300
	}
	packet, mac, err := dns.TsigGenerateWithProvider(m, cutting{secret: orElse(g.secret, secret), n: g.cut}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if g.edit != nil {
		g.edit(packet)
	}
	return packet, mac
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// cutting signs with any algorithm's name, and may cut the MAC.
type cutting struct {
	secret string
	n      int
}

func (c cutting) Generate(octets []byte, _ *dns.TSIG) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(c.secret)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(octets)
	mac := h.Sum(nil)
	switch {
	case c.n == 0:
		return mac, nil
	case c.n > len(mac):
		return append(mac, make([]byte, c.n-len(mac))...), nil
	}
	return mac[:c.n], nil
}

func (cutting) Verify([]byte, *dns.TSIG) error { return errors.ErrUnsupported }

// TestTSIG: each way in which a signature can be wrong, for an update and for
// a query. Nothing is ever changed by it.
func TestTSIG(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	c := testConfig()
	c.Now = func() time.Time { return now }
	s := start(t, c)
	otherSecret := base64.StdEncoding.EncodeToString(make([]byte, 32))
	tests := []struct {
		name   string
		with   signature
		rcode  int
		err    uint16
		signed bool
	}{
		{"good", signature{}, dns.RcodeSuccess, 0, true},
		{"key name in capitals", signature{key: "AG-Key."}, dns.RcodeSuccess, 0, true},
		{"algorithm in capitals", signature{algorithm: "HMAC-SHA256."}, dns.RcodeSuccess, 0, true},
		{"299 s behind", signature{off: -299 * time.Second}, dns.RcodeSuccess, 0, true},
		{"300 s ahead", signature{off: 300 * time.Second}, dns.RcodeSuccess, 0, true},
		{"301 s behind", signature{off: -301 * time.Second}, dns.RcodeNotAuth, dns.RcodeBadTime, true},
		{"301 s ahead", signature{off: 301 * time.Second}, dns.RcodeNotAuth, dns.RcodeBadTime, true},
		{"short fudge", signature{off: -11 * time.Second, fudge: 10}, dns.RcodeNotAuth, dns.RcodeBadTime, true},
		{"unknown key", signature{key: "other."}, dns.RcodeNotAuth, dns.RcodeBadKey, false},
		{"other algorithm", signature{algorithm: dns.HmacSHA512}, dns.RcodeNotAuth, dns.RcodeBadKey, false},
		{"unknown algorithm", signature{algorithm: "none."}, dns.RcodeNotAuth, dns.RcodeBadKey, false},
		{"wrong secret", signature{secret: otherSecret}, dns.RcodeNotAuth, dns.RcodeBadSig, false},
		{"wrong secret, wrong time", signature{secret: otherSecret, off: time.Hour}, dns.RcodeNotAuth, dns.RcodeBadSig, false},
		{"changed on the way", signature{edit: func(p []byte) { p[13] ^= 0x20 }}, dns.RcodeNotAuth, dns.RcodeBadSig, false},
		{"signature cut", signature{cut: 31}, dns.RcodeNotAuth, dns.RcodeBadTrunc, true},
		{"signature cut to half", signature{cut: 16}, dns.RcodeNotAuth, dns.RcodeBadTrunc, true},
		{"signature cut, wrong secret", signature{cut: 16, secret: otherSecret}, dns.RcodeNotAuth, dns.RcodeBadSig, false},
	}
	requests := map[string]*dns.Msg{
		"update": update(t, "prereq example.test. 0 ANY SOA"),
		"query":  new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA),
	}
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for _, tt := range tests {
				for kind, m := range requests {
					packet, mac := tt.with.sign(t, m, now)
					answer := cl.raw(packet)
					resp := unpack(t, answer)
					if resp.Rcode != tt.rcode {
						t.Errorf("%s, %s: rcode %d, want %d", tt.name, kind, resp.Rcode, tt.rcode)
					}
					checkTSIG(t, tt.name+", "+kind, resp.IsTsig(), tt.with, tt.err, tt.signed, now)
					if err := verify(answer, mac); tt.signed && err != nil && !errors.Is(err, dns.ErrTime) {
						t.Errorf("%s, %s: signature of the answer: %v", tt.name, kind, err)
					}
				}
			}
		})
	}
}

func checkTSIG(t *testing.T, name string, got *dns.TSIG, with signature, tsigErr uint16, signed bool, now time.Time) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: no TSIG", name)
		return
	}
	type facts struct {
		Key, Algorithm string
		Error          uint16
		Signed         bool
		Time           uint64
		Other          string
	}
	want := facts{Key: orElse(with.key, keyName), Algorithm: orElse(with.algorithm, dns.HmacSHA256), Error: tsigErr, Signed: signed}
	if signed {
		want.Time = uint64(now.Unix())
	}
	if tsigErr == dns.RcodeBadTime {
		want.Time = uint64(now.Add(with.off).Unix())
		want.Other = fmt.Sprintf("%012x", now.Unix())
	}
	have := facts{got.Hdr.Name, got.Algorithm, got.Error, got.MACSize > 0, got.TimeSigned, got.OtherData}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("%s: mismatch (-want +got):\n%s", name, diff)
	}
	if signed && got.Fudge != 300 {
		t.Errorf("%s: fudge %d, want 300", name, got.Fudge)
	}
}

// TestTSIG_Malformed: signatures that have no meaning (RFC 8945 section 5.2)
// are format errors, and the answer is not signed.
func TestTSIG_Malformed(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	now := time.Now()
	// A query, since the library cannot pack again what it unpacks of an update.
	m := new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA)
	good, _ := signature{}.sign(t, m, now)
	tsig := unpack(t, good).IsTsig()
	repacked := func(change func(*dns.Msg, *dns.TSIG)) []byte {
		u := unpack(t, good)
		c := *tsig
		u.Extra = nil
		change(u, &c)
		u.Compress = true
		packet, err := u.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return packet
	}
	add := func(u *dns.Msg, rrs ...dns.RR) { u.Extra = append(u.Extra, rrs...) }
	tooShort, _ := signature{cut: 15}.sign(t, m, now)
	tooLong, _ := signature{cut: 33}.sign(t, m, now)
	badRcode, _ := signature{edit: func(p []byte) { p[3] |= dns.RcodeNotAuth }}.sign(t, m, now)
	tests := map[string][]byte{
		"two":           repacked(func(u *dns.Msg, r *dns.TSIG) { add(u, r, r) }),
		"not last":      repacked(func(u *dns.Msg, r *dns.TSIG) { add(u, r, new(dns.Msg).SetEdns0(1232, false).Extra[0]) }),
		"as a prereq":   repacked(func(u *dns.Msg, r *dns.TSIG) { u.Answer = append(u.Answer, r) }),
		"as an update":  repacked(func(u *dns.Msg, r *dns.TSIG) { u.Ns = append(u.Ns, r); add(u, r) }),
		"class":         repacked(func(u *dns.Msg, r *dns.TSIG) { r.Hdr.Class = dns.ClassINET; add(u, r) }),
		"time to live":  repacked(func(u *dns.Msg, r *dns.TSIG) { r.Hdr.Ttl = 1; add(u, r) }),
		"no time":       repacked(func(u *dns.Msg, r *dns.TSIG) { r.TimeSigned = 0; add(u, r) }),
		"no fudge":      repacked(func(u *dns.Msg, r *dns.TSIG) { r.Fudge = 0; add(u, r) }),
		"no signature":  repacked(func(u *dns.Msg, r *dns.TSIG) { r.MAC, r.MACSize = "", 0; add(u, r) }),
		"too short":     tooShort,
		"too long":      tooLong,
		"response code": badRcode,
	}
	cl := dial(t, "udp", s.addr)
	same := repacked(func(u *dns.Msg, r *dns.TSIG) { add(u, r) })
	if resp := unpack(t, cl.raw(same)); resp.Rcode != dns.RcodeSuccess || resp.IsTsig() == nil {
		t.Fatalf("nothing wrong: %v", resp)
	}
	for name, packet := range tests {
		resp := unpack(t, cl.raw(packet))
		if resp.Rcode != dns.RcodeFormatError || len(resp.Extra) != 0 {
			t.Errorf("%s: rcode %d, additional %v; want FORMERR without", name, resp.Rcode, resp.Extra)
		}
	}
}

// TestTSIG_Algorithms: each of them signs and verifies, bound to its key.
func TestTSIG_Algorithms(t *testing.T) {
	t.Parallel()
	algorithms := []string{"hmac-sha1", "hmac-sha224", "HMAC-SHA256", "hmac-sha384.", "hmac-sha512"}
	c := embedded.Config{Zone: zoneName}
	for i, a := range algorithms {
		c.Keys = append(c.Keys, embedded.Key{Name: fmt.Sprintf("k%d", i), Algorithm: a, Secret: dnsstore.NewSecret(secret)})
	}
	s := start(t, c)
	cl := dial(t, "udp", s.addr)
	for i := range algorithms {
		for j, a := range algorithms {
			m := update(t, "prereq example.test. 0 ANY SOA")
			m.SetTsig(fmt.Sprintf("k%d.", i), dns.Fqdn(strings.ToLower(a)), 300, time.Now().Unix())
			packet, mac, err := dns.TsigGenerate(m, secret, "", false)
			if err != nil {
				t.Fatal(err)
			}
			answer := cl.raw(packet)
			want := dns.RcodeSuccess
			if i != j {
				want = dns.RcodeNotAuth
			}
			if got := unpack(t, answer).Rcode; got != want {
				t.Errorf("key for %s, signed by %s: rcode %d, want %d", algorithms[i], a, got, want)
			}
			if err := dns.TsigVerify(answer, secret, mac, false); i == j && err != nil {
				t.Errorf("%s: answer: %v", a, err)
			}
		}
	}
}

// TestTSIG_SeveralOnOneConnection: each answer is signed over its own request.
func TestTSIG_SeveralOnOneConnection(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			cl := dial(t, network, s.addr)
			for i := range 5 {
				if _, err := cl.exchange(new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA)); err != nil {
					t.Errorf("query %d: %v", i, err)
				}
			}
		})
	}
}
