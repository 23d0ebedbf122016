package rfc2136_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver"
)

type starter func(testing.TB, ...testserver.Option) *testserver.Server

func realServers() map[string]starter {
	return map[string]starter{
		"BIND": testserver.BIND, "Knot": testserver.Knot, "PowerDNS": testserver.PowerDNS, "CoreDNS": testserver.CoreDNS,
	}
}

// onEach runs a test on each real server, or on those that are named.
func onEach(t *testing.T, test func(*testing.T, starter), only ...string) {
	t.Helper()
	t.Parallel()
	for name, start := range realServers() {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}

// openReal opens a store on a real server, with the key of an algorithm.
func openReal(tb testing.TB, server *testserver.Server, algorithm string, edit ...func(*rfc2136.Config)) *rfc2136.Store {
	tb.Helper()
	c := rfc2136.Config{Server: server.Addr, Zone: server.Zone}
	access := server.Key(algorithm).Access(fqdn)
	c.TSIGName, c.TSIGAlgorithm, c.TSIGSecret = access.TSIGName, access.TSIGAlgorithm, access.TSIGSecret
	for _, e := range edit {
		e(&c)
	}
	s, err := rfc2136.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

const usual = "hmac-sha256"

// create is a change for a name where nothing is.
func create(name string) dnsstore.Change {
	at := func(kind string, data ...string) dnsstore.RRSet {
		return dnsstore.RRSet{Key: dnsstore.Key{Name: name, Type: kind}, TTL: time.Minute, Data: data}
	}
	return dnsstore.Change{If: []dnsstore.RRSet{at("TXT")}, Set: []dnsstore.RRSet{at("TXT", `"seq=1"`), at("A", "192.0.2.10")}}
}

func TestReal_Suite(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		var options []dnsstoretest.Option
		if server.Name == "PowerDNS" { // its comparison of TXT is SQL's
			options = append(options, dnsstoretest.IgnoresCase())
		}
		dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store {
			tb.Helper()
			return openReal(tb, server, "hmac-sha384", func(c *rfc2136.Config) { c.Zone, c.FQDN = "", fqdn })
		}, options...)
	})
}

// mistake is a configuration that cannot work, and how that shows.
type mistake struct {
	name string
	edit func(*rfc2136.Config)
	// ends are the sentinels, by server; "" for all others.
	ends map[string][]string
	// says are parts of the text.
	says map[string]string
}

var (
	unverified = []string{"ErrUnknown"}
	refused    = []string{"ErrRefused"}
)

func mistakesOfOperators() []mistake {
	return []mistake{
		{
			"another key",
			func(c *rfc2136.Config) { c.TSIGName = "nobody" },
			map[string][]string{"": unverified},
			map[string]string{"": "does not know key nobody, hmac-sha256", "PowerDNS": "PowerDNS does not tell them apart"},
		},
		{
			"another secret",
			func(c *rfc2136.Config) { c.TSIGSecret = dnsstore.NewSecret(otherSecret) },
			map[string][]string{"": unverified},
			map[string]string{"": "its secret for key ag-sha256, hmac-sha256 is another one", "PowerDNS": "PowerDNS does not tell them apart"},
		},
		{
			"a zone that is not served",
			func(c *rfc2136.Config) { c.Zone = fqdn },
			map[string][]string{"": refused, "Knot": unverified},
			map[string]string{"": "not the primary of the zone"},
		},
	}
}

func pick[T any](byServer map[string]T, name string) T {
	if v, ok := byServer[name]; ok {
		return v
	}
	return byServer[""]
}

func TestReal_Mistakes(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		texts := make(map[string]bool)
		for _, m := range mistakesOfOperators() {
			s := openReal(t, server, usual, m.edit)
			err := s.Apply(t.Context(), create(fqdn))
			if diff := cmp.Diff(pick(m.ends, server.Name), sentinels(err)); diff != "" {
				t.Errorf("%s: sentinels mismatch (-want +got):\n%s%v", m.name, diff, err)
				continue
			}
			if want := pick(m.says, server.Name); !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", m.name, err, want)
			}
			t.Logf("%s: %v", m.name, err)
			texts[err.Error()] = true
		}
		wantNothing(t, openReal(t, server, usual), fqdn)
		// PowerDNS says the same for a wrong key and a wrong secret, but our
		// text names the key.
		if len(texts) != len(mistakesOfOperators()) {
			t.Errorf("%d different texts for %d mistakes", len(texts), len(mistakesOfOperators()))
		}
	}, "BIND", "Knot", "PowerDNS")
}

// wantNothing wants no record at a name.
func wantNothing(t *testing.T, s *rfc2136.Store, name string) {
	t.Helper()
	for _, kind := range []string{"TXT", "A"} {
		got, err := s.Lookup(t.Context(), dnsstore.Key{Name: name, Type: kind})
		if err != nil || len(got.Data) > 0 {
			t.Errorf("Lookup(%s %s) returned %q and %v, want nothing", name, kind, got.Data, err)
		}
	}
}

// A clock that is off by more than the fudge is corrected where the server
// signs what it says about that, in both directions, and measured. PowerDNS
// does neither.
func TestReal_Clock(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		for _, off := range []time.Duration{-400 * time.Second, -200 * time.Second, 0, 200 * time.Second, 400 * time.Second} {
			s := openReal(t, server, usual, func(c *rfc2136.Config) {
				c.Now = func() time.Time { return time.Now().Add(off) }
			})
			_, err := s.Lookup(t.Context(), key("TXT"))
			if server.Name == "PowerDNS" && off.Abs() > rfc2136.DefaultFudge {
				if err == nil || !strings.Contains(err.Error(), "its secret or the clock is wrong (PowerDNS)") {
					t.Errorf("%s off: Lookup returned %v", off, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s off: Lookup returned %v", off, err)
			}
			if err := s.Apply(t.Context(), dnsstore.Change{If: []dnsstore.RRSet{rrset("TXT")}}); err != nil {
				t.Errorf("%s off: Apply returned %v", off, err)
			}
			if got := s.Skew(); server.Name != "PowerDNS" && (got+off).Abs() > 2*time.Second {
				t.Errorf("%s off: Skew is %s", off, got)
			}
		}
	})
}

// A key that may change one name only gets a clear answer at another, and a
// probe at its own name passes.
func TestReal_Policy(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t, testserver.WithOnlyNames(fqdn, "_ag."+fqdn))
		s := openReal(t, server, usual)
		if err := s.Probe(t.Context(), fqdn); err != nil {
			t.Errorf("Probe at the allowed name returned %v", err)
		}
		err := s.Apply(t.Context(), create("other.lab.test"))
		want := map[string][]string{"": refused, "Knot": unverified}
		if server.Name == "PowerDNS" && err == nil {
			// It answers NOERROR and skips what its script denies. VerifyWrite
			// and Probe are there for that.
			err = s.VerifyWrite(t.Context(), create("other.lab.test"))
			want["PowerDNS"] = []string{"ErrUnfit"}
		}
		if diff := cmp.Diff(pick(want, server.Name), sentinels(err)); diff != "" {
			t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
		}
		t.Log(err)
		if err := s.Probe(t.Context(), "other.lab.test"); err == nil {
			t.Error("Probe at another name returned nil")
		} else {
			t.Log(err)
		}
		wantNothing(t, s, "other.lab.test")
	})
}

// PowerDNS skips the address, changes the text and says NOERROR.
func TestReal_PolicyThatLeavesTheAddressOut(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		script := filepath.Join(t.TempDir(), "policy.lua")
		const lua = "function updatepolicy(input)\n  return input:getQType() ~= pdns.A\nend\n"
		if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
			t.Fatal(err)
		}
		server := start(t, testserver.WithServerConfig("lua-dnsupdate-policy-script="+script))
		s := openReal(t, server, usual)
		err := s.Probe(t.Context(), fqdn)
		if !errors.Is(err, rfc2136.ErrUnfit) || !strings.Contains(err.Error(), `left out ["svc.lab.test A"]`) {
			t.Errorf("Probe returned %v", err)
		}
		wantNothing(t, s, fqdn)
	}, "PowerDNS")
}

func TestReal_Frozen(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		freeze, thaw := "freeze", "thaw"
		if server.Name == "Knot" {
			freeze, thaw = "zone-freeze", "zone-thaw"
		}
		server.Control(freeze, server.Zone)
		s := openReal(t, server, usual)
		err := s.Apply(t.Context(), create(fqdn))
		if diff := cmp.Diff(refused, sentinels(err)); diff != "" {
			t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
		}
		if err != nil && !strings.Contains(err.Error(), "the zone is frozen") {
			t.Errorf("%q does not say that the zone is frozen", err)
		}
		wantNothing(t, s, fqdn)
		server.Control(thaw, server.Zone)
		thawed(t, s)
	}, "BIND", "Knot")
}

// thawed waits until a zone that was frozen takes a change: Knot thaws it
// some time after it has said so.
func thawed(t *testing.T, s *rfc2136.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.Apply(ctx, create(fqdn))
		if err == nil {
			return
		}
		if diff := cmp.Diff(refused, sentinels(err)); diff != "" {
			t.Fatalf("after it: sentinels mismatch (-want +got):\n%s%v", diff, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after it: Apply still returns %v", err)
		}
	}
}

func TestReal_Probe(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		for _, network := range []string{"tcp", "udp"} {
			s := openReal(t, server, usual, func(c *rfc2136.Config) { c.Net = network })
			for state, sets := range states() {
				began := time.Now()
				replace(t, s, sets...)
				if err := s.Probe(t.Context(), fqdn); err != nil {
					t.Errorf("%s: Probe returned %v", state, err)
				}
				t.Logf("%s, %s: %s", network, state, time.Since(began))
				for _, kind := range []string{"TXT", "A", "AAAA"} {
					wantData(t, s, key(kind), sets...)
				}
			}
		}
	})
}

// replace sets what is at the name of the tests.
func replace(t *testing.T, s *rfc2136.Store, sets ...dnsstore.RRSet) {
	t.Helper()
	c := dnsstore.Change{Set: slices.Clone(sets)}
	for _, kind := range []string{"TXT", "A", "AAAA"} {
		if !slices.ContainsFunc(sets, func(s dnsstore.RRSet) bool { return s.Type == kind }) {
			c.Set = append(c.Set, rrset(kind))
		}
	}
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// wantData wants what one of the sets says about a key, or nothing.
func wantData(t *testing.T, s *rfc2136.Store, k dnsstore.Key, sets ...dnsstore.RRSet) {
	t.Helper()
	want := dnsstore.RRSet{Key: k}
	for _, set := range sets {
		if set.Key == k {
			want = set
		}
	}
	want, err := want.Normal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Lookup(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RRset mismatch (-want +got):\n%s", diff)
	}
}

// What a zone has besides plain names: a wildcard, an alias, a delegation.
func TestReal_Stumbling(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		s := openReal(t, server, usual)
		t.Run("wildcard", func(t *testing.T) { belowWildcard(t, s) })
		t.Run("alias", func(t *testing.T) { atAlias(t, s) })
		t.Run("delegation", func(t *testing.T) { belowDelegation(t, server, s) })
		t.Run("long text", func(t *testing.T) { longText(t, server) })
	})
}

func belowWildcard(t *testing.T, s *rfc2136.Store) {
	t.Helper()
	const name = "svc.wild.lab.test"
	record := dnsstore.Key{Name: name, Type: "TXT"}
	for range 2 {
		seen, err := s.Lookup(t.Context(), record)
		if err != nil {
			t.Fatal(err)
		}
		c := create(name)
		c.If[0].Data = seen.Data
		if err = s.Apply(t.Context(), c); err == nil {
			wantData(t, s, record, c.Set...)
			return
		}
		if !errors.Is(err, dnsstore.ErrConflict) {
			t.Fatal(err)
		}
	}
	t.Error("a name below a wildcard could not be created after one conflict")
}

func atAlias(t *testing.T, s *rfc2136.Store) {
	t.Helper()
	const name = "alias.lab.test"
	wantNothing(t, s, name)
	err := s.Apply(t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{{Key: dnsstore.Key{Name: name, Type: "A"}, Data: []string{"192.0.2.1"}}}})
	if diff := cmp.Diff(refused, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
	}
	if err := s.Probe(t.Context(), name); !errors.Is(err, rfc2136.ErrUnfit) || !strings.Contains(err.Error(), "there is a CNAME at") {
		t.Errorf("Probe returned %v", err)
	}
	wantNothing(t, s, name)
}

func belowDelegation(t *testing.T, server *testserver.Server, s *rfc2136.Store) {
	t.Helper()
	const name = "svc.sub.lab.test"
	if set, err := s.Lookup(t.Context(), dnsstore.Key{Name: name, Type: "TXT"}); err == nil || !errors.Is(err, dnsstore.ErrRefused) {
		t.Errorf("Lookup returned %v and %v, want an error that wraps ErrRefused", set, err)
	}
	search := openReal(t, server, usual, func(c *rfc2136.Config) { c.Zone, c.FQDN = "", name })
	err := search.Apply(t.Context(), create(name))
	if diff := cmp.Diff([]string{"ErrRefused", "ErrNotSent"}, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
	}
	if err != nil && !strings.Contains(err.Error(), "is delegated to others at sub.lab.test") {
		t.Errorf("%q does not say that the name is delegated", err)
	}
}

// An answer that does not fit into a datagram.
func longText(t *testing.T, server *testserver.Server) {
	t.Helper()
	s := openReal(t, server, usual, overUDP)
	long := rrset("TXT", strings.TrimSpace(strings.Repeat(dnsstore.FormatTXT([]string{strings.Repeat("x", 200)})+" ", 10)))
	replace(t, s, long)
	wantData(t, s, long.Key, long)
	if got := s.Stats(); got.Truncated == 0 && server.Name != "CoreDNS" { // which sends it nevertheless
		t.Errorf("counted %+v, want a truncated answer", got)
	}
}

// A message that waits in a server that hangs is taken when that goes on, long
// after the call has ended as unknown.
func TestReal_LateChange(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		for _, network := range []string{"tcp", "udp"} {
			s := openReal(t, server, usual, func(c *rfc2136.Config) { c.Net = network })
			replace(t, s)
			server.Pause()
			for answers := true; answers; { // a thread may still be running
				_, err := s.Lookup(within(t, 100*time.Millisecond), key("TXT"))
				answers = err == nil
			}
			err := s.Apply(within(t, 3*time.Second), create(fqdn))
			if diff := cmp.Diff([]string{"ErrUnknown", "DeadlineExceeded"}, sentinels(err)); diff != "" {
				t.Errorf("%s: sentinels mismatch (-want +got):\n%s%v", network, diff, err)
			}
			server.Resume()
			ctx := within(t, 20*time.Second)
			for found := false; !found; {
				got, err := s.Lookup(ctx, key("TXT"))
				if err != nil {
					t.Fatalf("%s: the change was never made: %v", network, err)
				}
				found = len(got.Data) > 0
			}
		}
	}, "BIND", "Knot", "PowerDNS")
}

func TestReal_Down(t *testing.T) {
	onEach(t, func(t *testing.T, start starter) {
		server := start(t)
		s := openReal(t, server, usual)
		server.Stop()
		err := s.Apply(t.Context(), create(fqdn))
		if diff := cmp.Diff([]string{"ErrNotSent"}, sentinels(err)); diff != "" {
			t.Errorf("sentinels mismatch (-want +got):\n%s%v", diff, err)
		}
		server.Start()
		if err := s.Apply(t.Context(), create(fqdn)); err != nil {
			t.Errorf("after it: Apply returned %v", err)
		}
	}, "BIND")
}
