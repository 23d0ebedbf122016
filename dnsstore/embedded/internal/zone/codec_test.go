package zone_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

func TestDecode_Snapshot(t *testing.T) {
	t.Parallel()
	z := newZone(t, queryZone)
	octets, err := zone.Encode(z.All())
	if err != nil {
		t.Fatal(err)
	}
	empty := zone.Empty("example.test")
	changes, err := empty.Decode(octets)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(z.Text(), empty.With(changes).Text()); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if empty.Complete() || !z.Complete() {
		t.Errorf("Complete: empty %t, zone %t; want false, true", empty.Complete(), z.Complete())
	}
	if _, err := zone.Empty("example.org").Decode(octets); !errors.Is(err, zone.ErrEncoding) {
		t.Errorf("another zone's: %v, want ErrEncoding", err)
	}
}

func TestDecode_Mistakes(t *testing.T) {
	t.Parallel()
	deletion := "svc 0 ANY A"
	for _, lines := range [][]string{
		{"svc 1 IN A 192.0.2.1"},
		{deletion, "svc 1 IN A 192.0.2.1", "svc 1 IN A 192.0.2.1"},
		{deletion, "svd 1 IN A 192.0.2.1"},
		{deletion, "svc 1 IN TXT x"},
		{deletion, "svc 1 CH A 192.0.2.1"},
		{deletion, "svc 1 IN A"},
		{"svc 0 ANY A 192.0.2.1"},
		{"svc 0 ANY TLSA"},
		{"svc.example.org. 0 ANY A"},
	} {
		var octets []byte
		for _, l := range lines {
			rr := wireRecord(t, l)
			wire := make([]byte, dns.Len(rr)+1)
			if rr.Header().Rdlength == 0 {
				rr = &dns.ANY{Hdr: *rr.Header()}
			}
			n, err := dns.PackRR(rr, wire, 0, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			octets = append(octets, wire[:n]...)
		}
		if _, err := zone.Empty("example.test").Decode(octets); !errors.Is(err, zone.ErrEncoding) {
			t.Errorf("%q: %v, want ErrEncoding", lines, err)
		}
	}
}

// FuzzDecode: whatever is decoded is a zone that encodes to the same again.
func FuzzDecode(f *testing.F) {
	octets, err := zone.Encode(newZone(f, queryZone).All())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(octets)
	f.Add(octets[:40])
	f.Add([]byte{})
	f.Add([]byte("\xc0\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		empty := zone.Empty("example.test")
		changes, err := empty.Decode(octets)
		if err != nil {
			if !errors.Is(err, zone.ErrEncoding) {
				t.Fatalf("%v does not wrap ErrEncoding", err)
			}
			return
		}
		z := empty.With(changes)
		again, err := zone.Encode(z.All())
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := empty.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(z.Text(), empty.With(decoded).Text()); diff != "" {
			t.Errorf("mismatch (-first +second):\n%s", diff)
		}
		if err := z.CheckNodes(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	for _, names := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprintf("names=%d", names), func(b *testing.B) {
			var text strings.Builder
			for i := range names {
				fmt.Fprintf(&text, "n%d 30 IN A 192.0.2.1\n", i)
			}
			z := newZone(b, text.String())
			updates := []dns.RR{wireRecord(b, "n1 0 ANY TXT"), nil}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				updates[1] = wireRecord(b, fmt.Sprintf(`n1 30 IN TXT "v%d"`, i))
				changes, err := z.Update(updates)
				if err != nil {
					b.Fatal(err)
				}
				z = z.With(changes)
			}
		})
	}
}
