package rfc2136_test

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

func BenchmarkApply(b *testing.B) {
	for _, network := range []string{"tcp", "udp"} {
		b.Run(network, func(b *testing.B) {
			f := newFake(b, always(dns.RcodeSuccess))
			s := f.store(b, func(c *rfc2136.Config) { c.Net = network })
			change := swap()
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Apply(b.Context(), change); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	f := newFake(b, func(c *call) { c.truth(dns.RcodeSuccess, rr(b, `svc.lab.test. 30 IN TXT "ag=1" "seq=1"`)) })
	s := f.store(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Lookup(b.Context(), key("TXT")); err != nil {
			b.Fatal(err)
		}
	}
}
