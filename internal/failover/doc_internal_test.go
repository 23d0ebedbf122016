package failover

import (
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// rulesOf are the rules of the package comment, by number.
func rulesOf(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(f.Doc.Text(), "# Rules\n")
	text, _, found := strings.Cut(text, "\n# ")
	if !ok || !found {
		t.Fatal("the package comment has no list of rules")
	}
	rules := map[string]string{}
	number := regexp.MustCompile(`^ +(\d+)\. `)
	last := ""
	for line := range strings.SplitSeq(text, "\n") {
		if m := number.FindStringSubmatch(line); m != nil {
			last = m[1]
		}
		if strings.HasPrefix(line, " ") {
			rules[last] += " " + strings.TrimSpace(line)
		}
	}
	return rules
}

// Every rule of the package comment has tests that are named after it, and no
// test is named after a rule that there is not.
func TestEveryRuleHasATest(t *testing.T) {
	t.Parallel()
	rules := rulesOf(t)
	wants(t, "rules", len(rules), 14)
	tests := map[string]int{}
	name := regexp.MustCompile(`(?m)^func TestRule(\d+)_\w+\(t \*testing\.T\)`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]]++
		}
	}
	for n := range rules {
		if tests[n] == 0 {
			t.Errorf("rule %s has no test", n)
		}
	}
	for n := range tests {
		if rules[n] == "" {
			t.Errorf("%d tests are about a rule %s that the package comment does not have", tests[n], n)
		}
	}
}

// Every rule names its code, and what it names is there.
func TestEveryRuleNamesItsCode(t *testing.T) {
	t.Parallel()
	all := functions(t)
	for n, text := range rulesOf(t) {
		_, code, ok := strings.Cut(text, "Code: ")
		if !ok {
			t.Errorf("rule %s names no code: %s", n, text)
			continue
		}
		for name := range strings.SplitSeq(strings.TrimSuffix(code, "."), ", ") {
			if all[name] == nil {
				t.Errorf("rule %s names %q, which is no function of the package", n, name)
			}
		}
	}
}

// Every script says what it shows before it begins, and shows it.
func TestScriptsSayWhatTheyShow(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		text, err := os.ReadFile("testdata/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# ") || !strings.Contains(string(text), "\n----\n ") {
			t.Errorf("%s: no comment, or no transcript", file.Name())
		}
	}
}
