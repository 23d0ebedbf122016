package rfc2136_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// zoneState is the data of a fake that answers queries from a memory store and
// makes updates in it, as a server does that keeps to RFC 2136. The faults are
// what some servers do instead; none may be set while the fake runs.
type zoneState struct {
	*dnsstore.Memory
	ctx func() context.Context

	ignoresConditions bool            // all are true
	subsetIsEnough    bool            // a condition on a part of an RRset is true
	falseCondition    int             // the answer to a false condition; 0: NXRRSET
	refuseTrue        bool            // no condition on data is true
	drops             string          // a type that is left out, NOERROR nevertheless
	doesNothing       bool            // NOERROR, and nothing is changed
	refuses           string          // a type that no update may have
	wildcard          *dnsstore.RRSet // what queries see where there is nothing

	mu       sync.Mutex
	stale    int // so many of the next answers to queries are as before the last update; guarded by mu
	staleFor int // so many are after each update
	before   map[dnsstore.Key]dnsstore.RRSet
	after    func() // runs once, after the next change
}

func (z *zoneState) script(c *call) {
	if c.msg.Opcode == dns.OpcodeUpdate {
		c.truth(z.makeUpdate(changeOf(c.msg)))
		return
	}
	q := c.msg.Question[0]
	k := dnsstore.Key{Name: dnsstore.Canonical(q.Name), Type: dns.TypeToString[q.Qtype]}
	c.truth(dns.RcodeSuccess, toRecords(z.seen(k))...)
}

// seen is what a query sees.
func (z *zoneState) seen(k dnsstore.Key) dnsstore.RRSet {
	z.mu.Lock()
	defer z.mu.Unlock()
	if old, ok := z.before[k]; ok && z.stale > 0 {
		z.stale--
		return old
	}
	set := z.has(k)
	if len(set.Data) == 0 && z.wildcard != nil && z.wildcard.Key == k {
		return *z.wildcard
	}
	return set
}

func (z *zoneState) has(k dnsstore.Key) dnsstore.RRSet {
	set, err := z.Lookup(z.ctx(), k)
	if err != nil {
		panic(err) // the test is wrong
	}
	return set
}

func (z *zoneState) makeUpdate(c dnsstore.Change) int {
	if !z.hold(c.If) {
		return cmp.Or(z.falseCondition, dns.RcodeNXRrset)
	}
	touches := func(s dnsstore.RRSet) bool { return s.Type == z.refuses }
	if slices.ContainsFunc(c.Set, touches) {
		return dns.RcodeRefused
	}
	dropped := func(s dnsstore.RRSet) bool { return s.Type == z.drops || z.doesNothing }
	c.Set = slices.DeleteFunc(c.Set, dropped)
	z.remember(c)
	c.If = nil
	if err := z.Apply(z.ctx(), c); err != nil {
		return dns.RcodeRefused
	}
	if after := z.after; after != nil && len(c.Set) > 0 {
		z.after = nil
		after()
	}
	return dns.RcodeSuccess
}

func (z *zoneState) remember(c dnsstore.Change) {
	if len(c.Set) == 0 {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.before = make(map[dnsstore.Key]dnsstore.RRSet)
	for _, set := range c.Set {
		z.before[set.Key] = z.has(set.Key)
	}
	z.stale = z.staleFor
}

func (z *zoneState) hold(conditions []dnsstore.RRSet) bool {
	for _, want := range conditions {
		is := z.has(want.Key)
		want, err := want.Normal()
		if err != nil {
			panic(err) // the test is wrong
		}
		holds := slices.Equal(want.Data, is.Data)
		if z.subsetIsEnough && len(want.Data) > 0 {
			missing := func(text string) bool { return !slices.Contains(is.Data, text) }
			holds = !slices.ContainsFunc(want.Data, missing)
		}
		if z.refuseTrue && len(want.Data) > 0 {
			holds = false
		}
		if !holds && !z.ignoresConditions {
			return false
		}
	}
	return true
}

func toRecords(set dnsstore.RRSet) []dns.RR {
	var rrs []dns.RR
	for _, text := range set.Data {
		r, err := dns.NewRR(fmt.Sprintf("%s. %d IN %s %s", set.Name, set.TTL/time.Second, set.Type, text))
		if err != nil {
			panic(err) // the test is wrong
		}
		rrs = append(rrs, r)
	}
	return rrs
}

// newZone is a zone with some RRsets.
func newZone(tb testing.TB, sets ...dnsstore.RRSet) *zoneState {
	tb.Helper()
	// Clean-ups of a store may come after the test's own context has ended.
	z := &zoneState{Memory: dnsstore.NewMemory(), ctx: func() context.Context { return context.WithoutCancel(tb.Context()) }}
	if err := z.Apply(tb.Context(), dnsstore.Change{Set: sets}); err != nil {
		tb.Fatal(err)
	}
	return z
}

// wantState wants exactly these RRsets of the types that a group uses.
func (z *zoneState) wantState(tb testing.TB, want ...dnsstore.RRSet) {
	tb.Helper()
	var got []dnsstore.RRSet
	for _, kind := range []string{"TXT", "A", "AAAA", "CNAME"} {
		if set := z.has(key(kind)); len(set.Data) > 0 {
			got = append(got, set)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		tb.Errorf("zone mismatch (-want +got):\n%s", diff)
	}
}

// changeOf reads an UPDATE back into a change.
func changeOf(m *dns.Msg) dnsstore.Change {
	var c dnsstore.Change
	for _, r := range m.Answer {
		collect(&c.If, r)
	}
	for _, r := range m.Ns {
		collect(&c.Set, r)
	}
	return c
}

func collect(sets *[]dnsstore.RRSet, r dns.RR) {
	h := r.Header()
	k := dnsstore.Key{Name: dnsstore.Canonical(h.Name), Type: dns.TypeToString[h.Rrtype]}
	at := -1
	for i, s := range *sets {
		if s.Key == k {
			at = i
		}
	}
	if at < 0 {
		at = len(*sets)
		*sets = append(*sets, dnsstore.RRSet{Key: k})
	}
	if h.Class != dns.ClassINET {
		return
	}
	text := strings.TrimPrefix(r.String(), h.String())
	(*sets)[at].Data = append((*sets)[at].Data, text)
	(*sets)[at].TTL = time.Duration(h.Ttl) * time.Second
}
