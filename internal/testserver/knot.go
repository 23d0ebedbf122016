package testserver

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Knot starts a knotd. Its Control is knotc.
func Knot(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	return start(tb, &knot{}, options)
}

type knot struct{ knotd, knotc string }

var _ software = (*knot)(nil)

func (*knot) name() string { return "Knot" }

func (k *knot) prepare(s *Server) {
	s.tb.Helper()
	k.knotd = need(s.tb, k.name(), "knotd")
	k.knotc = need(s.tb, k.name(), "knotc")
}

func (k *knot) configure(s *Server) error {
	knotd, err := unconfined(s, k.knotd)
	if err != nil {
		return err
	}
	k.knotd = knotd
	for _, dir := range []string{"run", "db"} {
		if err := os.MkdirAll(s.file(dir), 0o700); err != nil {
			return err
		}
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `server:
    rundir: %q
    listen: %s@%s
    udp-workers: 2
    tcp-workers: 2
    background-workers: 2
%slog:
  - target: stderr
    any: info
database:
    storage: %q
key:
`, s.file("run"), s.set.host, s.port(), s.set.serverConfig, s.file("db"))
	for _, key := range s.Keys {
		fmt.Fprintf(&conf, "  - id: %s\n    algorithm: %s\n    secret: %s\n", key.Name, key.Algorithm, key.Secret)
	}
	fmt.Fprintf(&conf, "acl:\n  - id: upd\n    key: [%s]\n    action: update\n%s", keyNames(s), k.policy(s))
	conf.WriteString("zone:\n")
	for _, zone := range s.set.zones {
		fmt.Fprintf(&conf, "  - domain: %s\n    storage: %q\n    file: %q\n    acl: upd\n    zonefile-sync: -1\n    serial-policy: increment\n%s",
			zone, s.Dir, s.zoneFile(zone), s.set.zoneConfig)
	}
	conf.WriteString(s.set.config)
	return os.WriteFile(s.file("knot.conf"), []byte(conf.String()), 0o600)
}

func keyNames(s *Server) string {
	var names []string
	for _, k := range s.Keys {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

func (*knot) policy(s *Server) string {
	if len(s.set.names) == 0 {
		return ""
	}
	names := slices.Clone(s.set.names)
	for i := range names {
		names[i] += "."
	}
	return fmt.Sprintf("    update-owner: name\n    update-owner-match: equal\n    update-owner-name: [%s]\n", strings.Join(names, ", "))
}

func (k *knot) command(s *Server) []string { return []string{k.knotd, "-c", s.file("knot.conf")} }

func (k *knot) controller(s *Server) []string { return []string{k.knotc, "-c", s.file("knot.conf")} }
