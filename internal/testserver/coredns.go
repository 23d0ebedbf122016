package testserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CoreDNS starts a CoreDNS with its plugin dynupdate and a database. It has no
// Control.
func CoreDNS(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	return start(tb, &coreDNS{}, options)
}

type coreDNS struct{ program string }

var _ software = (*coreDNS)(nil)

func (*coreDNS) name() string { return "CoreDNS" }

func (c *coreDNS) prepare(s *Server) {
	s.tb.Helper()
	switch program := os.Getenv("AG_COREDNS"); {
	case program != "":
		c.program = program
	case os.Getenv("AG_BUILD_COREDNS") == "1":
		program, err := buildCoreDNS(s.tb)
		if err != nil {
			s.tb.Fatalf("build CoreDNS: %v", err)
		}
		c.program = program
	default:
		missing(s.tb, c.name(), "AG_COREDNS names no program, and AG_BUILD_COREDNS is not 1")
	}
}

// buildCoreDNS builds the program from the nested module.
func buildCoreDNS(tb testing.TB) (string, error) {
	tb.Helper()
	ctx := tb.Context()
	mod, err := run(ctx, []string{"go", "env", "GOMOD"})
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(mod)), "internal", "coredns")
	program := filepath.Join(tb.TempDir(), "coredns")
	return program, build(ctx, dir, program)
}

func build(ctx context.Context, dir, program string) error {
	out, err := runFor(ctx, buildTimeout, []string{"go", "build", "-C", dir, "-o", program, "."})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func (c *coreDNS) configure(s *Server) error {
	var conf strings.Builder
	for _, zone := range s.set.zones {
		fmt.Fprintf(&conf, "%s:%s {\n    bind %s\n    errors\n    tsig {\n", zone, s.port(), s.set.host)
		for _, k := range s.Keys {
			fmt.Fprintf(&conf, "        secret %s. %s\n", k.Name, k.Secret)
		}
		fmt.Fprintf(&conf, "        require_opcode UPDATE\n    }\n    dynupdate {\n        file %s\n        database %s\n",
			s.zoneFile(zone), s.file(zone+".db"))
		conf.WriteString(c.policy(s))
		fmt.Fprintf(&conf, "    }\n%s}\n", s.set.zoneConfig)
	}
	conf.WriteString(s.set.config)
	return os.WriteFile(s.file("Corefile"), []byte(conf.String()), 0o600)
}

func (*coreDNS) policy(s *Server) string {
	var policy strings.Builder
	for _, k := range s.Keys {
		if len(s.set.names) == 0 {
			fmt.Fprintf(&policy, "        allow %s. * *\n", k.Name)
		}
		for _, name := range s.set.names {
			fmt.Fprintf(&policy, "        allow %s. %s. *\n", k.Name, name)
		}
	}
	return policy.String()
}

func (c *coreDNS) command(s *Server) []string {
	return []string{c.program, "-conf", s.file("Corefile")}
}

func (*coreDNS) controller(*Server) []string { return nil }
