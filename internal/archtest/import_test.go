package archtest_test

import (
	"path"
	"slices"
	"strings"
)

// The module of the DNS wire format, and that of the driver's clock.
const (
	wire  = "github.com/miekg/dns"
	clock = "github.com/benbjohnson/clock"
)

// testModules are required for tests alone.
func testModules() []string {
	return []string{"go.uber.org/goleak", "pgregory.net/rapid", "github.com/anishathalye/porcupine"}
}

// unsafeFile is the one file that may write into memory by its layout.
const unsafeFile = "internal/twoclocks/twoclocks.go"

// coreImports are all that the machine may import.
func coreImports() []string {
	return []string{
		"cmp", "errors", "fmt", "maps", "math/rand/v2", "net/netip", "slices", "strconv", "strings", "time",
		module + "/event", module + "/internal/record",
	}
}

// importRule makes a rule of the imports that files may not have. Tests are
// free: they stand in for the host.
func importRule(name, why string, files func(source) bool, refused func(imported string) bool, breaks, keeps map[string]string) rule {
	check := func(s source) []string {
		if s.test() || !files(s) {
			return nil
		}
		var findings []string
		for _, p := range s.imports() {
			if refused(p) {
				findings = append(findings, s.at(s.ast.Name, "imports %s", p))
			}
		}
		return findings
	}
	return rule{name: name, why: why, check: check, breaks: importing(breaks), keeps: importing(keeps)}
}

// importing makes a file that imports, of each path and import.
func importing(files map[string]string) map[string]string {
	texts := make(map[string]string)
	for name, imported := range files {
		texts[name] = "package x\n\nimport _ \"" + imported + "\"\n"
	}
	return texts
}

func importRules() []rule {
	return append(coreRules(), adapterRules()...)
}

func coreRules() []rule {
	return []rule{
		importRule("events know nobody",
			"event is the vocabulary of every package, so it imports the standard library and nothing else",
			func(s source) bool { return s.in("event") },
			func(p string) bool { return !standard(p) },
			map[string]string{"event/x.go": module + "/dnsstore", "event/sub/x.go": wire},
			map[string]string{"event/x.go": "log/slog", "event/x_test.go": "github.com/google/go-cmp/cmp"},
		),
		importRule("the machine is pure",
			"equal inputs give equal outputs only without I/O, locks, goroutines and clocks; the explorers of the protocol rest on it",
			func(s source) bool { return s.dir() == "internal/failover" },
			func(p string) bool { return !slices.Contains(coreImports(), p) },
			map[string]string{
				"internal/failover/a.go": "sync", "internal/failover/b.go": "context", "internal/failover/c.go": clock,
				"internal/failover/d.go": module + "/dnsstore", "internal/failover/e.go": "net", "internal/failover/f.go": "os",
			},
			map[string]string{"internal/failover/a.go": "time", "internal/failover/b.go": module + "/event", "internal/failover/a_test.go": "os"},
		),
		importRule("the engine knows interfaces",
			"a host with a store or a transport of its own must not link another, nor the wire format of DNS",
			func(s source) bool { return s.dir() == "availability" },
			func(p string) bool {
				return below(p, wire) || strings.HasPrefix(p, module+"/dnsstore/") || strings.HasPrefix(p, module+"/transport/")
			},
			map[string]string{"availability/a.go": module + "/dnsstore/rfc2136", "availability/b.go": module + "/transport/httptransport", "availability/c.go": wire},
			map[string]string{"availability/a.go": module + "/dnsstore", "availability/b.go": module + "/transport", "availability/agtest/c.go": module + "/dnsstore/dnsstoretest"},
		),
		importRule("one clock",
			"only the driver reads a clock; the machine is given an instant, an adapter a function that tells the time",
			func(s source) bool { return !s.in("availability", "examples") },
			func(p string) bool { return below(p, clock) },
			map[string]string{"transport/x.go": clock, "dnsstore/rfc2136/x.go": clock},
			map[string]string{"availability/driver.go": clock, "transport/x_test.go": clock},
		),
	}
}

func adapterRules() []rule {
	return []rule{
		importRule("adapters know neither engine nor machine",
			"whoever writes a store or a transport reads one interface, and the engine can change without them",
			func(s source) bool { return s.in("dnsstore", "transport") },
			func(p string) bool { return below(p, module+"/availability") || below(p, module+"/internal/failover") },
			map[string]string{
				"dnsstore/x.go": module + "/availability", "dnsstore/rfc2136/x.go": module + "/internal/failover",
				"transport/httptransport/x.go": module + "/availability/agtest",
			},
			map[string]string{"dnsstore/x.go": "context", "transport/httptransport/x.go": module + "/transport", "dnsstore/x_test.go": module + "/availability"},
		),
		importRule("the wire format of DNS has one place",
			"what a server answers is turned into records and errors of dnsstore before anybody else sees it; only the client, the embedded server and the servers of the tests know packets",
			func(s source) bool {
				return !s.in("dnsstore/rfc2136", "dnsstore/embedded", "internal/testdns", "internal/testserver", "examples")
			},
			func(p string) bool { return below(p, wire) },
			map[string]string{"dnsstore/x.go": wire, "availability/x.go": wire + "/dnsutil", "internal/record/x.go": wire},
			map[string]string{"dnsstore/rfc2136/x.go": wire, "dnsstore/embedded/x.go": wire, "internal/testdns/x.go": wire, "dnsstore/x_test.go": wire},
		),
		importRule("tests stay out of programs",
			"a program that links testing has its flags and its weight; helpers for tests stand in packages whose name ends in test",
			func(s source) bool { return !s.suite() && !s.in("internal") },
			func(p string) bool {
				return below(p, "testing") || below(p, module+"/internal/testdns") || slices.Contains(testModules(), p)
			},
			map[string]string{"dnsstore/x.go": "testing", "transport/x.go": "testing/synctest", "event/x.go": "pgregory.net/rapid"},
			map[string]string{"dnsstore/dnsstoretest/x.go": "testing", "availability/agtest/x.go": "testing", "internal/testserver/x.go": "testing", "event/x_test.go": "testing"},
		),
		importRule("no unsafe code",
			"the library runs wherever Go does, and a wrong pointer would end the promise of one Primary; "+
				unsafeFile+", which only tests link, makes times whose wall and monotonic readings have moved apart, for which package time has no function",
			func(s source) bool { return s.path != unsafeFile },
			func(p string) bool { return p == "unsafe" || p == "C" },
			map[string]string{"event/a.go": "unsafe", "event/b.go": "C", "availability/agtest/clock.go": "unsafe"},
			map[string]string{"event/a.go": "unique", unsafeFile: "unsafe"},
		),
	}
}

// standard tells whether a package is part of the standard library: the first
// element of any other has a dot.
func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

// below tells whether a package is p or one below it.
func below(imported, p string) bool {
	return imported == p || strings.HasPrefix(imported, path.Clean(p)+"/")
}
