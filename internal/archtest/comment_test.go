package archtest_test

import (
	"fmt"
	"go/ast"
	"path"
	"strings"
	"testing"
)

func docRules() []rule {
	return []rule{
		{
			name: "what is exported has a comment",
			why:  "a reader of go doc sees the name and nothing else; the comment tells units, ranges, errors and who may call",
			check: func(s source) []string {
				if s.test() {
					return nil
				}
				return undocumented(s)
			},
			breaks: uncommented(),
			keeps:  map[string]string{"event/x.go": commented, "event/x_test.go": "package x\n\nfunc F() {}\n"},
		},
	}
}

// uncommented are files that each lack one comment.
func uncommented() map[string]string {
	return map[string]string{
		"event/func.go":      "package x\n\nfunc F() {}\n",
		"event/error.go":     "package x\n\nfunc Error() {}\n",
		"event/method.go":    "package x\n\nfunc (*T) M() {}\n",
		"event/generic.go":   "package x\n\nfunc (T[K]) M() {}\n",
		"event/type.go":      "package x\n\ntype T int\n",
		"event/alias.go":     "package x\n\ntype T = int\n",
		"event/const.go":     "package x\n\nconst C = 1\n",
		"event/var.go":       "package x\n\nvar ErrX = errors.New(\"x\")\n",
		"event/field.go":     "package x\n\n// T is.\ntype T struct {\n\tF int\n}\n",
		"event/apart.go":     "package x\n\n// T is.\ntype T struct {\n\t// F is.\n\tF int\n\n\tG int\n}\n",
		"event/interface.go": "package x\n\n// I is.\ntype I interface {\n\tM()\n\n\tN()\n}\n",
		"event/directive.go": "package x\n\n//go:noinline\nfunc F() {}\n",
	}
}

// commented is a file in which nothing lacks a comment.
const commented = `package x

// F does.
func F() {}

// T is.
type T struct {
	// F and G are.
	F int
	G int
	H int // H is.
	io.Reader
	hidden int
}

// M does.
func (t *T) M() {}

func (t hidden) M() {}

func (t *T) Error() string { return "" }

// I is.
type I interface {
	// M does.
	M()
	N() // N does.
	hidden()
}

// H handles.
type H interface {
	Handle()
}

// The numbers.
const (
	C = iota
	D
)

const E = 1 // E is.

type hidden struct{ Field int }
`

// undocumented returns what is exported by the file and has no comment. Of
// fields, a comment also covers those on the next lines up to a blank one. A
// field counts in packages that a host imports.
func undocumented(s source) []string {
	var findings []string
	for _, d := range s.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && receiverExported(d) && d.Doc.Text() == "" && !ofError(d) {
				findings = append(findings, s.at(d, "%s has no comment", d.Name.Name))
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				findings = append(findings, undocumentedSpec(s, d, spec)...)
			}
		}
	}
	return findings
}

func undocumentedSpec(s source, d *ast.GenDecl, spec ast.Spec) []string {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		findings := undocumentedMembers(s, spec)
		if spec.Doc.Text() == "" && d.Doc.Text() == "" {
			findings = append(findings, s.at(spec, "type %s has no comment", spec.Name.Name))
		}
		return findings
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && spec.Doc.Text()+spec.Comment.Text()+d.Doc.Text() == "" {
				return []string{s.at(spec, "%s %s has no comment", d.Tok, name.Name)}
			}
		}
	}
	return nil
}

func undocumentedMembers(s source, spec *ast.TypeSpec) []string {
	var fields *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		if !s.public() {
			return nil
		}
		fields = t.Fields
	case *ast.InterfaceType:
		if ownMethods(t) == 1 {
			return nil // the comment of the interface is the method's
		}
		fields = t.Methods
	default:
		return nil
	}
	var findings []string
	covered := -1 // the last line that a comment above covers
	for _, f := range fields.List {
		if f.Doc.Text() != "" || s.line(f.Pos()) == covered+1 {
			covered = s.line(f.End())
			continue
		}
		for _, name := range f.Names {
			if name.IsExported() && f.Comment.Text() == "" {
				findings = append(findings, s.at(f, "%s.%s has no comment", spec.Name.Name, name.Name))
			}
		}
	}
	return findings
}

// ownMethods is the number of methods that an interface does not take from
// another.
func ownMethods(t *ast.InterfaceType) int {
	n := 0
	for _, f := range t.Methods.List {
		n += len(f.Names)
	}
	return n
}

// receiverExported tells whether a function is one that a reader of the
// package sees: no method, or one of an exported type.
func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	return ast.IsExported(receiver(f))
}

// ofError tells whether a function is a method of every error, of which there
// is nothing to say.
func ofError(f *ast.FuncDecl) bool {
	return f.Recv != nil && (f.Name.Name == "Error" || f.Name.Name == "Unwrap")
}

// receiver is the name of the type that a method belongs to.
func receiver(f *ast.FuncDecl) string {
	e := f.Recv.List[0].Type
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	const why = "a package says in one place what it promises and what not: one package comment, in doc.go (or, for a program, in main.go)"
	report(t, why, packageComments(sources(t)))
}

func TestPackageComments_Bite(t *testing.T) {
	t.Parallel()
	const comment = "// Package x is.\npackage x\n"
	const bare = "package x\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int
	}{
		"in doc.go":         {map[string]string{"x/doc.go": comment, "x/x.go": bare}, 0},
		"program":           {map[string]string{"x/main.go": "// Command x does.\npackage main\n"}, 0},
		"none":              {map[string]string{"x/x.go": bare}, 1},
		"tests only":        {map[string]string{"x/x_test.go": bare}, 1},
		"elsewhere":         {map[string]string{"x/x.go": comment}, 1},
		"twice":             {map[string]string{"x/doc.go": comment, "x/x.go": comment}, 1},
		"in a test":         {map[string]string{"x/doc.go": comment, "x/x_test.go": comment}, 1},
		"in an outer test":  {map[string]string{"x/doc.go": comment, "x/x_test.go": "// Package x_test is.\npackage x_test\n"}, 1},
		"only a directive":  {map[string]string{"x/doc.go": "//go:build linux\npackage x\n"}, 1},
		"library's main.go": {map[string]string{"x/main.go": comment}, 1},
	} {
		var all []source
		for path, text := range tt.files {
			all = append(all, mustParse(t, path, text))
		}
		if got := packageComments(all); len(got) != tt.want {
			t.Errorf("%s: found %q, want %d", name, got, tt.want)
		}
	}
}

// packageComments finds the packages that do not have exactly one comment, and
// the comments in the wrong file.
func packageComments(all []source) []string {
	var findings []string
	comments := make(map[string]int)
	for _, s := range all {
		n := comments[s.dir()]
		if s.ast.Doc.Text() != "" {
			n++
			if !commentPlace(s) {
				findings = append(findings, fmt.Sprintf("%s: package comment outside doc.go", s.path))
				n--
			}
		}
		comments[s.dir()] = n
	}
	for dir, n := range comments {
		if n != 1 && !mentions(findings, dir) {
			findings = append(findings, fmt.Sprintf("%s: %d package comments", dir, n))
		}
	}
	return findings
}

func commentPlace(s source) bool {
	switch path.Base(s.path) {
	case "doc.go":
		return true
	case "main.go":
		return s.ast.Name.Name == "main"
	}
	return false
}

// mentions tells whether something was found in the directory already.
func mentions(findings []string, dir string) bool {
	for _, f := range findings {
		file, _, _ := strings.Cut(f, ":")
		if path.Dir(file) == dir {
			return true
		}
	}
	return false
}
