package testserver_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver"
)

// starters are the servers by name.
func starters() map[string]func(testing.TB, ...testserver.Option) *testserver.Server {
	return map[string]func(testing.TB, ...testserver.Option) *testserver.Server{
		"BIND":     testserver.BIND,
		"Knot":     testserver.Knot,
		"PowerDNS": testserver.PowerDNS,
		"CoreDNS":  testserver.CoreDNS,
	}
}

func TestServer_KeepsItsDataAndItsAddress(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for i, key := range s.Keys {
				owner := fmt.Sprintf("key%d.lab.test", i)
				update(t, s, key, fmt.Sprintf("update add %s. 60 TXT \"one\" \"two\"", owner))
				wantTXT(t, s, owner, `"one" "two"`)
			}
			addr := s.Addr
			s.Kill()
			s.Start()
			wantTXT(t, s, "key2.lab.test", `"one" "two"`)
			s.Stop()
			s.Start()
			wantTXT(t, s, "key0.lab.test", `"one" "two"`)
			if s.Addr != addr {
				t.Errorf("address changed from %s to %s", addr, s.Addr)
			}
		})
	}
}

func TestServer_OfAnotherNetwork(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var entered atomic.Int64
			enter := func(f func() error) error {
				entered.Add(1)
				return f()
			}
			s := start(t, testserver.WithNetwork("127.0.0.1", enter))
			if host, _, err := net.SplitHostPort(s.Addr); err != nil || host != "127.0.0.1" {
				t.Errorf("Addr = %q, want one of 127.0.0.1 (%v)", s.Addr, err)
			}
			update(t, s, s.Key("hmac-sha256"), `update add a.lab.test. 60 TXT "yes"`)
			wantTXT(t, s, "a.lab.test", `"yes"`)
			before := entered.Load()
			s.Kill()
			s.Start()
			if entered.Load() == before {
				t.Error("the server was started again outside of its network")
			}
		})
	}
}

func TestServer_PausedAnswersLater(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.Pause()
			if out, err := dig(t, s, "+time=1", "+tries=1", "lab.test", "SOA"); err == nil {
				t.Errorf("a paused server answered %q", out)
			}
			s.Resume()
			if out, err := dig(t, s, "lab.test", "SOA"); err != nil || out == "" {
				t.Errorf("after Resume: %q, %v", out, err)
			}
		})
	}
}

func TestServer_OnlyNamesLimitsUpdates(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, testserver.WithOnlyNames("svc.lab.test", "_ag.svc.lab.test"))
			key := s.Key("hmac-sha256")
			update(t, s, key, `update add svc.lab.test. 60 TXT "yes"`)
			wantTXT(t, s, "svc.lab.test", `"yes"`)
			_, _ = nsupdate(t, s, key, `update add other.lab.test. 60 TXT "no"`) // PowerDNS says NOERROR
			wantTXT(t, s, "other.lab.test", "")
		})
	}
}

func TestServer_ZonesAndRecords(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, testserver.WithZones("lab.test", "deep.lab.test"), testserver.WithRecords(`extra IN TXT "more"`))
			wantTXT(t, s, "extra.lab.test", `"more"`)
			wantTXT(t, s, "extra.deep.lab.test", `"more"`)
			update(t, s, s.Key("hmac-sha512"), "zone deep.lab.test.\nupdate add x.deep.lab.test. 60 TXT \"x\"")
			wantTXT(t, s, "x.deep.lab.test", `"x"`)
		})
	}
}

func TestServer_Control(t *testing.T) {
	t.Parallel()
	t.Run("BIND freeze", func(t *testing.T) {
		t.Parallel()
		s := testserver.BIND(t)
		s.Control("freeze", "lab.test")
		if out, err := nsupdate(t, s, s.Key("hmac-sha256"), `update add a.lab.test. 60 TXT "no"`); err == nil {
			t.Errorf("a frozen zone took an update: %q", out)
		}
		s.Control("thaw", "lab.test")
		update(t, s, s.Key("hmac-sha256"), `update add a.lab.test. 60 TXT "yes"`)
		wantTXT(t, s, "a.lab.test", `"yes"`)
	})
	t.Run("Knot status", func(t *testing.T) {
		t.Parallel()
		s := testserver.Knot(t)
		if out := s.Control("zone-status", "lab.test"); !strings.Contains(out, "lab.test") {
			t.Errorf("zone-status printed %q", out)
		}
	})
	t.Run("PowerDNS list", func(t *testing.T) {
		t.Parallel()
		s := testserver.PowerDNS(t)
		if out := s.Control("list-all-zones"); !strings.Contains(out, "lab.test") {
			t.Errorf("list-all-zones printed %q", out)
		}
	})
}

func TestServer_ConfigurationHooks(t *testing.T) {
	t.Parallel()
	t.Run("BIND", func(t *testing.T) {
		t.Parallel()
		s := testserver.BIND(t,
			testserver.WithServerConfig("\tversion \"hooked\";"),
			testserver.WithZoneConfig("\tdnssec-policy default;\n\tinline-signing yes;\n\tkey-directory \".\";"),
			testserver.WithConfig(`acl "unused" { none; };`))
		if out, _ := dig(t, s, "version.bind", "CH", "TXT"); out != `"hooked"` {
			t.Errorf("version is %q", out)
		}
		if signed, _ := filepath.Glob(filepath.Join(s.Dir, "*.signed*")); len(signed) == 0 {
			t.Error("the zone is not signed inline")
		}
	})
	t.Run("Knot", func(t *testing.T) {
		t.Parallel()
		s := testserver.Knot(t, testserver.WithServerConfig("    version: hooked"), testserver.WithZoneConfig("    journal-max-usage: 100M"))
		if out, _ := dig(t, s, "version.server", "CH", "TXT"); out != `"hooked"` {
			t.Errorf("version is %q", out)
		}
	})
	t.Run("PowerDNS", func(t *testing.T) {
		t.Parallel()
		s := testserver.PowerDNS(t, testserver.WithServerConfig("version-string=hooked"),
			testserver.WithZoneConfig("NOTIFY-DNSUPDATE 0"), testserver.WithDefaultCaches())
		if out, _ := dig(t, s, "version.bind", "CH", "TXT"); out != `"hooked"` {
			t.Errorf("version is %q", out)
		}
		if out := s.Control("get-meta", "lab.test", "NOTIFY-DNSUPDATE"); !strings.Contains(out, "= 0") {
			t.Errorf("get-meta printed %q", out)
		}
	})
}

// TestServer_EndsWithItsTest looks after a subtest at what it has left.
func TestServer_EndsWithItsTest(t *testing.T) {
	t.Parallel()
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *testserver.Server
			if !t.Run("inner", func(t *testing.T) {
				s = start(t)
				s.Pause() // the worst state to end in
			}) || s == nil {
				t.Skip("no server")
			}
			if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
				t.Errorf("directory %s is still there: %v", s.Dir, err)
			}
			if out, err := dig(t, s, "+tcp", "+time=1", "+tries=1", "lab.test", "SOA"); err == nil {
				t.Errorf("somebody answers at %s: %q", s.Addr, out)
			}
		})
	}
}

func wantTXT(t *testing.T, s *testserver.Server, name, want string) {
	t.Helper()
	for _, protocol := range []string{"+notcp", "+tcp"} {
		got, err := dig(t, s, protocol, name, "TXT")
		if err != nil || got != want {
			t.Errorf("%s: TXT of %s with %s: got %q, %v; want %q", s.Name, name, protocol, got, err, want)
		}
	}
}

func dig(t *testing.T, s *testserver.Server, args ...string) (string, error) {
	t.Helper()
	host, port, _ := strings.Cut(s.Addr, ":")
	out, err := tool(t, "", "dig", append([]string{"@" + host, "-p", port, "+short", "+norec", "+nocookie"}, args...)...)
	return strings.TrimSpace(out), err
}

// update is nsupdate that must succeed.
func update(t *testing.T, s *testserver.Server, key testserver.Key, commands string) {
	t.Helper()
	if out, err := nsupdate(t, s, key, commands); err != nil {
		t.Fatalf("%s: update with %s: %v\n%s", s.Name, key.Algorithm, err, out)
	}
}

func nsupdate(t *testing.T, s *testserver.Server, key testserver.Key, commands string) (string, error) {
	t.Helper()
	script := "server " + strings.Replace(s.Addr, ":", " ", 1) + "\n" + commands + "\nsend\n"
	return tool(t, script, "nsupdate", "-v", "-y", key.Algorithm+":"+key.Name+":"+key.Secret)
}

// tool runs a client program; without it, the test is skipped.
func tool(t *testing.T, input, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
