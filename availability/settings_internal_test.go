package availability

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func checkFields(t *testing.T, want, got []FieldError) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes mismatch (-want +got):\n%s", diff)
	}
}

func fieldNames(found []FieldError) []string {
	var names []string
	for _, f := range found {
		names = append(names, f.Field)
	}
	return names
}

// completeSettings are all that a node of a group needs.
func completeSettings() Settings {
	return Settings{
		GroupFQDN: "gw.example.net", ExternalIPv4Address: netip.MustParseAddr("192.0.2.10"),
		TSIGName: "ag", TSIGSecret: NewSecret("c2VjcmV0"),
	}
}

func TestSettings_Defaults(t *testing.T) {
	t.Parallel()
	got := Settings{}.withDefaults()
	want := Settings{
		GroupFQDNTTL: 30 * time.Second, ExternalScheme: "https", ExternalPort: 443, Timing: BlueCatTiming(), TSIGAlgorithm: "hmac-sha256",
	}
	if got != want {
		t.Errorf("defaults = %+v\nwant      %+v", got, want)
	}

	got = Settings{ExternalScheme: "http", Timing: Timing{AllowedAbsenceInterval: 500 * time.Millisecond}}.withDefaults()
	want = Settings{
		GroupFQDNTTL: 250 * time.Millisecond, ExternalScheme: "http", ExternalPort: 80, TSIGAlgorithm: "hmac-sha256",
		Timing: Timing{
			HealthReportInterval: 166 * time.Millisecond, HealthCheckInterval: 250 * time.Millisecond, AllowedAbsenceInterval: 500 * time.Millisecond,
		},
	}
	if got != want {
		t.Errorf("defaults = %+v\nwant      %+v", got, want)
	}
}

// What is set stays, and setting all of it again changes nothing.
func TestProperty_DefaultsKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings().Draw(t, "settings")
		full := s.withDefaults()
		if full.overlaid(s) != full {
			t.Fatalf("defaults of %+v\nare %+v", s, full)
		}
		if full.withDefaults() != full {
			t.Fatalf("defaults of the defaults differ:\n%+v\n%+v", full.withDefaults(), full)
		}
	})
}

// anySettings draws settings of few values, some of them wrong.
func anySettings() *rapid.Generator[Settings] {
	return rapid.Custom(func(t *rapid.T) Settings {
		text := rapid.SampledFrom([]string{"", "a", "b.test", "HTTP"})
		interval := rapid.SampledFrom([]time.Duration{0, -1, time.Millisecond, time.Second, time.Minute})
		address := rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::1")})
		return Settings{
			GroupFQDN: text.Draw(t, "fqdn"), GroupFQDNTTL: interval.Draw(t, "ttl"),
			ExternalIPv4Address: address.Draw(t, "IPv4"), ExternalIPv6Address: address.Draw(t, "IPv6"),
			ExternalScheme: text.Draw(t, "scheme"), ExternalPort: rapid.SampledFrom([]uint16{0, 1, 443}).Draw(t, "port"),
			Timing: Timing{
				HealthReportInterval: interval.Draw(t, "R"), HealthCheckInterval: interval.Draw(t, "C"), AllowedAbsenceInterval: interval.Draw(t, "W"),
			},
			TSIGName: text.Draw(t, "name"), TSIGAlgorithm: text.Draw(t, "algorithm"), TSIGSecret: NewSecret(text.Draw(t, "secret")),
		}
	})
}

// Laws of the overlay: nothing below and nothing above change nothing, it is
// idempotent and associative, and no field is forgotten: each one of the
// result is the upper one if that is set, else the lower one.
func TestProperty_Overlay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anySettings().Draw(t, "a"), anySettings().Draw(t, "b"), anySettings().Draw(t, "c")
		if a.overlaid(Settings{}) != a || (Settings{}).overlaid(a) != a || a.overlaid(a) != a {
			t.Fatal("nothing, or the same, changes something")
		}
		if a.overlaid(b).overlaid(c) != a.overlaid(b.overlaid(c)) {
			t.Fatal("not associative")
		}
		for _, f := range settingFields() {
			want := f.value(a)
			if f.isSet(b) {
				want = f.value(b)
			}
			if got := f.value(a.overlaid(b)); got != want {
				t.Fatalf("%s = %v, want %v", f.key, got, want)
			}
		}
	})
}

func TestSettings_FieldsAreInOrder(t *testing.T) {
	t.Parallel()
	fields := settingFields()
	if len(fields) != 12 {
		t.Errorf("%d fields, want 12", len(fields))
	}
	for i := 1; i < len(fields); i++ {
		if fields[i-1].key >= fields[i].key {
			t.Errorf("%s stands before %s", fields[i-1].key, fields[i].key)
		}
	}
}

func TestSettings_Canonical(t *testing.T) {
	t.Parallel()
	got := Settings{GroupFQDN: "GW.Example.NET.", ExternalScheme: "HTTPS", TSIGName: "AG.", TSIGAlgorithm: "HMAC-SHA512."}.canonical()
	want := Settings{GroupFQDN: "gw.example.net", ExternalScheme: "https", TSIGName: "ag", TSIGAlgorithm: "hmac-sha512"}
	if got != want {
		t.Errorf("canonical = %+v, want %+v", got, want)
	}
}

func TestSettings_Complete(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(s *Settings)
		want []string
	}{
		"all that is needed": {func(*Settings) {}, nil},
		"IPv6 alone": {func(s *Settings) {
			s.ExternalIPv4Address, s.ExternalIPv6Address = netip.Addr{}, netip.MustParseAddr("2001:db8::1")
		}, nil},
		"no TSIG":         {func(s *Settings) { s.TSIGName, s.TSIGSecret = "", Secret{} }, nil},
		"no name":         {func(s *Settings) { s.GroupFQDN = "" }, []string{"group_fqdn"}},
		"no address":      {func(s *Settings) { s.ExternalIPv4Address = netip.Addr{} }, []string{"external_ipv4_address"}},
		"nothing":         {func(s *Settings) { *s = Settings{} }, []string{"external_ipv4_address", "group_fqdn"}},
		"key, no secret":  {func(s *Settings) { s.TSIGSecret = Secret{} }, []string{"tsig_secret"}},
		"secret, no key":  {func(s *Settings) { s.TSIGName = "" }, []string{"tsig_name"}},
		"a wrong secret":  {func(s *Settings) { s.TSIGSecret = NewSecret("?") }, []string{"tsig_secret"}},
		"a wrong address": {func(s *Settings) { s.ExternalIPv4Address = netip.MustParseAddr("0.0.0.0") }, []string{"external_ipv4_address"}},
		"many at once": {func(s *Settings) {
			*s = Settings{ExternalScheme: "ftp", TSIGAlgorithm: "x", TSIGName: "a b", Timing: Timing{AllowedAbsenceInterval: 1}}
		}, []string{"allowed_absence_interval", "external_ipv4_address", "external_scheme", "group_fqdn", "tsig_algorithm", "tsig_name", "tsig_secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := completeSettings()
			c.edit(&s)
			if diff := cmp.Diff(c.want, fieldNames(s.canonical().withDefaults().mistakes(true))); diff != "" {
				t.Errorf("fields mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// Outside a group much may be missing, but nothing may be wrong.
func TestSettings_Incomplete(t *testing.T) {
	t.Parallel()
	if found := (Settings{}).withDefaults().mistakes(false); found != nil {
		t.Errorf("mistakes in nothing: %v", configError(found))
	}
	if found := (Settings{GroupFQDN: "a..b"}).withDefaults().mistakes(false); len(found) != 1 {
		t.Errorf("mistakes = %v, want one", found)
	}
}

func TestSettings_FixedInAGroup(t *testing.T) {
	t.Parallel()
	now := completeSettings().withDefaults()
	if found := now.fixedMistakes(now); found != nil {
		t.Errorf("equal settings: %v", configError(found))
	}
	free := Settings{GroupFQDNTTL: time.Second, Timing: FastTiming(), TSIGName: "x", TSIGAlgorithm: "hmac-sha512", TSIGSecret: NewSecret("eA==")}
	if found := free.fixedMistakes(now); found != nil {
		t.Errorf("settings that may change: %v", configError(found))
	}
	other := Settings{
		GroupFQDN: "other.test", ExternalScheme: "http", ExternalPort: 1,
		ExternalIPv4Address: netip.MustParseAddr("192.0.2.11"), ExternalIPv6Address: netip.MustParseAddr("2001:db8::1"),
	}
	want := []string{"external_ipv4_address", "external_ipv6_address", "external_port", "external_scheme", "group_fqdn"}
	if diff := cmp.Diff(want, fieldNames(other.fixedMistakes(now))); diff != "" {
		t.Errorf("fields mismatch (-want +got):\n%s", diff)
	}
}

func TestSettings_ChangedKeys(t *testing.T) {
	t.Parallel()
	was := completeSettings()
	is := was.overlaid(Settings{GroupFQDNTTL: time.Second, TSIGSecret: NewSecret("eA==")})
	if diff := cmp.Diff([]string{"group_fqdn_ttl", "tsig_secret"}, is.changedKeys(was)); diff != "" {
		t.Errorf("keys mismatch (-want +got):\n%s", diff)
	}
	if got := is.changedKeys(is); got != nil {
		t.Errorf("changed from itself: %q", got)
	}
	if is.blank().TSIGSecret != (Secret{}) || is.blank().TSIGName != "ag" {
		t.Error("blank does not blank the secret alone")
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("a", 61)
	for name, want := range map[string]bool{
		"gw.example.net": true, "GW.Example.NET.": true, "gw": true, "_ag.gw-1.example.net": true, "1.example.net": true,
		"a_b": true, label + ".test": true, longest: true, longest + ".": true,
		"": false, ".": false, "a..b": false, ".a": false, "a.test..": false, "a b": false, "a/b": false, "*.test": false,
		"ä.test": false, `a\.b`: false, "-a.test": false, "a-.test": false, label + "a.test": false, longest + "a": false,
		"192.0.2.1": false, "::1": false,
	} {
		if got := checkName(name); (got == "") != want {
			t.Errorf("checkName(%q) = %q, want right: %v", name, got, want)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"192.0.2.1": true, "127.0.0.2": true, "169.254.1.1": true,
		"0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false, "::ffff:192.0.2.1": false,
	} {
		if got := checkIPv4(netip.MustParseAddr(text)); (got == "") != want {
			t.Errorf("checkIPv4(%s) = %q, want right: %v", text, got, want)
		}
	}
	for text, want := range map[string]bool{
		"2001:db8::1": true, "::1": true, "fe80::1": true,
		"::": false, "ff02::1": false, "fe80::1%eth0": false, "::ffff:192.0.2.1": false, "192.0.2.1": false,
	} {
		if got := checkIPv6(netip.MustParseAddr(text)); (got == "") != want {
			t.Errorf("checkIPv6(%s) = %q, want right: %v", text, got, want)
		}
	}
}
