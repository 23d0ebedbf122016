package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
)

const secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMw=="

// write makes a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestParseOptions_FlagsWinOverTheFile(t *testing.T) {
	t.Parallel()
	key := write(t, `key "ag-key" { algorithm hmac-sha512; secret "`+secret+`"; };`)
	file := write(t, `{
		"server": "ns1:53", "zone": "lab.test", "node_id": "a", "priority": 7, "bootstrap": "create",
		"state_dir": "state", "tls_mutual": true, "tls_cert": "c", "tls_key": "k", "tls_ca": "ca",
		"settings": { "group_fqdn": "svc.lab.test", "external_port": 8443, "allowed_absence_interval": 5 } }`)
	got, err := parseOptions([]string{
		"-config", file, "-node_id", "b", "-net", "udp", "-tls_mutual=false", "-log_level", "debug", "-tsig_key_file", key,
		"-external_ipv4_address", "192.0.2.1", "-allowed_absence_interval", "2.5",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := options{
		Server: "ns1:53", Zone: "lab.test", Net: "udp", NodeID: "b", Priority: 7, Bootstrap: availability.BootstrapCreate,
		StateDir: "state", KeyFile: key, TLSCert: "c", TLSKey: "k", TLSCA: "ca", LogLevel: slog.LevelDebug,
		Settings: availability.Settings{
			GroupFQDN: "svc.lab.test", ExternalPort: 8443, ExternalIPv4Address: netip.MustParseAddr("192.0.2.1"),
			Timing:   availability.Timing{AllowedAbsenceInterval: 2500 * time.Millisecond},
			TSIGName: "ag-key", TSIGAlgorithm: "hmac-sha512", TSIGSecret: availability.NewSecret(secret),
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b availability.Settings) bool { return a == b })); diff != "" {
		t.Errorf("options mismatch (-want +got):\n%s", diff)
	}
}

func TestParseOptions_TheSettingsWinOverTheKeyFile(t *testing.T) {
	t.Parallel()
	key := write(t, `key "other" { algorithm hmac-sha512; secret "b3RoZXI="; };`)
	file := write(t, `{ "settings": { "tsig_name": "ours", "tsig_algorithm": "hmac-sha384", "tsig_secret": "`+secret+`" } }`)
	got, err := parseOptions([]string{"-config", file, "-tsig_key_file", key}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Settings
	if s.TSIGName != "ours" || s.TSIGAlgorithm != "hmac-sha384" || s.TSIGSecret.Reveal() != secret {
		t.Errorf("key = %s %s, want that of the settings", s.TSIGName, s.TSIGAlgorithm)
	}
}

func TestParseOptions_Mistakes(t *testing.T) {
	t.Parallel()
	file := func(text string) []string { return []string{"-config", write(t, text)} }
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no such file":        {[]string{"-config", "none.json"}, "none.json"},
		"no JSON":             {file("server: ns1"), "invalid character"},
		"two objects":         {file("{} {}"), "more than one JSON object"},
		"unknown key":         {file(`{"servers": "ns1"}`), `unknown field "servers"`},
		"unknown setting":     {file(`{"settings": {"server": "ns1"}}`), "server: is no setting"},
		"all wrong settings":  {file(`{"settings": {"external_port": 0, "group_fqdn": "-"}}`), "external_port: must be a whole number from 1 to 65535; group_fqdn: must"},
		"wrong bootstrap":     {[]string{"-bootstrap", "always"}, "none of manual, join, create"},
		"wrong priority":      {[]string{"-priority", "high"}, "must be a number"},
		"wrong format":        {[]string{"-log_format", "xml"}, "neither text nor json"},
		"half a certificate":  {[]string{"-tls_cert", "cert.pem"}, "one is of no use without the other"},
		"mutual without a CA": {[]string{"-tls_mutual"}, "tls_mutual: needs"},
		"no flag":             {[]string{"create"}, `"create" is no flag`},
		"secret by flag":      {[]string{"-tsig_secret", secret}, "not defined"},
		"no key file":         {[]string{"-tsig_key_file", "none.key"}, "none.key"},
		"bad key file":        {[]string{"-tsig_key_file", write(t, "key x")}, "no algorithm"},
	} {
		_, err := parseOptions(tt.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want %q in it", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes the secret", name)
		}
	}
}

// Help names every option, and no flag takes a secret.
func TestParseOptions_Help(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := parseOptions([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error = %v, want flag.ErrHelp", err)
	}
	for _, o := range allOptions() {
		if !strings.Contains(out.String(), "  -"+o.key+" ") && !strings.Contains(out.String(), "  -"+o.key+"\n") {
			t.Errorf("help does not name %s", o.key)
		}
	}
	if strings.Contains(out.String(), "  -tsig_secret") {
		t.Error("there is a flag for the secret")
	}
}

func TestRun_Status(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"help":           {[]string{"-h"}, exitClean},
		"wrong flag":     {[]string{"-colour"}, exitMisuse},
		"nothing is set": {[]string{"-bootstrap", "join"}, exitMisuse},
		"no certificate": {nil, exitMisuse},
		"cannot listen":  {[]string{"-external_scheme", "http", "-listen", "192.0.2.1:1"}, exitFailed},
	} {
		var out bytes.Buffer
		if got := run(tt.args, &out); got != tt.want || out.Len() == 0 {
			t.Errorf("%s: run = %d %q, want %d and why", name, got, out.String(), tt.want)
		}
	}
}
