package mutant_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/mutant"
)

const root = "../.."

func table(t *testing.T) []mutant.Mutant {
	t.Helper()
	all, err := mutant.Table()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every entry is found in the shipped source exactly once, and what comes of
// all of them compiles.
func TestTable_Applies(t *testing.T) {
	t.Parallel()
	all := table(t)
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := mutant.Overlay(folder, t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "-overlay", overlay}
	for _, p := range mutant.Packages(all) {
		args = append(args, "./"+p)
	}
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = folder
	if text, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// rules are those of the package comment of failover, by number, with the names
// of the functions that carry them.
func rules(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(root + "/internal/failover/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "// # Rules\n")
	list, _, _ = strings.Cut(list, "\n// # ")
	all := make(map[string][]string)
	for _, m := range regexp.MustCompile(`(?s)\n// +(\d+)\. (.*?)Code:([\w, /\n]+)\.`).FindAllStringSubmatch("\n"+list, -1) {
		all[m[1]] = regexp.MustCompile(`\w+`).FindAllString(m[3], -1)
	}
	return all
}

// No rule, and no function that carries one, is without a mutant that dies.
func TestTable_EveryRuleHasAMutant(t *testing.T) {
	t.Parallel()
	dead := make(map[string]int)
	for _, m := range table(t) {
		if m.Killer != "" {
			dead["rule "+m.Rule]++
			dead[m.Func]++
		}
	}
	all := rules(t)
	if len(all) < 14 {
		t.Fatalf("found %d rules, want 14 at least", len(all))
	}
	for number, functions := range all {
		for _, what := range append(functions, "rule "+number) {
			if dead[what] == 0 {
				t.Errorf("%s, of rule %s, has no mutant", what, number)
			}
		}
	}
}

// Every killer is a test, or a script of TestScripts.
func TestTable_KillersExist(t *testing.T) {
	t.Parallel()
	tests := make(map[string]map[string]bool)
	for _, m := range table(t) {
		if m.Killer == "" {
			continue
		}
		if tests[m.Package] == nil {
			tests[m.Package] = testsOf(t, m.Package)
		}
		name, script, isScript := strings.Cut(m.Killer, "/")
		if !tests[m.Package][name] {
			t.Errorf("%s: %s has no test %s", m.ID, m.Package, name)
		}
		file := filepath.Join(root, m.Package, "testdata", script+".txt")
		if _, err := os.Stat(file); isScript && err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
}

func testsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fun, ok := d.(*ast.FuncDecl); ok {
				names[fun.Name.Name] = true
			}
		}
	}
	return names
}

func TestParse(t *testing.T) {
	t.Parallel()
	const good = "# why\npackage internal/x\n\nmutant one\nrule 1\nin x.go f\nold a < b\nnew a <= b\nkill TestX\nwith two\n\n" +
		"mutant two\nrule 2\nin x.go f\nold g()\nequivalent nobody looks\n"
	all, err := mutant.Parse(good)
	if err != nil || len(all) != 2 {
		t.Fatalf("Parse = %d entries, %v", len(all), err)
	}
	want := mutant.Mutant{
		ID: "one", Rule: "1", Package: "internal/x", File: "x.go", Func: "f", Old: "a < b", New: "a <= b", Killer: "TestX", With: "two",
	}
	if all[0] != want {
		t.Errorf("entry = %+v, want %+v", all[0], want)
	}
	if all[1].Equivalent != "nobody looks" || all[1].New != "" {
		t.Errorf("entry = %+v", all[1])
	}
	for _, bad := range []string{"rule 1\n", "mutant one\ncolour red\n"} {
		if _, err := mutant.Parse(bad); !errors.Is(err, mutant.ErrTable) {
			t.Errorf("Parse(%q) = %v, want ErrTable", bad, err)
		}
	}
}
