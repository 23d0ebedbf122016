package archtest_test

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
)

func globalRules() []rule {
	return []rule{
		{
			name: "nothing happens at import",
			why:  "an import that runs code cannot be ordered, configured or refused by the host program",
			check: func(s source) []string {
				var findings []string
				for _, f := range s.functions() {
					if f.Name.Name == "init" && f.Recv == nil {
						findings = append(findings, s.at(f, "init function"))
					}
				}
				return findings
			},
			breaks: map[string]string{"event/x.go": "package x\n\nfunc init() {}\n", "event/x_test.go": "package x\n\nfunc init() {}\n"},
			keeps:  map[string]string{"event/x.go": "package x\n\ntype t int\n\nfunc (t) init() {}\n"},
		},
		{
			name:   "no global state",
			why:    "two groups in one process share nothing; of variables a package has its error sentinels, its interface assertions and its embedded files",
			check:  packageVariables,
			breaks: variablesRefused(),
			keeps: map[string]string{
				"event/x.go": "package x\n\nvar _ I = (*T)(nil)\n\nvar (\n\tErrX = errors.New(\"x\")\n\terrY = errors.New(\"y\")\n\tErrZ = journal.ErrZ\n)\n\n" +
					"//go:embed page.html\nvar page []byte\n\nfunc f() { var local int; _ = local }\n",
				"event/x_test.go": "package x\n\nvar update = flag.Bool(\"update\", false, \"\")\n",
			},
		},
		{
			name: "goroutines have an owner",
			why: "a goroutine that nobody awaits outlives Run, and may use what is closed; use sync.WaitGroup.Go or an errgroup, which are awaited. " +
				"The go statement is for the examples, which own their process, for the suites and servers of the tests, and for " +
				strings.Join(slices.Sorted(maps.Keys(goFiles())), ", "),
			check:  goStatements,
			breaks: map[string]string{"event/x.go": "package x\n\nfunc f() { go f() }\n", "availability/group.go": "package x\n\nfunc f() { func() { go f() }() }\n"},
			keeps: map[string]string{
				"availability/driver.go": "package x\n\nfunc f() { go f() }\n", "examples/node/main.go": "package main\n\nfunc main() { go main() }\n",
				"event/x_test.go": "package x\n\nfunc f() { go f() }\n", "dnsstore/dnsstoretest/x.go": "package x\n\nfunc f() { go f() }\n",
				"event/x.go": "package x\n\nfunc f() { wg.Go(f) }\n",
			},
		},
	}
}

// variablesRefused are package variables that look much like those that are
// allowed.
func variablesRefused() map[string]string {
	return map[string]string{
		"event/counter.go":  "package x\n\nvar counter int\n",
		"event/table.go":    "package x\n\nvar table = map[string]int{}\n",
		"event/errorf.go":   "package x\n\nvar ErrX = fmt.Errorf(\"x\")\n",
		"event/exported.go": "package x\n\n//go:embed page.html\nvar Page []byte\n",
		"event/value.go":    "package x\n\nvar _ = register()\n",
		"event/hook.go":     "package x\n\nvar now = time.Now\n",
		"event/name.go":     "package x\n\nvar notFound = errors.New(\"x\")\n",
	}
}

func packageVariables(s source) []string {
	if s.test() {
		return nil
	}
	var findings []string
	for _, d := range s.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if ok && !assertion(v) && !sentinel(v) && !embedded(g, v) {
				findings = append(findings, s.at(v, "package variable %s", v.Names[0].Name))
			}
		}
	}
	return findings
}

// assertion tells whether the variable is of the form var _ I = (*T)(nil).
func assertion(v *ast.ValueSpec) bool {
	return len(v.Names) == 1 && v.Names[0].Name == "_" && v.Type != nil
}

// sentinel tells whether the variable is of the form ErrX = errors.New("…"),
// or ErrX = other.ErrX.
func sentinel(v *ast.ValueSpec) bool {
	if len(v.Names) != 1 || len(v.Values) != 1 {
		return false
	}
	name := v.Names[0].Name
	if !strings.HasPrefix(name, "Err") && !strings.HasPrefix(name, "err") {
		return false
	}
	switch value := v.Values[0].(type) {
	case *ast.CallExpr:
		return selects(value.Fun, "errors", "New")
	case *ast.SelectorExpr:
		return strings.HasPrefix(value.Sel.Name, "Err")
	}
	return false
}

// embedded tells whether the variable is a file that the compiler puts in:
// there is no other place for one.
func embedded(g *ast.GenDecl, v *ast.ValueSpec) bool {
	if len(v.Names) != 1 || v.Names[0].IsExported() || len(v.Values) > 0 {
		return false
	}
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// selects tells whether the expression is name.member.
func selects(e ast.Expr, name, member string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != member {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == name
}

// goFiles are the files of the library that start goroutines by a go
// statement, and why.
func goFiles() map[string]string {
	return map[string]string{
		"availability/driver.go":             "the driver awaits its own before Run returns",
		"transport/internal/serving/desk.go": "a call is counted under the lock that Serve takes to stop, so before WaitGroup.Go could",
	}
}

func goStatements(s source) []string {
	if s.test() || s.suite() || s.in("examples", "internal/testserver", "internal/testdns") || goFiles()[s.path] != "" {
		return nil
	}
	var findings []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			findings = append(findings, s.at(g, "go statement"))
		}
		return true
	})
	return findings
}
