package archtest_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"unicode"
)

func testRules() []rule {
	return []rule{
		{
			name: "tests do not sleep",
			why: "a test that waits for a duration is slow on a fast machine and fails on a slow one; wait for the condition, or sleep in a bubble of testing/synctest, where it costs nothing " +
				"(a helper that sleeps in one also calls synctest.Wait, which fails outside)",
			check:  sleeps,
			breaks: map[string]string{"event/x_test.go": "package x\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n"},
			keeps: map[string]string{
				"event/x_test.go": "package x\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\nfunc f() { time.Sleep(1) }\n",
				"event/y_test.go": "package x\n\nfunc f() { clock.Sleep(1) }\n",
			},
		},
		{
			name: "files are named for what is in them",
			why:  "a file called after helping in general collects what belongs nowhere",
			check: func(s source) []string {
				base := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
				if slices.Contains([]string{"util", "utils", "helper", "helpers", "common", "misc", "types"}, base) {
					return []string{s.path + ": say what it holds"}
				}
				return nil
			},
			breaks: map[string]string{"event/util.go": "package x\n", "event/helpers_test.go": "package x\n"},
			keeps:  map[string]string{"event/words.go": "package x\n", "event/util_windows_test.go": "package x\n"},
		},
		{
			name:   "one word for each thing",
			why:    "a node is Primary or Secondary; a second word for it makes the reader look for a difference",
			check:  otherWords,
			breaks: map[string]string{"event/a.go": "package x\n\nvar isLeader bool\n", "event/b.go": "package x\n\nfunc StandbyNode() {}\n", "event/c.go": "package x\n\ntype leaderElection int\n"},
			keeps:  map[string]string{"event/a.go": "package x\n\nfunc misleaderboard() {}\n", "event/b.go": "package x\n\n// The primary master of the zone.\nvar primary int\n"},
		},
	}
}

func sleeps(s source) []string {
	if !s.test() || slices.Contains(s.imports(), "testing/synctest") {
		return nil
	}
	var findings []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && selects(sel, "time", "Sleep") {
			findings = append(findings, s.at(sel, "time.Sleep outside a bubble"))
		}
		return true
	})
	return findings
}

// otherWords finds declared names that use another word for Primary or
// Secondary. Text may: DNS has a primary master.
func otherWords(s source) []string {
	if s.test() {
		return nil
	}
	var findings []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		for _, w := range words(id.Name) {
			if slices.Contains([]string{"leader", "follower", "master", "slave", "standby", "replica", "backup"}, w) {
				findings = append(findings, s.at(id, "name %s: %s", id.Name, w))
			}
		}
		return true
	})
	return findings
}

// words splits a name at its capitals, and returns the words in lower case.
func words(name string) []string {
	var parts []string
	start := 0
	for i, r := range name {
		if i > start && unicode.IsUpper(r) {
			parts = append(parts, strings.ToLower(name[start:i]))
			start = i
		}
	}
	return append(parts, strings.ToLower(name[start:]))
}
