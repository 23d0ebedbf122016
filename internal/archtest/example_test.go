package archtest_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"slices"
	"strings"
	"testing"
)

// entryPoints are where a host program begins, besides the functions called
// New…: by directory, names as in an example, without "Example".
func entryPoints() map[string][]string {
	return map[string][]string{
		"availability":          {"Group_RunWhilePrimary"},
		"availability/agclient": {"Client_DialContext", "Client_RoundTrip"},
		"availability/guardian": {"Start"},
		"availability/httpapi":  {"PrimaryOnly"},

		"dnsstore/dnsstoretest":   {"Run"},
		"dnsstore/rfc2136":        {"Config_Open"},
		"event":                   {"On"},
		"transport/httptransport": {"Transport_For"},
		"transport/transporttest": {"Run"},
	}
}

func TestConstructorsHaveExamples(t *testing.T) {
	t.Parallel()
	const why = "an example is the first thing that is read and copied, and one with an output cannot become wrong unnoticed; " +
		"only what is handed the test that it serves needs no output"
	report(t, why, lackingExamples(sources(t), entryPoints()))
}

func TestConstructorsHaveExamples_Bite(t *testing.T) {
	t.Parallel()
	const constructor = "package x\n\nfunc New() *T { return nil }\n"
	const suite = "package x\n\nfunc Run(t *testing.T) {}\n"
	for name, tt := range map[string]struct {
		code, tests string
		want        int
	}{
		"shown":            {constructor, "package x_test\n\nfunc ExampleNew() {\n\tx.New()\n\t// Output:\n}\n", 0},
		"shown twice":      {constructor, "package x_test\n\nfunc ExampleNew_twice() {\n\tx.New()\n\t// Output: x\n}\n", 0},
		"not shown":        {constructor, "package x_test\n\nfunc TestNew(t *testing.T) {}\n", 1},
		"another":          {constructor, "package x_test\n\nfunc ExampleNewT() {\n\t// Output:\n}\n", 1},
		"never run":        {constructor, "package x_test\n\nfunc ExampleNew() {}\n", 1},
		"entry point":      {"package x\n\nfunc Run() {}\n", "package x_test\n", 1},
		"suite":            {suite, "package x_test\n\nfunc ExampleRun() {}\n", 0},
		"suite unshown":    {suite, "package x_test\n", 1},
		"entry point gone": {"package x\n", "package x_test\n", 1},
		"method":           {"package x\n\nfunc Run() {}\nfunc (T) New() {}\n", "package x_test\n\nfunc ExampleRun() {\n\t// Output:\n}\n", 0},
		"not exported":     {"package x\n\nfunc Run() {}\nfunc newT() {}\n", "package x_test\n\nfunc ExampleRun() {\n\t// Output:\n}\n", 0},
	} {
		all := []source{mustParse(t, "x/x.go", tt.code), mustParse(t, "x/x_test.go", tt.tests)}
		points := map[string][]string{"absent": {"Run"}}
		if !strings.Contains(tt.code, "New() *T") {
			points["x"] = []string{"Run"}
		}
		if got := lackingExamples(all, points); len(got) != tt.want {
			t.Errorf("%s: found %q, want %d", name, got, tt.want)
		}
	}
	internal := mustParse(t, "internal/x/x.go", constructor)
	if got := lackingExamples([]source{internal}, nil); len(got) > 0 {
		t.Errorf("an internal package needs no example: %q", got)
	}
}

// entry is a function that needs an example.
type entry struct {
	at    string
	suite bool // it is handed a test, so its example cannot be run
}

// lackingExamples finds the entry points of public packages that no example
// shows. Directories of points without any file are passed over.
func lackingExamples(all []source, points map[string][]string) []string {
	entries := make(map[string]map[string]entry) // by directory and example name
	examples := make(map[string][]*doc.Example)
	for _, s := range all {
		if !s.public() {
			continue
		}
		if s.test() {
			examples[s.dir()] = append(examples[s.dir()], doc.Examples(s.ast)...)
			continue
		}
		if entries[s.dir()] == nil {
			entries[s.dir()] = make(map[string]entry)
		}
		for _, f := range s.functions() {
			if name := exampleName(f); constructor(f) || slices.Contains(points[s.dir()], name) {
				entries[s.dir()][name] = entry{at: s.at(f, "%s", name), suite: takesTest(f)}
			}
		}
	}
	var findings []string
	for dir, named := range entries {
		for name, e := range named {
			if !shown(name, e, examples[dir]) {
				findings = append(findings, e.at+" has no example with an output")
			}
		}
		for _, name := range points[dir] {
			if _, ok := named[name]; !ok {
				findings = append(findings, fmt.Sprintf("%s: no %s, which is in the list of entry points", dir, name))
			}
		}
	}
	return findings
}

// shown tells whether one of the examples is of that name, with or without a
// suffix.
func shown(name string, e entry, examples []*doc.Example) bool {
	return slices.ContainsFunc(examples, func(x *doc.Example) bool {
		suffix, ok := strings.CutPrefix(x.Name, name)
		if !ok || suffix != "" && !strings.HasPrefix(suffix, "_") {
			return false
		}
		return e.suite || x.Output != "" || x.EmptyOutput
	})
}

// exampleName is the name of the function in the name of its example.
func exampleName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiver(f) + "_" + f.Name.Name
}

func constructor(f *ast.FuncDecl) bool {
	return f.Recv == nil && strings.HasPrefix(f.Name.Name, "New")
}

// takesTest tells whether a parameter is of a type of package testing.
func takesTest(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		typ := p.Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		sel, ok := typ.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && id.Name == "testing"
	})
}
