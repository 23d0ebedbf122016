package rfc2136_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// wantSameOctets wants so many messages, all the same.
func wantSameOctets(t *testing.T, f *fake, n int) {
	t.Helper()
	calls := f.got()
	if len(calls) != n {
		t.Fatalf("%d messages came, want %d", len(calls), n)
	}
	for i, c := range calls {
		if diff := cmp.Diff(calls[0].raw, c.raw); diff != "" {
			t.Errorf("copy %d mismatch (-first +this):\n%s", i, diff)
		}
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestApply_DatagramsAreSentAgain(t *testing.T) {
	t.Parallel()
	for _, copies := range []int{1, 2, 3, 4} {
		f := newFake(t, func(c *call) {
			if c.n == copies-1 {
				c.truth(dns.RcodeSuccess)
			}
		})
		s := f.store(t, overUDP)
		if err := s.Apply(within(t, 8*time.Second), swap()); err != nil {
			t.Fatalf("Apply returned %v", err)
		}
		wantSameOctets(t, f, copies)
		if got := s.Stats(); got.Retransmissions != uint64(copies-1) || got.Updates != 1 {
			t.Errorf("counted %d retransmissions of %d updates, want %d of 1", got.Retransmissions, got.Updates, copies-1)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	silent := newFake(t, func(c *call) {
		if c.n == 3 {
			cancel()
		}
	})
	wantUnknown(t, silent.store(t, overUDP).Apply(ctx, swap()))
	wantSameOctets(t, silent, 4)
}

func TestApply_EachDatagramExchangeHasItsPort(t *testing.T) {
	t.Parallel()
	ports := make(map[string]bool)
	f := newFake(t, always(dns.RcodeSuccess))
	s := f.store(t, overUDP, func(c *rfc2136.Config) { c.Dial = recordPorts(ports) })
	const n = 5
	for range n {
		if err := s.Apply(t.Context(), swap()); err != nil {
			t.Fatal(err)
		}
	}
	if len(ports) < n-1 { // the system may give one out again
		t.Errorf("%d exchanges used %d ports", n, len(ports))
	}
	ids := make(map[uint16]bool)
	for _, c := range f.got() {
		ids[c.msg.Id] = true
	}
	if len(ids) < n-1 {
		t.Errorf("%d exchanges used %d IDs", n, len(ids))
	}
}

func TestApply_BrokenStreamIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*call){
		"closed":          func(c *call) { _ = c.conn.Close() },
		"half an answer":  func(c *call) { _, _ = c.conn.Write([]byte{0, 100, 1}); _ = c.conn.Close() },
		"a false answer":  func(c *call) { c.reply(pack(c.answer(dns.RcodeNXRrset))) },
		"no frame at all": func(c *call) { _, _ = c.conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); _ = c.conn.Close() },
	} {
		f := newFake(t, func(c *call) {
			if c.n == 0 {
				first(c)
				return
			}
			c.truth(dns.RcodeSuccess)
		})
		s := f.store(t)
		if err := s.Apply(t.Context(), swap()); err != nil {
			t.Errorf("%s: Apply returned %v", name, err)
		}
		wantSameOctets(t, f, 2)
		if got := s.Stats().Reconnects; got != 1 {
			t.Errorf("%s: counted %d reconnects, want 1", name, got)
		}
		always := newFake(t, first)
		wantUnknown(t, always.store(t).Apply(t.Context(), swap()))
		wantSameOctets(t, always, 2)
	}
}

// After a second copy an answer that denies proves nothing: the first copy may
// have been applied. One that confirms does.
func TestApply_DenialOfASecondCopyIsUnknown(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "udp"} {
		for _, rcode := range []int{dns.RcodeNXRrset, dns.RcodeYXRrset, dns.RcodeRefused, dns.RcodeNotAuth, dns.RcodeNotZone, dns.RcodeFormatError} {
			f := newFake(t, func(c *call) {
				switch {
				case c.n > 0:
					c.truth(rcode)
				case c.net == "tcp":
					_ = c.conn.Close()
				}
			})
			s := f.store(t, func(c *rfc2136.Config) { c.Net = network })
			err := s.Apply(within(t, time.Second), swap())
			wantUnknown(t, err)
			wantRcode(t, err, rcode)
		}
	}
}

// A change that would be made twice by two copies is sent once.
func TestApply_UnrepeatableChangeIsSentOnce(t *testing.T) {
	t.Parallel()
	changes := map[string]dnsstore.Change{
		"no condition":                  {Set: []dnsstore.RRSet{rrset("TXT", `"x"`)}},
		"condition stays true":          {If: []dnsstore.RRSet{rrset("TXT", `"x"`)}, Set: []dnsstore.RRSet{rrset("A", "192.0.2.1")}},
		"condition on what is written":  {If: []dnsstore.RRSet{rrset("TXT", `"x"`)}, Set: []dnsstore.RRSet{rrset("TXT", `"x"`)}},
		"only the CNAME is conditional": {If: []dnsstore.RRSet{rrset("CNAME")}, Set: []dnsstore.RRSet{rrset("TXT", `"x"`)}},
	}
	for name, change := range changes {
		for _, network := range []string{"tcp", "udp"} {
			f := newFake(t, func(c *call) {
				if c.net == "tcp" {
					_ = c.conn.Close()
				}
			})
			s := f.store(t, func(c *rfc2136.Config) { c.Net = network })
			wantUnknown(t, s.Apply(within(t, 2*time.Second), change))
			if n := len(f.got()); n != 1 {
				t.Errorf("%s over %s: %d copies were sent, want 1", name, network, n)
			}
		}
	}
}

// The network may double a datagram, and somebody on the way may send a copy of
// any message ahead of it, so that the only answer is to the second of two
// copies although one was sent.
func TestApply_ConflictIsLookedAtTwice(t *testing.T) {
	t.Parallel()
	state := func(texts ...string) func(*call) {
		return func(c *call) {
			if c.msg.Opcode == dns.OpcodeUpdate {
				c.truth(dns.RcodeNXRrset)
				return
			}
			var rrs []dns.RR
			for _, text := range texts {
				if r := rr(t, text); r.Header().Rrtype == c.msg.Question[0].Qtype {
					rrs = append(rrs, r)
				}
			}
			c.truth(dns.RcodeSuccess, rrs...)
		}
	}
	made := []string{`svc.lab.test. 30 IN TXT "seq=2"`, `svc.lab.test. 30 IN A 192.0.2.10`}
	for _, c := range []struct {
		name   string
		script func(*call)
		want   string
	}{
		{"another value is there", state(`svc.lab.test. 30 IN TXT "seq=9"`), "ErrConflict"},
		{"nothing is there", state(), "ErrConflict"},
		{"the change is there", state(made...), "ErrUnknown"},
		{"the text is there, but another address", state(made[0], `svc.lab.test. 30 IN A 192.0.2.99`), "ErrConflict"},
		{"nobody says what is there", func(c *call) {
			if c.msg.Opcode == dns.OpcodeUpdate {
				c.truth(dns.RcodeNXRrset)
			} else {
				c.truth(dns.RcodeServerFailure)
			}
		}, "ErrUnknown"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			err := newFake(t, c.script).store(t, func(s *rfc2136.Config) { s.Net = network }).Apply(t.Context(), swap())
			if diff := cmp.Diff([]string{c.want}, sentinels(err)); diff != "" {
				t.Errorf("%s: %s: sentinels mismatch (-want +got):\n%s", network, c.name, diff)
			}
		}
	}
}

// A condition alone changes nothing, so its answer is certain however many
// copies there were.
func TestApply_ConditionAlone(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		if c.n > 0 {
			c.truth(dns.RcodeNXRrset)
		}
	})
	err := f.store(t, overUDP).Apply(within(t, time.Second), dnsstore.Change{If: []dnsstore.RRSet{rrset("TXT", `"x"`)}})
	if diff := cmp.Diff([]string{"ErrConflict"}, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
	}
	if got := f.got()[0].msg; len(got.Ns) != 0 || len(got.Answer) != 1 {
		t.Errorf("the message has %d conditions and %d contents, want 1 and 0", len(got.Answer), len(got.Ns))
	}
}

// What is larger than every server takes in a datagram goes over TCP.
func TestApply_LargeMessageGoesOverTCP(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	s := f.store(t, overUDP)
	large := swap()
	for range 10 {
		large.Set[0].Data[0] += ` "0123456789012345678901234567890123456789"`
	}
	for _, c := range []dnsstore.Change{swap(), large} {
		if err := s.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, c := range f.got() {
		got = append(got, c.net)
	}
	if diff := cmp.Diff([]string{"udp", "tcp"}, got); diff != "" {
		t.Errorf("networks mismatch (-want +got):\n%s", diff)
	}
}

func TestApply_TooLargeIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	c := swap()
	c.Set[0].Data = nil
	for i := range 300 {
		strs := make([]string, 1)
		strs[0] = string(rune('a'+i%26)) + string(make([]byte, 240)) + string(rune('a'+i/26))
		c.Set[0].Data = append(c.Set[0].Data, dnsstore.FormatTXT(strs))
	}
	err := f.store(t).Apply(t.Context(), c)
	if diff := cmp.Diff([]string{"ErrNotSent"}, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
	}
}
