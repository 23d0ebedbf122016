package rfc2136_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// soaOf is what a fake answers to an SOA query for one name.
type soaOf struct {
	rcode       int
	noAuthority bool
	answer, ns  []string
}

const labSOA = "lab.test. 5 IN SOA ns1.lab.test. hm.lab.test. 1 2 3 4 5"

// directory answers SOA queries from a table, and everything else well.
func directory(t *testing.T, table map[string]soaOf) func(*call) {
	t.Helper()
	return func(c *call) {
		if c.msg.Opcode == dns.OpcodeUpdate || c.msg.Question[0].Qtype != dns.TypeSOA {
			c.truth(dns.RcodeSuccess)
			return
		}
		entry, ok := table[c.msg.Question[0].Name]
		if !ok {
			t.Errorf("asked for the SOA of %s", c.msg.Question[0].Name)
		}
		m := c.answer(entry.rcode)
		m.Authoritative = !entry.noAuthority
		for _, text := range entry.answer {
			m.Answer = append(m.Answer, rr(t, text))
		}
		for _, text := range entry.ns {
			m.Ns = append(m.Ns, rr(t, text))
		}
		if c.tsig == nil {
			c.reply(pack(m))
		} else {
			c.reply(c.sign(m, signature{}))
		}
	}
}

// noZone leaves the zone to be found.
func noZone(c *rfc2136.Config) { c.Zone = "" }

func TestZone_IsFoundAtTheServer(t *testing.T) {
	t.Parallel()
	apex := soaOf{answer: []string{labSOA}}
	for _, c := range []struct {
		name  string
		table map[string]soaOf
		want  string // the zone of the update
		err   string
		ends  []string
	}{
		{"at the name", map[string]soaOf{"svc.lab.test.": {answer: []string{"svc.lab.test. 5 IN SOA ns1.lab.test. hm.lab.test. 1 2 3 4 5"}}}, "svc.lab.test.", "", nil},
		{"beside no data", map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}}, "lab.test.", "", nil},
		{"beside no name", map[string]soaOf{"svc.lab.test.": {rcode: dns.RcodeNameError, ns: []string{labSOA}}}, "lab.test.", "", nil},
		{"other case", map[string]soaOf{"svc.lab.test.": {ns: []string{"LAB.Test. 5 IN SOA ns1 hm 1 2 3 4 5"}}}, "lab.test.", "", nil},
		{"an alias brings another zone's", map[string]soaOf{
			"svc.lab.test.": {answer: []string{"svc.lab.test. 5 IN CNAME other.test.", "other.test. 5 IN SOA ns1 hm 1 2 3 4 5"}}, "lab.test.": apex,
		}, "lab.test.", "", nil},
		{"an alias to a name that is not", map[string]soaOf{
			"svc.lab.test.": {rcode: dns.RcodeNameError, answer: []string{"svc.lab.test. 5 IN CNAME x.other.test."}, ns: []string{"other.test. 5 IN SOA ns1 hm 1 2 3 4 5"}}, "lab.test.": apex,
		}, "lab.test.", "", nil},
		{"an alias into a zone above", map[string]soaOf{
			"svc.lab.test.": {answer: []string{"svc.lab.test. 5 IN CNAME x.test."}, ns: []string{"test. 5 IN SOA ns1 hm 1 2 3 4 5"}}, "lab.test.": apex,
		}, "lab.test.", "", nil},
		{"a stranger's beside nothing", map[string]soaOf{"svc.lab.test.": {ns: []string{"other.test. 5 IN SOA ns1 hm 1 2 3 4 5"}}, "lab.test.": apex}, "lab.test.", "", nil},
		{"the root's beside nothing", map[string]soaOf{"svc.lab.test.": {ns: []string{". 5 IN SOA ns1 hm 1 2 3 4 5"}}, "lab.test.": apex}, "lab.test.", "", nil},
		{"nothing at all at first", map[string]soaOf{"svc.lab.test.": {}, "lab.test.": apex}, "lab.test.", "", nil},
		{"nothing anywhere", map[string]soaOf{"svc.lab.test.": {}, "lab.test.": {}, "test.": {}}, "", "no zone for svc.lab.test", []string{"ErrRefused", "ErrNotSent"}},
		{"delegated away", map[string]soaOf{"svc.lab.test.": {noAuthority: true, ns: []string{"svc.lab.test. 5 IN NS ns.other.test."}}}, "", "delegated to others at svc.lab.test", []string{"ErrRefused", "ErrNotSent"}},
		{"not authoritative", map[string]soaOf{"svc.lab.test.": {noAuthority: true}}, "", "not authoritative", []string{"ErrRefused", "ErrNotSent"}},
		{"a resolver's answer", map[string]soaOf{"svc.lab.test.": {noAuthority: true, ns: []string{labSOA}}}, "", "not authoritative", []string{"ErrRefused", "ErrNotSent"}},
		{"refused", map[string]soaOf{"svc.lab.test.": {rcode: dns.RcodeRefused}}, "", "REFUSED", []string{"ErrRefused", "ErrNotSent"}},
		{"failed", map[string]soaOf{"svc.lab.test.": {rcode: dns.RcodeServerFailure}}, "", "SERVFAIL", []string{"ErrNotSent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, directory(t, c.table))
			err := f.store(t, noZone).Apply(t.Context(), swap())
			if diff := cmp.Diff(c.ends, sentinels(err)); diff != "" {
				t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
			}
			if err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q does not say %q", err, c.err)
			}
			if got := f.zones(); c.want != "" && !slices.Equal(got, []string{c.want}) {
				t.Errorf("updates of %q, want %q", got, c.want)
			}
		})
	}
}

// zones returns the zones of the updates that came.
func (f *fake) zones() []string {
	var got []string
	for _, c := range f.got() {
		if c.msg.Opcode == dns.OpcodeUpdate {
			got = append(got, c.msg.Question[0].Name)
		}
	}
	return got
}

// searches counts the queries for SOA records that came.
func (f *fake) searches() int {
	n := 0
	for _, c := range f.got() {
		if c.msg.Opcode == dns.OpcodeQuery && c.msg.Question[0].Qtype == dns.TypeSOA {
			n++
		}
	}
	return n
}

// What was found is kept, until the server says that it is wrong.
func TestZone_IsSearchedAgainWhenItIsWrong(t *testing.T) {
	t.Parallel()
	for _, rcode := range []int{dns.RcodeNotAuth, dns.RcodeNotZone} {
		var moved atomic.Bool // lab.test no more: svc.lab.test is a zone now
		f := newFake(t, func(c *call) {
			apex := "lab.test."
			if moved.Load() {
				apex = "svc.lab.test."
			}
			switch {
			case c.msg.Opcode != dns.OpcodeUpdate:
				m := c.answer(dns.RcodeSuccess)
				m.Ns = []dns.RR{rr(t, apex+" 5 IN SOA ns1 hm 1 2 3 4 5")}
				c.reply(c.sign(m, signature{}))
			case c.msg.Question[0].Name != apex:
				c.truth(rcode)
			default:
				c.truth(dns.RcodeSuccess)
			}
		})
		s := f.store(t, noZone)
		for range 3 {
			if err := s.Apply(t.Context(), swap()); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.searches(); n != 1 {
			t.Errorf("%d searches for three updates, want 1", n)
		}
		moved.Store(true)
		for range 2 {
			if err := s.Apply(t.Context(), swap()); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"lab.test.", "lab.test.", "lab.test.", "lab.test.", "svc.lab.test.", "svc.lab.test."}
		if diff := cmp.Diff(want, f.zones()); diff != "" {
			t.Errorf("zones mismatch (-want +got):\n%s", diff)
		}
		if n := s.Stats().ZoneSearches; n != 2 {
			t.Errorf("counted %d searches, want 2", n)
		}
	}
}

// A refusal of a second copy says nothing about the first, so the change is not
// taken elsewhere: a denial there would not be the whole truth.
func TestZone_IsNotSearchedAgainAfterTwoCopies(t *testing.T) {
	t.Parallel()
	var moved atomic.Bool
	f := newFake(t, func(c *call) {
		apex := "lab.test."
		if moved.Load() {
			apex = "svc.lab.test."
		}
		switch {
		case c.msg.Opcode != dns.OpcodeUpdate:
			directory(t, map[string]soaOf{"svc.lab.test.": {ns: []string{apex + " 5 IN SOA ns1 hm 1 2 3 4 5"}}})(c)
		case c.msg.Question[0].Name != apex:
			c.truth(dns.RcodeNotAuth)
		case moved.Load():
			c.truth(dns.RcodeNXRrset)
		default:
			moved.Store(true)
			_ = c.conn.Close()
		}
	})
	err := f.store(t, noZone).Apply(t.Context(), swap())
	wantUnknown(t, err)
	wantRcode(t, err, dns.RcodeNotAuth)
}

// If the search finds the same again, the refusal stands. A zone that is given
// is not searched for.
func TestZone_RefusalStands(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		if c.msg.Opcode == dns.OpcodeUpdate {
			c.truth(dns.RcodeNotAuth)
			return
		}
		directory(t, map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}})(c)
	})
	found := f.store(t, noZone)
	given := f.store(t)
	for _, s := range []*rfc2136.Store{found, given} {
		if diff := cmp.Diff([]string{"ErrRefused"}, sentinels(s.Apply(t.Context(), swap()))); diff != "" {
			t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
		}
	}
	if n := f.searches(); n != 2 {
		t.Errorf("%d searches, want 2 of the first store", n)
	}
	if n := len(f.zones()); n != 2 {
		t.Errorf("%d updates, want 1 of each store", n)
	}
}

// A zone is searched for at the FQDN, if there is one, whatever is asked first.
func TestZone_IsThatOfTheFQDN(t *testing.T) {
	t.Parallel()
	f := newFake(t, directory(t, map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}}))
	s := f.store(t, noZone, func(c *rfc2136.Config) { c.FQDN = "SVC.lab.test." })
	if _, err := s.Lookup(t.Context(), dnsstore.Key{Name: "_ag.svc.lab.test", Type: "TXT"}); err != nil {
		t.Fatal(err)
	}
}

// Without a server, the resolvers say which is the primary, and that one says
// what its zone is.
func TestZone_ServerIsFoundByResolvers(t *testing.T) {
	t.Parallel()
	primary := newFake(t, directory(t, map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}}))
	resolver := newFake(t, directory(t, map[string]soaOf{
		// The name is an alias: its SOA is another zone's, and so is the primary in it.
		"svc.lab.test.": {noAuthority: true, answer: []string{"svc.lab.test. 5 IN CNAME x.other.test.", "x.other.test. 5 IN SOA ns.other.test. hm 1 2 3 4 5"}},
		"lab.test.":     {noAuthority: true, answer: []string{labSOA}},
	}))
	failing := newFake(t, func(c *call) { c.reply(pack(c.answer(dns.RcodeServerFailure))) })
	gone := newFake(t, nil)
	gone.stop()
	s := primary.store(t, noZone, func(c *rfc2136.Config) {
		c.Server, c.Resolvers = "", []string{gone.addr, failing.addr, resolver.addr}
		c.Resolver = hostsResolver(t, map[string]string{"ns1.lab.test.": "127.0.0.1"})
		c.Dial = redirect("127.0.0.1:53", primary.addr)
	})
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"lab.test."}, primary.zones()); diff != "" {
		t.Errorf("zones mismatch (-want +got):\n%s", diff)
	}
	for _, c := range resolver.got() {
		if !c.msg.RecursionDesired || c.tsig != nil {
			t.Errorf("the resolver was asked %v", c.msg)
		}
	}
}

func TestZone_ServerIsNotFound(t *testing.T) {
	t.Parallel()
	gone := newFake(t, nil)
	gone.stop()
	for _, c := range []struct {
		name  string
		table map[string]soaOf
		text  string
	}{
		{"no zone", map[string]soaOf{"svc.lab.test.": {rcode: dns.RcodeNameError}, "lab.test.": {}, "test.": {}}, "no zone found for svc.lab.test"},
		{"only beside nothing", map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}, "lab.test.": {}, "test.": {}}, "no zone found"},
		{"no primary", map[string]soaOf{"svc.lab.test.": {answer: []string{"svc.lab.test. 5 IN SOA . hm 1 2 3 4 5"}}}, "the SOA of svc.lab.test names no primary"},
		{"refused", map[string]soaOf{"svc.lab.test.": {rcode: dns.RcodeRefused}}, "REFUSED"},
	} {
		f := newFake(t, directory(t, c.table))
		s := f.store(t, noZone, func(config *rfc2136.Config) { config.Server, config.Resolvers = "", []string{f.addr} })
		err := s.Apply(t.Context(), swap())
		if diff := cmp.Diff([]string{"ErrNotSent"}, sentinels(err)); diff != "" {
			t.Errorf("%s: sentinels mismatch (-want +got):\n%s", c.name, diff)
		}
		for _, want := range []string{c.text, "give server and zone in the configuration"} {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
	}
}

// An answer that does not fit the question is not taken from a resolver, even
// though nothing is signed there.
func TestZone_ResolverIsNotBelievedBlindly(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(c *call) {
		wrong := c.answer(dns.RcodeSuccess, rr(t, "svc.lab.test. 5 IN SOA evil.test. hm 1 2 3 4 5"))
		wrong.Id++
		c.reply(pack(wrong))
		wrong.Id--
		wrong.Question[0].Name = "evil.test."
		c.reply(pack(wrong))
		wrong.Question[0].Name, wrong.Response = "svc.lab.test.", false
		c.reply(pack(wrong))
		c.reply(pack(c.answer(dns.RcodeSuccess, rr(t, "svc.lab.test. 5 IN SOA . hm 1 2 3 4 5"))))
	})
	s := f.store(t, noZone, func(c *rfc2136.Config) { c.Server, c.Resolvers = "", []string{f.addr} })
	err := s.Apply(t.Context(), swap())
	if err == nil || !strings.Contains(err.Error(), "names no primary") {
		t.Errorf("Apply returned %v", err)
	}
}

// redirect is a dialer that goes to another address than it is told.
func redirect(from, to string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == from {
			address = to
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// With a zone but no server, the primary of that zone is looked for.
func TestZone_ServerOfAGivenZone(t *testing.T) {
	t.Parallel()
	primary := newFake(t, always(dns.RcodeSuccess))
	resolver := newFake(t, directory(t, map[string]soaOf{"lab.test.": {noAuthority: true, answer: []string{labSOA}}}))
	s := primary.store(t, func(c *rfc2136.Config) {
		c.Server, c.Resolvers = "", []string{resolver.addr}
		c.Resolver = hostsResolver(t, map[string]string{"ns1.lab.test.": "127.0.0.1"})
		c.Dial = redirect("127.0.0.1:53", primary.addr)
	})
	if err := s.Apply(t.Context(), swap()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"lab.test."}, primary.zones()); diff != "" {
		t.Errorf("zones mismatch (-want +got):\n%s", diff)
	}
}

func TestZone_ResolversOfTheSystem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want, problem string }{
		{"search example.org\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\n", "192.0.2.1:53,[2001:db8::1]:53,[fe80::1%eth0]:53", ""},
		{"nameserver one.example\nnameserver 192.0.2.1\n", "192.0.2.1:53", ""},
		{"# nothing\n", "", "no resolvers in"},
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := rfc2136.SystemResolvers(file)
		if got != c.want || (err != nil) != (c.problem != "") {
			t.Errorf("%q: %q and %v, want %q and %q", c.text, got, err, c.want, c.problem)
		}
	}
	if got, err := rfc2136.SystemResolvers(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("without a file: %q and no error", got)
	}
}
