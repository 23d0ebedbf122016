package embedded_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// BenchmarkSwap is one winning compare and swap after the other, the client's
// part included.
func BenchmarkSwap(b *testing.B) {
	for _, network := range []string{"udp", "tcp"} {
		for _, disk := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/disk=%t", network, disk), func(b *testing.B) {
				c := testConfig()
				if disk {
					c.Dir = filepath.Join(b.TempDir(), "zone")
				}
				cl := dial(b, network, start(b, c).addr)
				present := ""
				for i := 0; b.Loop(); i++ {
					next := fmt.Sprint("v", i)
					mustUpdate(b, cl, swap(b, "svc", present, next))
					present = next
				}
			})
		}
	}
}

// BenchmarkGroups is 16 clients, each with a record of its own, at once.
func BenchmarkGroups(b *testing.B) {
	for _, disk := range []bool{false, true} {
		b.Run(fmt.Sprintf("disk=%t", disk), func(b *testing.B) {
			c := testConfig()
			if disk {
				c.Dir = filepath.Join(b.TempDir(), "zone")
			}
			s := start(b, c)
			var left atomic.Int64
			left.Store(int64(b.N))
			var clients sync.WaitGroup
			b.ResetTimer()
			for i := range 16 {
				cl := dial(b, "udp", s.addr)
				clients.Go(func() {
					present := ""
					for n := 0; left.Add(-1) >= 0; n++ {
						next := fmt.Sprint("v", n)
						resp, err := cl.exchange(swap(b, fmt.Sprint("svc", i), present, next))
						if err != nil || resp.Rcode != dns.RcodeSuccess {
							b.Errorf("client %d: %v %v", i, resp, err)
							return
						}
						present = next
					}
				})
			}
			clients.Wait()
		})
	}
}

// BenchmarkRespond is the server's part alone, without socket and disk.
func BenchmarkRespond(b *testing.B) {
	s := newServer(b, testConfig())
	query, err := new(dns.Msg).SetQuestion(zoneName, dns.TypeSOA).Pack()
	if err != nil {
		b.Fatal(err)
	}
	signed, _, err := sign(update(b, "prereq example.test. 0 ANY SOA"), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for name, packet := range map[string][]byte{"query": query, "signed update": signed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s.Respond(packet, false) == nil {
					b.Fatal("no answer")
				}
			}
		})
	}
}
