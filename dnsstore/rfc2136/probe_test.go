package rfc2136_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// states are what may be at a name when a probe comes.
func states() map[string][]dnsstore.RRSet {
	return map[string][]dnsstore.RRSet{
		"nothing":         nil,
		"an address":      {rrset("A", "192.0.2.77")},
		"an IPv6 address": {rrset("AAAA", "2001:db8::77")},
		"foreign text":    {rrset("TXT", `"v=spf1 -all"`, `"x \" \000"`)},
		"a group":         {rrset("TXT", `"ag=1" "seq=7"`), rrset("A", "192.0.2.10"), rrset("AAAA", "2001:db8::10")},
		"many addresses":  {rrset("TXT", `"a"`), rrset("A", "192.0.2.1", "192.0.2.2")},
	}
}

func TestProbe_FitServer(t *testing.T) {
	t.Parallel()
	for name, sets := range states() {
		for _, network := range []string{"tcp", "udp"} {
			z := newZone(t, sets...)
			s := newFake(t, z.script).store(t, func(c *rfc2136.Config) { c.Net = network })
			for range 2 {
				if err := s.Probe(t.Context(), fqdn); err != nil {
					t.Errorf("%s: Probe returned %v", name, err)
				}
			}
			z.wantState(t, sets...)
			if n := s.Stats().Probes; n != 2 {
				t.Errorf("%s: counted %d probes, want 2", name, n)
			}
		}
	}
}

func TestProbe_UnfitServer(t *testing.T) {
	t.Parallel()
	all := []string{"nothing", "an address", "an IPv6 address", "foreign text", "a group", "many addresses"}
	for _, c := range []struct {
		name   string
		fault  func(*zoneState)
		text   string
		states []string
	}{
		{"ignores conditions", func(z *zoneState) { z.ignoresConditions = true }, "takes a false condition on the TXT records for true", all},
		{"takes a part for the whole", func(z *zoneState) { z.subsetIsEnough = true }, "takes a false condition on the", []string{"foreign text", "many addresses"}},
		{"SERVFAIL for a false condition", func(z *zoneState) { z.falseCondition = dns.RcodeServerFailure }, "SERVFAIL", all},
		{"refuses true conditions", func(z *zoneState) { z.refuseTrue = true }, "its answers are older than its zone", all[1:]},
		{"leaves the address out", func(z *zoneState) { z.drops = "A" }, `confirmed a change and left out ["svc.lab.test A"]`, []string{"nothing"}},
		{"leaves the text out", func(z *zoneState) { z.drops = "TXT" }, `confirmed a change and left out ["svc.lab.test TXT"]`, []string{"nothing", "an address"}},
		{"does nothing", func(z *zoneState) { z.doesNothing = true }, "confirmed a change and ", []string{"nothing", "an address"}},
		{"old answers", func(z *zoneState) { z.staleFor = 1000 }, "its answers are older than", []string{"nothing", "an address"}},
		{"one old answer", func(z *zoneState) { z.staleFor = 1 }, "its answers are older than", []string{"nothing", "an address"}},
		{"an alias", func(z *zoneState) { mustSet(z, rrset("CNAME", "x.lab.test.")) }, "there is a CNAME at svc.lab.test", []string{"nothing"}},
	} {
		for _, state := range c.states {
			t.Run(c.name+"/"+state, func(t *testing.T) {
				t.Parallel()
				z := newZone(t, states()[state]...)
				c.fault(z)
				err := newFake(t, z.script).store(t).Probe(t.Context(), fqdn)
				if !errors.Is(err, rfc2136.ErrUnfit) || !strings.Contains(err.Error(), c.text) {
					t.Errorf("Probe returned %v, want an error that wraps ErrUnfit and says %q", err, c.text)
				}
				if c.name != "an alias" {
					z.wantState(t, states()[state]...)
				}
			})
		}
	}
}

func mustSet(z *zoneState, sets ...dnsstore.RRSet) {
	if err := z.Apply(z.ctx(), dnsstore.Change{Set: sets}); err != nil {
		panic(err) // the test is wrong
	}
}

// What a server says by an error is told as such, not as unfitness.
func TestProbe_Refused(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"TXT", "A", "AAAA"} {
		z := newZone(t)
		z.refuses = refused
		err := newFake(t, z.script).store(t).Probe(t.Context(), fqdn)
		if diff := cmp.Diff([]string{"ErrRefused"}, sentinels(err)); diff != "" {
			t.Errorf("%s: sentinels mismatch (-want +got):\n%s%v", refused, diff, err)
		}
		z.wantState(t)
	}
	s := newFake(t, always(dns.RcodeSuccess)).store(t)
	if diff := cmp.Diff([]string{"ErrRefused", "ErrNotSent"}, sentinels(s.Probe(t.Context(), "svc..lab.test"))); diff != "" {
		t.Errorf("a bad name: sentinels mismatch (-want +got):\n%s", diff)
	}
}

// A wildcard answers queries for the name, but conditions do not see it.
func TestProbe_BelowAWildcard(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	wild := rrset("TXT", `"wildcard"`)
	z.wildcard = &wild
	err := newFake(t, z.script).store(t).Probe(t.Context(), fqdn)
	if err != nil {
		t.Errorf("Probe returned %v", err)
	}
	z.wantState(t)
}

// While the probe's record is there, a member creates its group and keeps the
// record, which it takes for somebody else's.
func TestProbe_RemovesItsRecordFromAmongOthers(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.after = func() {
		is := z.has(key("TXT"))
		group := is
		group.Data = append([]string{`"ag=1" "seq=1"`}, is.Data...)
		mustSet(z, group, rrset("A", "192.0.2.10"))
	}
	if err := newFake(t, z.script).store(t).Probe(t.Context(), fqdn); err != nil {
		t.Errorf("Probe returned %v", err)
	}
	left := rrset("TXT", `"ag=1" "seq=1"`)
	left.TTL = time.Second // that of the record which the group found
	z.wantState(t, left, rrset("A", "192.0.2.10"))
}

// A group that comes to life between two steps makes the probe start again.
func TestProbe_StartsAgainWhenSomethingChanges(t *testing.T) {
	t.Parallel()
	group := []dnsstore.RRSet{rrset("TXT", `"ag=1" "seq=1"`), rrset("A", "192.0.2.10")}
	for _, at := range []int{1, 2, 3, 4, 5, 6, 7, 8} {
		z := newZone(t)
		f := newFake(t, func(c *call) {
			if c.n == at {
				mustSet(z, group...)
			}
			z.script(c)
		})
		if err := f.store(t).Probe(t.Context(), fqdn); err != nil {
			t.Errorf("at message %d: Probe returned %v", at, err)
		}
		z.wantState(t, group...)
	}
}

// If the context ends while the record is there, it is removed all the same.
func TestProbe_RemovesItsRecordWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	z.after = cancel
	err := newFake(t, z.script).store(t).Probe(ctx, fqdn)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Probe returned %v, want an error that wraps Canceled", err)
	}
	z.wantState(t)
}

// The end of the write is unknown, and it was made.
func TestProbe_RemovesItsRecordAfterAnUnknownEnd(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	lost := false
	f := newFake(t, func(c *call) {
		if c.msg.Opcode == dns.OpcodeUpdate && len(c.msg.Ns) > 0 && !lost {
			lost = true
			z.makeUpdate(changeOf(c.msg))
			c.truth(dns.RcodeServerFailure)
			return
		}
		z.script(c)
	})
	err := f.store(t).Probe(t.Context(), fqdn)
	wantUnknown(t, err)
	z.wantState(t)
}

// The removal is not answered well at first, whether it was made or not.
func TestProbe_RemovesItsRecordUntilThatIsSettled(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		z := newZone(t)
		writes := 0
		f := newFake(t, func(c *call) {
			if c.msg.Opcode == dns.OpcodeUpdate && len(c.msg.Ns) > 0 {
				if writes++; writes == 2 {
					if made {
						z.makeUpdate(changeOf(c.msg))
					}
					c.truth(dns.RcodeServerFailure)
					return
				}
			}
			z.script(c)
		})
		if err := f.store(t).Probe(t.Context(), fqdn); err != nil {
			t.Errorf("Probe returned %v", err)
		}
		z.wantState(t)
	}
}

func TestVerifyWrite(t *testing.T) {
	t.Parallel()
	done := dnsstore.Change{
		If:  []dnsstore.RRSet{rrset("TXT", `"seq=1"`), rrset("CNAME")},
		Set: []dnsstore.RRSet{rrset("TXT", `"seq=2"`), rrset("A", "192.0.2.10"), rrset("AAAA")},
	}
	for _, c := range []struct {
		name string
		is   []dnsstore.RRSet
		want []string
		text string
	}{
		{"made", done.Set, nil, ""},
		{"in part", []dnsstore.RRSet{done.Set[0]}, []string{"ErrUnfit"}, `left out ["svc.lab.test A"]`},
		{"not deleted", []dnsstore.RRSet{done.Set[0], done.Set[1], rrset("AAAA", "2001:db8::1")}, []string{"ErrUnfit"}, `left out ["svc.lab.test AAAA"]`},
		{"not at all", []dnsstore.RRSet{done.If[0], rrset("A", "192.0.2.9"), rrset("AAAA", "2001:db8::1")}, []string{"ErrUnfit"}, "made nothing of it"},
		{"changed since", []dnsstore.RRSet{rrset("TXT", `"seq=3"`), rrset("A", "192.0.2.9"), rrset("AAAA", "2001:db8::1")}, []string{"ErrConflict"}, "somebody else"},
	} {
		z := newZone(t, c.is...)
		err := newFake(t, z.script).store(t).VerifyWrite(t.Context(), done)
		if diff := cmp.Diff(c.want, sentinels(err)); diff != "" {
			t.Errorf("%s: sentinels mismatch (-want +got):\n%s", c.name, diff)
		}
		if err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.text)
		}
	}
	old := newZone(t, rrset("TXT", `"seq=1"`))
	old.staleFor = 1
	s := newFake(t, old.script).store(t)
	if err := s.Apply(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyWrite(t.Context(), done); !errors.Is(err, rfc2136.ErrUnfit) || !strings.Contains(err.Error(), `older than the change it has confirmed: ["svc.lab.test TXT"]`) {
		t.Errorf("an old answer: VerifyWrite returned %v", err)
	}
}
