package availability_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
)

const testSecret = "c2VjcmV0IG9mIHRoZSBncm91cCwgMzIgb2N0ZXRzISE="

// blueCatSettings are those of a sample of BlueCat's documentation.
func blueCatSettings() availability.Settings {
	return availability.Settings{
		GroupFQDN: "test.com", GroupFQDNTTL: 30 * time.Second,
		ExternalIPv4Address: netip.MustParseAddr("10.244.141.44"), ExternalScheme: "https", ExternalPort: 443,
		Timing: availability.Timing{
			HealthReportInterval: 9 * time.Second, HealthCheckInterval: 20 * time.Second, AllowedAbsenceInterval: 40 * time.Second,
		},
		TSIGName: "ag", TSIGAlgorithm: "hmac-sha512", TSIGSecret: availability.NewSecret(testSecret),
	}
}

const blueCatJSON = `{"allowed_absence_interval":40,"external_ipv4_address":"10.244.141.44","external_ipv6_address":null,` +
	`"external_port":443,"external_scheme":"https","group_fqdn":"test.com","group_fqdn_ttl":30,"health_check_interval":20,` +
	`"health_report_interval":9,"tsig_algorithm":"hmac-sha512","tsig_name":"ag","tsig_secret":""}`

func TestSettings_MarshalJSON(t *testing.T) {
	t.Parallel()
	sixth := blueCatSettings()
	sixth.ExternalIPv6Address = netip.MustParseAddr("2001:db8::44")
	sixth.HealthReportInterval, sixth.GroupFQDNTTL = 250*time.Millisecond, 1500*time.Millisecond
	for name, c := range map[string]struct {
		settings availability.Settings
		want     string
	}{
		"BlueCat's sample": {blueCatSettings(), blueCatJSON},
		"nothing set": {availability.Settings{}, `{"allowed_absence_interval":null,"external_ipv4_address":null,` +
			`"external_ipv6_address":null,"external_port":null,"external_scheme":null,"group_fqdn":null,"group_fqdn_ttl":null,` +
			`"health_check_interval":null,"health_report_interval":null,"tsig_algorithm":null,"tsig_name":null,"tsig_secret":""}`},
		"IPv6 and fractions": {sixth, strings.NewReplacer(`"external_ipv6_address":null`, `"external_ipv6_address":"2001:db8::44"`,
			`"health_report_interval":9`, `"health_report_interval":0.25`, `"group_fqdn_ttl":30`, `"group_fqdn_ttl":1.5`).Replace(blueCatJSON)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.settings)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("JSON mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettings_UnmarshalJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		edit func(s *availability.Settings)
	}{
		"nothing":          {`{}`, func(*availability.Settings) {}},
		"null for all":     {` null `, func(*availability.Settings) {}},
		"nulls":            {`{"group_fqdn":null,"external_port":null,"tsig_secret":null}`, func(*availability.Settings) {}},
		"what was written": {blueCatJSON, func(*availability.Settings) {}},
		"one":              {`{"group_fqdn_ttl":27}`, func(s *availability.Settings) { s.GroupFQDNTTL = 27 * time.Second }},
		"fraction":         {`{"health_report_interval":0.1}`, func(s *availability.Settings) { s.HealthReportInterval = 100 * time.Millisecond }},
		"exponent":         {`{"allowed_absence_interval":6E1}`, func(s *availability.Settings) { s.AllowedAbsenceInterval = time.Minute }},
		"a day":            {`{"allowed_absence_interval":86400}`, func(s *availability.Settings) { s.AllowedAbsenceInterval = 24 * time.Hour }},
		"a new secret": {`{"tsig_secret":"c2VjcmV0"}`, func(s *availability.Settings) {
			s.TSIGSecret = availability.NewSecret("c2VjcmV0")
		}},
		"IPv6": {`{"external_ipv6_address":"2001:db8::1"}`, func(s *availability.Settings) {
			s.ExternalIPv6Address = netip.MustParseAddr("2001:db8::1")
		}},
		"twelve": {
			`{"group_fqdn":"a.test","external_scheme":"http","external_port":8080,"external_ipv4_address":"192.0.2.1",` +
				`"external_ipv6_address":"2001:db8::2","group_fqdn_ttl":1,"health_check_interval":2,"health_report_interval":3,` +
				`"allowed_absence_interval":4,"tsig_name":"k","tsig_algorithm":"hmac-sha256","tsig_secret":"a2V5"}`,
			func(s *availability.Settings) {
				*s = availability.Settings{
					GroupFQDN: "a.test", GroupFQDNTTL: time.Second, ExternalScheme: "http", ExternalPort: 8080,
					ExternalIPv4Address: netip.MustParseAddr("192.0.2.1"), ExternalIPv6Address: netip.MustParseAddr("2001:db8::2"),
					Timing: availability.Timing{
						HealthCheckInterval: 2 * time.Second, HealthReportInterval: 3 * time.Second, AllowedAbsenceInterval: 4 * time.Second,
					},
					TSIGName: "k", TSIGAlgorithm: "hmac-sha256", TSIGSecret: availability.NewSecret("a2V5"),
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := blueCatSettings(), blueCatSettings()
			c.edit(&want)
			if err := json.Unmarshal([]byte(c.text), &got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("settings = %+v\nwant       %+v", got, want)
			}
		})
	}
}

func TestSettings_UnmarshalJSONMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string // the fields, in order
	}{
		"no object":              {`[1]`, []string{""}},
		"a number":               {`3`, []string{""}},
		"unknown key":            {`{"nodes":3}`, []string{"nodes"}},
		"case":                   {`{"Group_FQDN":"a.test"}`, []string{"Group_FQDN"}},
		"Go's name":              {`{"GroupFQDN":"a.test"}`, []string{"GroupFQDN"}},
		"twice":                  {`{"group_fqdn":"a.test","group_fqdn":"a.test"}`, []string{"group_fqdn"}},
		"twice and unknown":      {`{"x":1,"a":1,"x":2}`, []string{"a", "x"}},
		"name is a number":       {`{"group_fqdn":1}`, []string{"group_fqdn"}},
		"empty name":             {`{"group_fqdn":""}`, []string{"group_fqdn"}},
		"name with a blank":      {`{"group_fqdn":"a b"}`, []string{"group_fqdn"}},
		"TTL is text":            {`{"group_fqdn_ttl":"30"}`, []string{"group_fqdn_ttl"}},
		"TTL is 0":               {`{"group_fqdn_ttl":0}`, []string{"group_fqdn_ttl"}},
		"TTL below 0":            {`{"group_fqdn_ttl":-1}`, []string{"group_fqdn_ttl"}},
		"interval is true":       {`{"health_check_interval":true}`, []string{"health_check_interval"}},
		"interval of 0.1 ms":     {`{"health_check_interval":1.0001}`, []string{"health_check_interval"}},
		"interval is enormous":   {`{"health_report_interval":1e300}`, []string{"health_report_interval"}},
		"interval overflows":     {`{"health_report_interval":1e999}`, []string{"health_report_interval"}},
		"absence of two days":    {`{"allowed_absence_interval":172800}`, []string{"allowed_absence_interval"}},
		"absence of 0.4 s":       {`{"allowed_absence_interval":0.4}`, []string{"allowed_absence_interval"}},
		"port 0":                 {`{"external_port":0}`, []string{"external_port"}},
		"port 65536":             {`{"external_port":65536}`, []string{"external_port"}},
		"port with fraction":     {`{"external_port":443.0}`, []string{"external_port"}},
		"port is text":           {`{"external_port":"443"}`, []string{"external_port"}},
		"scheme":                 {`{"external_scheme":"ftp"}`, []string{"external_scheme"}},
		"address is a name":      {`{"external_ipv4_address":"gw-a"}`, []string{"external_ipv4_address"}},
		"IPv6 for IPv4":          {`{"external_ipv4_address":"::1"}`, []string{"external_ipv4_address"}},
		"IPv4 for IPv6":          {`{"external_ipv6_address":"192.0.2.1"}`, []string{"external_ipv6_address"}},
		"empty address":          {`{"external_ipv6_address":""}`, []string{"external_ipv6_address"}},
		"algorithm":              {`{"tsig_algorithm":"hmac-md5"}`, []string{"tsig_algorithm"}},
		"secret is no base64":    {`{"tsig_secret":"hunter2!"}`, []string{"tsig_secret"}},
		"secret is a number":     {`{"tsig_secret":1}`, []string{"tsig_secret"}},
		"all at once, in order":  {`{"zz":1,"tsig_name":"-","external_port":-1,"group_fqdn":".","aa":1,"allowed_absence_interval":""}`, []string{"allowed_absence_interval", "external_port", "group_fqdn", "tsig_name", "aa", "zz"}},
		"beside one that is fit": {`{"group_fqdn":"b.test","external_port":-1}`, []string{"external_port"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := blueCatSettings()
			err := json.Unmarshal([]byte(c.text), &got)
			wrong, ok := errors.AsType[*availability.ConfigError](err)
			if !ok {
				t.Fatalf("Unmarshal: %v, want a ConfigError", err)
			}
			var fields []string
			for _, f := range wrong.Fields {
				fields = append(fields, f.Field)
				if f.Problem == "" {
					t.Errorf("%s: no problem given", f.Field)
				}
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("fields mismatch (-want +got):\n%s", diff)
			}
			if got != blueCatSettings() {
				t.Errorf("settings have changed: %+v", got)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestSettings_UnmarshalJSONSyntax(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{`, `{"group_fqdn":}`, `{} {}`, "{\"a\":\x01}"} {
		s := blueCatSettings()
		err := s.UnmarshalJSON([]byte(text))
		if err == nil || s != blueCatSettings() {
			t.Errorf("UnmarshalJSON(%q): %v; settings %+v, want an error and no change", text, err, s)
		}
		if _, ok := errors.AsType[*availability.ConfigError](err); ok {
			t.Errorf("UnmarshalJSON(%q): %v is a ConfigError", text, err)
		}
	}
}

// A Timing of its own keeps Go's JSON: methods of it would be promoted and
// take the place of those of Settings.
func TestTiming_HasNoJSONMethods(t *testing.T) {
	t.Parallel()
	var timing any = &availability.Timing{}
	if _, ok := timing.(json.Marshaler); ok {
		t.Error("Timing is a json.Marshaler")
	}
	if _, ok := timing.(json.Unmarshaler); ok {
		t.Error("Timing is a json.Unmarshaler")
	}
}

func TestSettings_SecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	config := availability.Config{Settings: blueCatSettings()}
	wrapped := struct {
		inner map[string]availability.Settings
	}{map[string]availability.Settings{"x": blueCatSettings()}}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb, blueCatSettings())
		fmt.Fprintf(&b, verb, config.Settings.TSIGSecret)
		fmt.Fprintf(&b, verb, wrapped)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("settings", slog.Any("settings", blueCatSettings()), slog.Any("secret", config.Settings.TSIGSecret))
	}
	for _, leak := range []string{testSecret, "secret of the group", fmt.Sprintf("%x", testSecret)} {
		if strings.Contains(b.String(), leak) {
			t.Errorf("the secret is printed in\n%s", b.String())
		}
	}
}
