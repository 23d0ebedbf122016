//go:build linux

package e2e_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// hostileTests say which test covers which attack on a running group.
//
// The hostile host sits on the path between the nodes, or between them and the
// name server, or anywhere on the network. It has no key, and no foothold on a
// node. Below the group, message by message and with all variants, the same is
// shown by the attack tests of dnsstore/rfc2136 and transport/httptransport,
// and by the tests of dnsstore/embedded for a server.
//
// A member that is hostile is outside: members are trusted. Whoever has the
// TSIG key can write the record, and speak for every node. And whoever is on a
// path can keep what passes it, and so keep a group from failing over for as
// long as that lasts: no takeover begins on a failed read.
func hostileTests() map[string][]string {
	const e2e, linear, availability = "../e2e/", "../linear/", "../../availability/"
	answers := []string{e2e + "TestHostileDNS", e2e + "TestHostileBothPaths", e2e + "TestHostileTakeover"}
	messages := []string{e2e + "TestHostileHTTP"}
	replies := []string{e2e + "TestHostileHTTP", e2e + "TestHostileBothPaths"}
	return map[string][]string{
		"DNS answers: unsigned, or signed by others":     answers,
		"DNS answers: changed under the true signature":  answers,
		"DNS answers: replayed":                          answers,
		"DNS answers: the request reflected":             answers,
		"DNS answers: oversized, cut off, truncated":     answers,
		"DNS answers: slow, kept, re-ordered":            answers,
		"DNS answers: BADTIME, which sets clocks":        answers,
		"DNS answers: all of them lies, at a takeover":   {e2e + "TestHostileTakeover_AllLies"},
		"DNS requests: a copy sent ahead":                {e2e + "TestHostileDNS", linear + "TestLinear_CopiesAhead"},
		"DNS requests: updates replayed later":           {e2e + "TestHostileDNS"},
		"DNS requests: updates forged":                   {e2e + "TestHostileDNS"},
		"HTTP requests: changed, unsigned":               messages,
		"HTTP requests: of others, signed by others":     messages,
		"HTTP requests: oversized, kept, sent back":      messages,
		"HTTP requests: replayed, doubled":               messages,
		"HTTP requests: replayed after a death":          {e2e + "TestHostileHTTP_ReplaysAfterDeath"},
		"HTTP requests: orders of an operator, replayed": {e2e + "TestHostileHTTP_ReplayedOrders"},
		"HTTP requests: held up until after a death":     {availability + "TestHostileHeldUp"},
		"HTTP requests: of countless senders":            {e2e + "TestHostileFlood"},
		"HTTP requests: that never end (slowloris)":      {e2e + "TestHostileFlood"},
		"HTTP answers: changed, unsigned, of others":     replies,
		"HTTP answers: replayed, re-ordered, challenges": replies,
		"HTTP answers: oversized, slow, redirected":      replies,
		"secrets: in logs and answers of processes":      {e2e + "TestHostileDNS", e2e + "TestHostileHTTP", e2e + "TestHostileFlood"},
		"secrets: in every exported type":                {availability + "TestHostileSecrets_EveryType"},
		"secrets: in errors":                             {availability + "TestHostileSecrets_Errors"},
		"secrets: in state, info, history, events":       {availability + "TestHostileSecrets_RunningGroup"},
		"a lie would work for who has the key":           {e2e + "TestHostileDNS_Control"},
	}
}

// TestHostile_EveryAttackHasItsTest keeps the list true.
func TestHostile_EveryAttackHasItsTest(t *testing.T) {
	t.Parallel()
	there := map[string]map[string]bool{}
	named := map[string]bool{}
	for attack, tests := range hostileTests() {
		for _, test := range tests {
			dir, name := filepath.Split(test)
			if there[dir] == nil {
				there[dir] = testsIn(t, dir)
			}
			named[test] = true
			if !there[dir][name] {
				t.Errorf("%s: there is no test %s", attack, test)
			}
		}
	}
	for dir, tests := range there {
		for name := range tests {
			if strings.HasPrefix(name, "TestHostile") && name != t.Name() && !named[dir+name] {
				t.Errorf("%s%s: the list does not say what it covers", dir, name)
			}
		}
	}
	t.Attr("prove.attack-kinds", strconv.Itoa(len(hostileTests())))
}

// testsIn are the test functions of a directory.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(dir + "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				all[fn.Name.Name] = true
			}
		}
	}
	return all
}
