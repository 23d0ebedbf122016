package testserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// PowerDNS starts a pdns_server on SQLite, with its caches off. Its Control is
// pdnsutil.
func PowerDNS(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	return start(tb, &powerDNS{}, options)
}

type powerDNS struct{ server, util, sqlite, schema string }

var _ software = (*powerDNS)(nil)

func (*powerDNS) name() string { return "PowerDNS" }

func (p *powerDNS) prepare(s *Server) {
	s.tb.Helper()
	p.server = need(s.tb, p.name(), "pdns_server")
	p.util = need(s.tb, p.name(), "pdnsutil")
	p.sqlite = need(s.tb, p.name(), "sqlite3")
	for _, path := range []string{
		"/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
		"/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql",
		"/usr/share/doc/pdns/schema.sqlite3.sql",
		"/opt/homebrew/share/doc/pdns/schema.sqlite3.sql",
	} {
		if _, err := os.Stat(path); err == nil {
			p.schema = path
			return
		}
	}
	missing(s.tb, p.name(), "schema.sqlite3.sql of pdns-backend-sqlite3 not found")
}

func (p *powerDNS) configure(s *Server) error {
	server, err := unconfined(s, p.server)
	if err != nil {
		return err
	}
	p.server = server
	var conf strings.Builder
	fmt.Fprintf(&conf, `daemon=no
guardian=no
socket-dir=%s
local-address=%s
local-port=%s
launch=gsqlite3
gsqlite3-database=%s
gsqlite3-pragma-foreign-keys=yes
dnsupdate=yes
allow-dnsupdate-from=%s
zone-cache-refresh-interval=0
max-tcp-connections=200
loglevel=5
`, s.Dir, s.set.host, s.port(), p.database(s), s.clients())
	if !s.set.defaultCaches {
		conf.WriteString("cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n")
	}
	if len(s.set.names) > 0 {
		if err := os.WriteFile(s.file("policy.lua"), []byte(p.policy(s)), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&conf, "lua-dnsupdate-policy-script=%s\n", s.file("policy.lua"))
	}
	conf.WriteString(s.set.serverConfig + s.set.config)
	if err := os.WriteFile(s.file("pdns.conf"), []byte(conf.String()), 0o600); err != nil {
		return err
	}
	return p.fill(s)
}

// policy is a script that allows some names only.
func (*powerDNS) policy(s *Server) string {
	var lua strings.Builder
	lua.WriteString("allowed = {}\n")
	for _, name := range s.set.names {
		fmt.Fprintf(&lua, "allowed[%q] = true\n", name+".")
	}
	lua.WriteString("function updatepolicy(input)\n  return allowed[string.lower(input:getQName():toString())] == true\nend\n")
	return lua.String()
}

func (*powerDNS) database(s *Server) string { return s.file("pdns.sqlite3") }

// fill makes the database with its zones, unless it is there.
func (p *powerDNS) fill(s *Server) error {
	if _, err := os.Stat(p.database(s)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := run(s.context(), []string{p.sqlite, p.database(s), ".read " + p.schema}); err != nil {
		return err
	}
	var commands [][]string
	for _, k := range s.Keys {
		commands = append(commands, []string{"import-tsig-key", k.Name, k.Algorithm, k.Secret})
	}
	for _, zone := range s.set.zones {
		commands = append(commands, p.zoneCommands(s, zone)...)
	}
	for _, args := range commands {
		if _, err := run(s.context(), append(p.controller(s), args...)); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	return nil
}

func (*powerDNS) zoneCommands(s *Server, zone string) [][]string {
	allow := []string{"set-meta", zone, "TSIG-ALLOW-DNSUPDATE"}
	for _, k := range s.Keys {
		allow = append(allow, k.Name)
	}
	commands := [][]string{
		{"load-zone", zone, s.zoneFile(zone)},
		{"set-kind", zone, "native"},
		allow,
		{"set-meta", zone, "ALLOW-DNSUPDATE-FROM", s.clients()},
		{"set-meta", zone, "SOA-EDIT-DNSUPDATE", "INCREASE"},
	}
	for line := range strings.Lines(s.set.zoneConfig) {
		commands = append(commands, append([]string{"set-meta", zone}, strings.Fields(line)...))
	}
	return commands
}

func (p *powerDNS) command(s *Server) []string { return []string{p.server, "--config-dir=" + s.Dir} }

func (p *powerDNS) controller(s *Server) []string { return []string{p.util, "--config-dir=" + s.Dir} }
