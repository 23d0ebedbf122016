package rfc2136_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// sentinels are all that a caller may decide by.
func sentinels(err error) []string {
	var got []string
	for _, s := range []struct {
		name string
		err  error
	}{
		{"ErrConflict", dnsstore.ErrConflict},
		{"ErrRefused", dnsstore.ErrRefused},
		{"ErrUnknown", dnsstore.ErrUnknown},
		{"ErrNotSent", rfc2136.ErrNotSent},
		{"ErrUnfit", rfc2136.ErrUnfit},
		{"ErrClosed", rfc2136.ErrClosed},
		{"Canceled", context.Canceled},
		{"DeadlineExceeded", context.DeadlineExceeded},
	} {
		if errors.Is(err, s.err) {
			got = append(got, s.name)
		}
	}
	return got
}

func TestApply_EndOfEachVerifiedAnswer(t *testing.T) {
	t.Parallel()
	texts := make(map[string]string)
	for _, c := range []struct {
		rcode  int
		want   string
		advice string
	}{
		{dns.RcodeNXRrset, "ErrConflict", "NXRRSET"},
		{dns.RcodeYXRrset, "ErrConflict", "YXRRSET"},
		{dns.RcodeNameError, "ErrConflict", "NXDOMAIN"},
		{dns.RcodeYXDomain, "ErrRefused", "which a CNAME cannot stand beside"},
		{dns.RcodeRefused, "ErrRefused", "policy does not allow this key"},
		{dns.RcodeNotAuth, "ErrRefused", "not the primary of the zone lab.test"},
		{dns.RcodeNotZone, "ErrRefused", "in another zone than lab.test"},
		{dns.RcodeNotImplemented, "ErrRefused", "does not take UPDATE"},
		{dns.RcodeFormatError, "ErrRefused", "does not understand the message"},
		{dns.RcodeServerFailure, "ErrUnknown", "its database busy"},
		{15, "ErrUnknown", "RCODE15"},
	} {
		err := newFake(t, toUpdates(c.rcode)).store(t).Apply(t.Context(), swap())
		if diff := cmp.Diff([]string{c.want}, sentinels(err)); diff != "" {
			t.Errorf("%s: sentinels mismatch (-want +got):\n%s", dns.RcodeToString[c.rcode], diff)
		}
		failed, ok := errors.AsType[*rfc2136.ServerError](err)
		if !ok {
			t.Fatalf("%s: Apply returned %v, want a *ServerError", dns.RcodeToString[c.rcode], err)
		}
		if failed.Rcode != c.rcode || failed.Op != "apply" || failed.Name != fqdn || failed.Zone != "lab.test" || failed.Copies != 1 {
			t.Errorf("%s: the facts are %+v", dns.RcodeToString[c.rcode], failed)
		}
		text := err.Error()
		if !strings.Contains(text, c.advice) || !strings.Contains(text, failed.Server) {
			t.Errorf("%s: %q does not say %q and %q", dns.RcodeToString[c.rcode], text, c.advice, failed.Server)
		}
		if other, twice := texts[failed.Advice+failed.Error()]; twice {
			t.Errorf("%d reads like %s", c.rcode, other)
		}
		texts[failed.Advice+failed.Error()] = text
	}
}

// toUpdates answers updates with a code, and queries with no data.
func toUpdates(rcode int) func(*call) {
	return func(c *call) {
		if c.msg.Opcode == dns.OpcodeUpdate {
			c.truth(rcode)
			return
		}
		c.truth(dns.RcodeSuccess)
	}
}

// A reply that cannot be verified proves nothing, but says what to look for.
func TestApply_AdviceFromUnverifiedAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		make   func(*call, *dns.Msg) []byte
		rcode  int
		advice string
	}{
		{"BADKEY", unsignedError(dns.RcodeBadKey, ""), dns.RcodeNotAuth, "NOTAUTH with BADKEY, not signed: probably the server does not know key failover-key, hmac-sha256"},
		{"BADSIG", unsignedError(dns.RcodeBadSig, ""), dns.RcodeNotAuth, "NOTAUTH with BADSIG, not signed: probably its secret for key failover-key, hmac-sha256 is another one"},
		{"BADTIME", unsignedError(dns.RcodeBadTime, "000000000001"), dns.RcodeNotAuth, "probably the clocks differ too much"},
		{"NOTAUTH", bare, dns.RcodeNotAuth, "probably the server is not the primary of the zone"},
		{"REFUSED", bare, dns.RcodeRefused, "PowerDNS does not tell them apart"},
		{"NOTIMP", bare, dns.RcodeNotImplemented, "probably the server does not take UPDATE"},
		{"FORMERR", bare, dns.RcodeFormatError, "takes no datagram of that size"},
		{"NOERROR", bare, dns.RcodeSuccess, "does not sign with key failover-key"},
		{"another secret", wrongly(signature{secret: otherSecret}), dns.RcodeSuccess, "NOERROR, wrongly signed: probably something on the way changes messages"},
	} {
		f := newFake(t, func(call *call) { call.reply(c.make(call, call.answer(c.rcode))) })
		err := f.store(t).Apply(t.Context(), swap())
		wantUnknown(t, err)
		if err != nil && !strings.Contains(err.Error(), c.advice) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.advice)
		}
	}
}

func bare(_ *call, m *dns.Msg) []byte { return pack(m) }

func TestApply_NotSent(t *testing.T) {
	t.Parallel()
	gone := newFake(t, nil)
	gone.stop()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	closed := newFake(t, always(dns.RcodeSuccess)).store(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	unresolved := func(c *rfc2136.Config) {
		c.Server = "ns1.example"
		c.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no resolver here")
		}}
	}
	for _, c := range []struct {
		name  string
		store *rfc2136.Store
		ended bool
		want  []string
	}{
		{"connection refused", gone.store(t), false, []string{"ErrNotSent"}},
		{"context ended before", newFake(t, always(dns.RcodeSuccess)).store(t), true, []string{"ErrNotSent", "Canceled"}},
		{"context ended before, UDP", newFake(t, always(dns.RcodeSuccess)).store(t, overUDP), true, []string{"ErrNotSent", "Canceled"}},
		{"closed", closed, false, []string{"ErrNotSent", "ErrClosed"}},
		{"no address", gone.store(t, unresolved), false, []string{"ErrNotSent"}},
		{"broken random numbers", gone.store(t, func(c *rfc2136.Config) { c.Rand = strings.NewReader("") }), false, []string{"ErrNotSent"}},
	} {
		ctx := t.Context()
		if c.ended {
			ctx = ended
		}
		err := c.store.Apply(ctx, swap())
		if diff := cmp.Diff(c.want, sentinels(err)); diff != "" {
			t.Errorf("%s: Apply: sentinels mismatch (-want +got):\n%s%v", c.name, diff, err)
		}
		_, err = c.store.Lookup(ctx, key("TXT"))
		if diff := cmp.Diff(c.want, sentinels(err)); diff != "" {
			t.Errorf("%s: Lookup: sentinels mismatch (-want +got):\n%s%v", c.name, diff, err)
		}
	}
}

func TestApply_InvalidChangeIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFake(t, always(dns.RcodeSuccess))
	s := f.store(t)
	for name, c := range map[string]dnsstore.Change{
		"bad data":          {Set: []dnsstore.RRSet{rrset("A", "192.0.2.300")}},
		"twice":             {Set: []dnsstore.RRSet{rrset("A"), rrset("A")}},
		"final dot":         {Set: []dnsstore.RRSet{{Key: dnsstore.Key{Name: "svc.lab.test.", Type: "A"}}}},
		"out of the zone":   {Set: []dnsstore.RRSet{{Key: dnsstore.Key{Name: "svc.other.test", Type: "A"}}}},
		"condition outside": {If: []dnsstore.RRSet{{Key: dnsstore.Key{Name: "xlab.test", Type: "A"}}}},
		"CNAME and data":    {Set: []dnsstore.RRSet{rrset("CNAME", "x.lab.test."), rrset("TXT", `"x"`)}},
		"data at a CNAME":   {If: []dnsstore.RRSet{rrset("CNAME", "x.lab.test.")}, Set: []dnsstore.RRSet{rrset("TXT", `"x"`)}},
	} {
		if diff := cmp.Diff([]string{"ErrRefused", "ErrNotSent"}, sentinels(s.Apply(t.Context(), c))); diff != "" {
			t.Errorf("%s: sentinels mismatch (-want +got):\n%s", name, diff)
		}
	}
	if err := s.Apply(t.Context(), dnsstore.Change{}); err != nil {
		t.Errorf("a change of nothing: Apply returned %v", err)
	}
	if n := len(f.got()); n != 0 {
		t.Errorf("%d messages went out, want none", n)
	}
}

func TestServerError_IsFoundOnlyWhereItIs(t *testing.T) {
	t.Parallel()
	foreign := &net.OpError{Op: "dial", Err: errors.New("refused")}
	if failed, ok := errors.AsType[*rfc2136.ServerError](foreign); ok {
		t.Errorf("a foreign error is taken for %v", failed)
	}
	if mistake, ok := errors.AsType[*rfc2136.FieldError](foreign); ok {
		t.Errorf("a foreign error is taken for %v", mistake)
	}
	full := &rfc2136.ServerError{
		Op: "apply", Name: "svc.lab.test", Server: "192.0.2.53:53", Zone: "lab.test", Rcode: dns.RcodeNotAuth,
		TSIGError: dns.RcodeBadSig, Advice: "do something", Err: dnsstore.ErrUnknown,
	}
	const want = "rfc2136: apply svc.lab.test at 192.0.2.53:53 (zone lab.test): NOTAUTH with BADSIG: dnsstore: outcome unknown: do something"
	if diff := cmp.Diff(want, full.Error()); diff != "" {
		t.Errorf("text mismatch (-want +got):\n%s", diff)
	}
	if full.Timeout() {
		t.Error("an unknown end is no time-out")
	}
	if late := (&rfc2136.ServerError{Err: context.DeadlineExceeded}); !late.Timeout() {
		t.Error("a deadline is a time-out")
	}
}

// No print of a store or an error shows the secret.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	gone := newFake(t, nil)
	gone.stop()
	s := gone.store(t)
	err := s.Apply(t.Context(), swap())
	failed, _ := errors.AsType[*rfc2136.ServerError](err)
	for name, text := range map[string]string{
		"store": dump(s), "config": dump(gone.config()), "error": dump(err), "facts": dump(*failed),
	} {
		for _, secret := range []string{testSecret, "make-this-a-32", "6d616b652d74686973"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s shows the secret: %s", name, text)
			}
		}
	}
}

// Without a deadline of the context the store has its own.
func TestApply_DefaultTimeout(t *testing.T) {
	t.Parallel()
	silent := newFake(t, func(*call) {})
	s := silent.store(t, func(c *rfc2136.Config) { c.Timeout = 500 * time.Millisecond })
	err := s.Apply(t.Context(), swap())
	if diff := cmp.Diff([]string{"ErrUnknown", "DeadlineExceeded"}, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
	}
}
