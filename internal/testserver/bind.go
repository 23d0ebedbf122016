package testserver

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// BIND starts a named. Its Control is rndc.
func BIND(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	return start(tb, &bind{}, options)
}

type bind struct{ named, rndc string }

var _ software = (*bind)(nil)

func (*bind) name() string { return "BIND" }

func (b *bind) prepare(s *Server) {
	s.tb.Helper()
	b.named = need(s.tb, b.name(), "named")
	b.rndc = need(s.tb, b.name(), "rndc")
}

func (b *bind) configure(s *Server) error {
	named, err := unconfined(s, b.named)
	if err != nil {
		return err
	}
	b.named = named
	control := fmt.Sprintf("key \"control\" { algorithm hmac-sha256; secret %q; };\n", newSecret())
	if err := os.WriteFile(s.file("rndc.key"), []byte(control), 0o600); err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `options {
	directory %[1]q;
	pid-file "named.pid";
	session-keyfile "session.key";
	managed-keys-directory %[1]q;
	listen-on port %[2]s { %[6]s; };
	listen-on-v6 { none; };
	recursion no;
	dnssec-validation no;
	minimal-responses yes;
	allow-transfer { 127.0.0.0/8; };
	notify no;
	update-quota 1000;
%[3]s};
%[4]scontrols { inet 127.0.0.1 port %[5]d allow { 127.0.0.1; } keys { "control"; }; };
`, s.Dir, s.port(), s.set.serverConfig, control, s.control, s.set.host)
	for _, k := range s.Keys {
		fmt.Fprintf(&conf, "key %q { algorithm %s; secret %q; };\n", k.Name, k.Algorithm, k.Secret)
	}
	for _, zone := range s.set.zones {
		fmt.Fprintf(&conf, "zone %q {\n\ttype primary;\n\tfile %q;\n\tupdate-policy {%s };\n%s};\n",
			zone, s.zoneFile(zone), b.policy(s), s.set.zoneConfig)
	}
	conf.WriteString(s.set.config)
	return os.WriteFile(s.file("named.conf"), []byte(conf.String()), 0o600)
}

func (*bind) policy(s *Server) string {
	var policy strings.Builder
	for _, k := range s.Keys {
		if len(s.set.names) == 0 {
			fmt.Fprintf(&policy, " grant %s zonesub ANY;", k.Name)
		}
		for _, name := range s.set.names {
			fmt.Fprintf(&policy, " grant %s name %s. ANY;", k.Name, name)
		}
	}
	return policy.String()
}

func (b *bind) command(s *Server) []string {
	return []string{b.named, "-g", "-n", "2", "-c", s.file("named.conf")}
}

func (b *bind) controller(s *Server) []string {
	return []string{b.rndc, "-k", s.file("rndc.key"), "-s", "127.0.0.1", "-p", strconv.Itoa(s.control)}
}
