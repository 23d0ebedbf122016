package rfc2136_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// FuzzAnswer: octets that were not signed over our request are no answer,
// whatever they are.
func FuzzAnswer(f *testing.F) {
	s, err := rfc2136.New(rfc2136.Config{
		Server: "127.0.0.1", Zone: "lab.test", TSIGName: "failover-key", TSIGSecret: dnsstore.NewSecret(testSecret),
		Rand: endless{}, Now: fixedTime,
	})
	if err != nil {
		f.Fatal(err)
	}
	update := new(dns.Msg).SetUpdate(zone)
	wire, accepts, err := rfc2136.Accepts(s, update)
	if err != nil {
		f.Fatal(err)
	}
	c := &call{raw: wire, msg: new(dns.Msg)}
	if err := c.msg.Unpack(wire); err != nil {
		f.Fatal(err)
	}
	c.tsig = c.msg.IsTsig()
	// The honest answers that forgeries are made from: to undo one is no forgery.
	var honest [][]byte
	for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeNXRrset} {
		right := c.sign(c.answer(rcode), signature{})
		if !accepts(bytes.Clone(right)) {
			f.Fatal("the right answer is not accepted")
		}
		for _, forged := range forgeries() {
			f.Add(forged.make(c, c.answer(rcode)))
		}
		f.Add(right[:len(right)-1])
		honest = append(honest, right)
	}
	f.Add(wire)
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		isHonest := func(answer []byte) bool { return sameButCase(raw, answer) }
		if accepts(raw) && !slices.ContainsFunc(honest, isHonest) {
			t.Errorf("accepted:\n%x", raw)
		}
		if !bytes.Equal(before, raw) {
			t.Error("the message was changed")
		}
		rfc2136.AcceptsUnsigned(0x1212, dns.Question{Name: zone, Qtype: dns.TypeSOA, Qclass: dns.ClassINET}, raw)
	})
}

// sameButCase allows what the signature does not cover: the case of the letters
// in the names of the TSIG record.
func sameButCase(a, b []byte) bool { return bytes.EqualFold(a, b) }

// FuzzWalk compares the walk over a message with that of miekg/dns, which is
// laxer: what the walk takes, that takes too, and finds the same TSIG record.
func FuzzWalk(f *testing.F) {
	for _, kind := range []uint16{dns.TypeTXT, dns.TypeTSIG, dns.TypeSOA} {
		m := new(dns.Msg).SetQuestion("a.lab.test.", kind)
		f.Add(pack(m))
		f.Add(pack(m.SetEdns0(1232, true)))
		f.Add(pack(m.SetTsig(testKey, dns.HmacSHA256, 300, 1)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 12 {
			return
		}
		at, found, err := rfc2136.FindTSIG(raw)
		if err != nil || !found {
			return
		}
		r, end, err := dns.UnpackRR(raw, at)
		if err != nil {
			return
		}
		if r.Header().Rrtype != dns.TypeTSIG || end != len(raw) {
			t.Errorf("found %v from %d to %d of %d", r, at, end, len(raw))
		}
	})
}
