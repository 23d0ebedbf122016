package availability

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
)

func openNothing(dnsstore.Access) (dnsstore.Store, error) { return nil, errors.New("not in this test") }

func TestConfig_Defaults(t *testing.T) {
	t.Parallel()
	c, err := Config{Settings: completeSettings(), OpenStore: openNothing, Bootstrap: BootstrapCreate}.checked(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if c.NodeID != "192.0.2.10" || c.Priority != 100 || c.Clock == nil || c.Logger == nil {
		t.Errorf("node ID %q, priority %d, clock %v, logger %v", c.NodeID, c.Priority, c.Clock, c.Logger)
	}
	if want := completeSettings().withDefaults(); c.Settings != want {
		t.Errorf("settings = %+v\nwant       %+v", c.Settings, want)
	}
	c.Logger.Info("goes nowhere")
}

func TestConfig_NodeID(t *testing.T) {
	t.Parallel()
	four, six := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{NodeID: "gw-a", Settings: Settings{ExternalIPv4Address: four}}, "gw-a"},
		{Config{Settings: Settings{ExternalIPv4Address: four, ExternalIPv6Address: six}}, "192.0.2.10"},
		{Config{Settings: Settings{ExternalIPv6Address: six}}, "2001:db8::10"},
		{Config{Settings: Settings{ExternalIPv6Address: netip.MustParseAddr("::1")}}, "0000:0000:0000:0000:0000:0000:0000:0001"},
		{Config{}, ""},
	} {
		c.config.OpenStore = openNothing
		got, err := c.config.checked(Settings{})
		if err != nil || got.NodeID != c.want {
			t.Errorf("node ID = %q (%v), want %q", got.NodeID, err, c.want)
		}
	}
}

// The configuration wins over what was saved, field by field, and defaults
// come last: they follow from both.
func TestConfig_OverSaved(t *testing.T) {
	t.Parallel()
	saved := completeSettings()
	saved.AllowedAbsenceInterval, saved.GroupFQDNTTL = 2*time.Minute, 20*time.Second
	config := Config{OpenStore: openNothing, Bootstrap: BootstrapJoin, Settings: Settings{
		GroupFQDN: "Other.Test.", Timing: Timing{HealthReportInterval: 50 * time.Second}, // too long for the default of 60 s
	}}
	c, err := config.checked(saved)
	if err != nil {
		t.Fatal(err)
	}
	want := saved
	want.GroupFQDN, want.HealthReportInterval, want.HealthCheckInterval = "other.test", 50*time.Second, time.Minute
	want.ExternalScheme, want.ExternalPort, want.TSIGAlgorithm = "https", 443, "hmac-sha256"
	if c.Settings != want {
		t.Errorf("settings = %+v\nwant       %+v", c.Settings, want)
	}
	if _, err := config.checked(Settings{}); err == nil {
		t.Error("the test's settings are right without those that were saved")
	}
}

func TestConfig_Mistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(c *Config)
		want []string
	}{
		"none":               {func(*Config) {}, nil},
		"observer":           {func(c *Config) { c.Priority = -1 }, nil},
		"highest priority":   {func(c *Config) { c.Priority = 65535 }, nil},
		"no store":           {func(c *Config) { c.OpenStore = nil }, []string{"store"}},
		"a store of its own": {func(c *Config) { c.OpenStore, c.Store = nil, fakeStore{} }, nil},
		"two stores":         {func(c *Config) { c.Store = fakeStore{} }, []string{"store"}},
		"node ID":            {func(c *Config) { c.NodeID = "GW A" }, []string{"node_id"}},
		"long node ID":       {func(c *Config) { c.NodeID = strings.Repeat("a", 64) }, []string{"node_id"}},
		"priority":           {func(c *Config) { c.Priority = 65536 }, []string{"priority"}},
		"bootstrap":          {func(c *Config) { c.Bootstrap = 3 }, []string{"bootstrap"}},
		"failback":           {func(c *Config) { c.FailbackAfter = -1 }, []string{"failback_after"}},
		"manual, nothing":    {func(c *Config) { c.Settings, c.Bootstrap = Settings{}, BootstrapManual }, nil},
		"join, nothing":      {func(c *Config) { c.Settings = Settings{} }, []string{"external_ipv4_address", "group_fqdn"}},
		"all at once": {
			func(c *Config) {
				*c = Config{Settings: Settings{GroupFQDN: "a b"}, NodeID: "-", Priority: 70000, Bootstrap: -1, FailbackAfter: -1}
			},
			[]string{"external_ipv4_address", "group_fqdn", "node_id", "priority", "bootstrap", "store", "failback_after"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Config{Settings: completeSettings(), OpenStore: openNothing, Bootstrap: BootstrapJoin}
			c.edit(&config)
			_, err := config.checked(Settings{})
			var got []string
			if wrong, ok := errors.AsType[*ConfigError](err); ok {
				got = fieldNames(wrong.Fields)
			} else if err != nil {
				t.Fatalf("checked: %v, want a ConfigError", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("fields mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// fakeStore is there, and nothing more.
type fakeStore struct{ dnsstore.Store }
