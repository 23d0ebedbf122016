package rfc2136_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// mistakes returns the fields that New complains about, in order.
func mistakes(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var fields []string
		for _, e := range joined.Unwrap() {
			fields = append(fields, mistakes(t, e)...)
		}
		return fields
	}
	field, ok := errors.AsType[*rfc2136.FieldError](err)
	if !ok {
		t.Fatalf("%v is not a *FieldError", err)
	}
	if field.Problem == "" {
		t.Errorf("no problem with %s", field.Field)
	}
	return []string{field.Field}
}

func TestNew_Mistakes(t *testing.T) {
	t.Parallel()
	good := rfc2136.Config{TSIGName: "k", TSIGSecret: dnsstore.NewSecret(testSecret)}
	for _, c := range []struct {
		name string
		edit func(*rfc2136.Config)
		want []string
	}{
		{"nothing but a key", func(*rfc2136.Config) {}, nil},
		{"all there is", func(c *rfc2136.Config) {
			c.Server, c.Zone, c.FQDN = "ns1.Example.org.:53, 192.0.2.1, [2001:db8::1]:5353, 2001:db8::2, [2001:db8::3]", "Example.ORG.", "svc.example.org"
			c.TSIGAlgorithm, c.Net, c.Timeout, c.Fudge = "HMAC-SHA512.", "udp", time.Second, time.Second
			c.Resolvers = []string{"192.0.2.53", "[2001:db8::53]:53"}
		}, nil},
		{"nothing", func(c *rfc2136.Config) { *c = rfc2136.Config{} }, []string{"TSIGName", "TSIGSecret"}},
		{"everything wrong", func(c *rfc2136.Config) {
			*c = rfc2136.Config{
				Server: "host:0,two words,:53", Zone: "a..b", FQDN: "-\"-", TSIGName: "a b", TSIGAlgorithm: "hmac-md5", TSIGSecret: dnsstore.NewSecret("not base64!"),
				Net: "tls", Timeout: -1, Fudge: time.Millisecond, Resolvers: []string{"resolver.example"},
			}
		}, []string{"TSIGName", "TSIGAlgorithm", "TSIGSecret", "Server", "Server", "Server", "Resolvers", "Zone", "FQDN", "Zone", "Net", "Timeout", "Fudge"}},
		{"zone of another name", func(c *rfc2136.Config) { c.Zone, c.FQDN = "b.example", "svc.example" }, []string{"Zone"}},
		{"large port", func(c *rfc2136.Config) { c.Server = "192.0.2.1:65536" }, []string{"Server"}},
		{"hmac-sha1", func(c *rfc2136.Config) { c.TSIGAlgorithm = "hmac-sha1" }, []string{"TSIGAlgorithm"}},
		{"large fudge", func(c *rfc2136.Config) { c.Fudge = 65536 * time.Second }, []string{"Fudge"}},
		{"secret of nothing", func(c *rfc2136.Config) { c.TSIGSecret = dnsstore.NewSecret("  ") }, []string{"TSIGSecret"}},
	} {
		config := good
		c.edit(&config)
		s, err := rfc2136.New(config)
		if diff := cmp.Diff(c.want, mistakes(t, err)); diff != "" {
			t.Errorf("%s: fields mismatch (-want +got):\n%s", c.name, diff)
		}
		if (s == nil) != (err != nil) {
			t.Errorf("%s: New returned %v and %v", c.name, s, err)
		}
	}
}

func TestOpen_FillsWhatIsEmpty(t *testing.T) {
	t.Parallel()
	f := newFake(t, directory(t, map[string]soaOf{"svc.lab.test.": {ns: []string{labSOA}}, "own.lab.test.": {ns: []string{labSOA}}}))
	access := dnsstore.Access{FQDN: fqdn, TSIGName: "failover-key", TSIGAlgorithm: "hmac-sha384", TSIGSecret: dnsstore.NewSecret(testSecret)}
	own := rfc2136.Config{FQDN: "own.lab.test", TSIGName: "failover-key", TSIGAlgorithm: "hmac-sha512", TSIGSecret: dnsstore.NewSecret(testSecret)}
	for _, c := range []struct {
		config    rfc2136.Config
		access    dnsstore.Access
		algorithm string
		search    string
	}{
		{rfc2136.Config{}, access, dns.HmacSHA384, "svc.lab.test."},
		{own, access, dns.HmacSHA512, "own.lab.test."},
		{own, dnsstore.Access{}, dns.HmacSHA512, "own.lab.test."},
	} {
		c.config.Server = f.addr
		before := len(f.got())
		store, err := c.config.Open(c.access)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Lookup(t.Context(), key("TXT")); err != nil {
			t.Fatal(err)
		}
		first := f.got()[before]
		if first.tsig.Algorithm != c.algorithm || first.msg.Question[0].Name != c.search {
			t.Errorf("the first message is for %s with %s, want %s with %s", first.msg.Question[0].Name, first.tsig.Algorithm, c.search, c.algorithm)
		}
	}
	store, err := rfc2136.Config{}.Open(dnsstore.Access{})
	if err == nil || store != nil {
		t.Errorf("without a key: Open returned %v and %v", store, err)
	}
}
