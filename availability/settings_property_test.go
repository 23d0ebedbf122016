package availability_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/availabilitygroup/ag/availability"
)

// settingsGen draws settings of which each may be set or not.
func settingsGen() *rapid.Generator[availability.Settings] {
	return rapid.Custom(func(t *rapid.T) availability.Settings {
		interval := func(name string, least, most int64) time.Duration {
			return time.Duration(maybe(t, name, rapid.Int64Range(least, most))) * time.Millisecond
		}
		return availability.Settings{
			GroupFQDN:           maybe(t, "fqdn", rapid.StringMatching(`[a-z]([a-z0-9_-]{0,20}[a-z0-9])?(\.[a-z]{1,10}){0,3}`)),
			GroupFQDNTTL:        interval("ttl", 1, 86_400_000),
			ExternalIPv4Address: maybe(t, "IPv4", rapid.Map(rapid.Uint8Range(1, 254), func(b uint8) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, b}) })),
			ExternalIPv6Address: maybe(t, "IPv6", rapid.Map(rapid.Uint8(), func(b uint8) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 1, 15: b}) })),
			ExternalScheme:      maybe(t, "scheme", rapid.SampledFrom([]string{"http", "https"})),
			ExternalPort:        maybe(t, "port", rapid.Uint16Min(1)),
			Timing: availability.Timing{
				HealthReportInterval:   interval("report", 10, 86_400_000),
				HealthCheckInterval:    interval("check", 10, 86_400_000),
				AllowedAbsenceInterval: interval("absence", 500, 86_400_000),
			},
			TSIGName:      maybe(t, "name", rapid.StringMatching(`[a-z]{1,10}`)),
			TSIGAlgorithm: maybe(t, "algorithm", rapid.SampledFrom([]string{"hmac-sha256", "hmac-sha384", "hmac-sha512"})),
			TSIGSecret:    availability.NewSecret(maybe(t, "secret", rapid.SampledFrom([]string{testSecret, "a2V5"}))),
		}
	})
}

// maybe draws from g, or nothing.
func maybe[T any](t *rapid.T, name string, g *rapid.Generator[T]) T {
	var zero T
	return rapid.OneOf(rapid.Just(zero), g).Draw(t, name)
}

// What is written reads back the same, but for the secret, over settings that
// are not set; and over others it sets what was set and nothing else.
func TestProperty_SettingsJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, under := settingsGen().Draw(t, "settings"), settingsGen().Draw(t, "under")
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		want := s
		want.TSIGSecret = availability.Secret{}
		var got availability.Settings
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("read back %+v\nwant      %+v", got, want)
		}
		again := under
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if again.TSIGSecret != under.TSIGSecret {
			t.Fatal("an empty secret was not kept")
		}
		both, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		checkOverlaid(t, text, marshal(t, under), both)
	})
}

// checkOverlaid compares key by key: top where it is set, else under.
func checkOverlaid(t *rapid.T, top, under, got []byte) {
	t.Helper()
	a, b, c := object(t, top), object(t, under), object(t, got)
	for key, value := range c {
		want := a[key]
		if want == nil {
			want = b[key]
		}
		if value != want {
			t.Fatalf("%s = %v, want %v", key, value, want)
		}
	}
	if len(a) != 12 || len(c) != 12 {
		t.Fatalf("%d and %d keys, want 12", len(a), len(c))
	}
}

func marshal(t *rapid.T, s availability.Settings) []byte {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func object(t *rapid.T, text []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// FuzzSettingsJSON: either all is well and can be written again, or nothing
// has changed.
func FuzzSettingsJSON(f *testing.F) {
	f.Add(blueCatJSON)
	f.Add(`{"group_fqdn":"a","group_fqdn":"b","x":{"y":[1]}}`)
	f.Add(`{"health_report_interval":1e-3,"external_port":65536}`)
	f.Add(`{"external_ipv6_address":"fe80::1%eth0","tsig_secret":"AAA="}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		s := blueCatSettings()
		err := s.UnmarshalJSON([]byte(text))
		if err != nil {
			if s != blueCatSettings() {
				t.Errorf("%v, but the settings have changed: %+v", err, s)
			}
			if wrong, ok := errors.AsType[*availability.ConfigError](err); ok && len(wrong.Fields) == 0 {
				t.Error("a ConfigError without a mistake")
			}
			return
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back := s
		if err := json.Unmarshal(written, &back); err != nil {
			t.Fatalf("%s does not read back: %v", written, err)
		}
		if back != s {
			t.Errorf("read back %+v\nwant      %+v", back, s)
		}
	})
}
