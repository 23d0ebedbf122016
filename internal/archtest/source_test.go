package archtest_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the path of the root module.
const module = "github.com/availabilitygroup/ag"

// root is the directory of the root module, seen from this package.
const root = "../.."

// source is one Go file of the root module.
type source struct {
	path string // from the root, with slashes
	text []byte
	fset *token.FileSet
	ast  *ast.File
}

// dir is the directory of the file, from the root.
func (s source) dir() string { return path.Dir(s.path) }

// test tells whether the file is compiled into tests only.
func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// in tells whether the file is in one of the directories or below it.
func (s source) in(dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool {
		return s.dir() == d || strings.HasPrefix(s.dir(), d+"/")
	})
}

// public tells whether a host program can import the package of the file.
func (s source) public() bool { return importable(s.dir()) }

// importable tells whether a host program can import the package in a
// directory.
func importable(dir string) bool {
	return !strings.HasPrefix(dir+"/", "examples/") && !slices.Contains(strings.Split(dir, "/"), "internal")
}

// suite tells whether the file belongs to a package that tests import:
// dnsstoretest, transporttest, agtest and the like.
func (s source) suite() bool { return strings.HasSuffix(s.dir(), "test") }

// imports are the paths the file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // the parser has checked it
			paths = append(paths, p)
		}
	}
	return paths
}

// at returns a finding at the position of a node.
func (s source) at(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.line(n.Pos()), fmt.Sprintf(format, args...))
}

func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }

// lines is the number of lines from the first to the last of a node.
func (s source) lines(n ast.Node) int { return s.line(n.End()) - s.line(n.Pos()) + 1 }

// length is the number of lines of the file.
func (s source) length() int { return bytes.Count(s.text, []byte("\n")) }

// functions are the functions and methods of the file that have a body.
func (s source) functions() []*ast.FuncDecl {
	var found []*ast.FuncDecl
	for _, d := range s.ast.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			found = append(found, f)
		}
	}
	return found
}

// parse makes a source of a text.
func parse(name string, text []byte) (source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, fmt.Errorf("parse %s: %w", name, err)
	}
	return source{path: name, text: text, fset: fset, ast: f}, nil
}

// sources returns every Go file of the root module, whatever system it is for.
func sources(t *testing.T) []source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d Go files below %s: the rules would check nothing", len(all), root)
	}
	return all
}

var parsed = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return fmt.Errorf("read source: %w", err)
		}
		s, err := parse(name, text)
		all = append(all, s)
		return err
	}, nested)
	return all, err
})

// walk calls visit with the path of each file of the repository. It leaves out
// version control, and every directory that skip names.
func walk(visit func(name string) error, skip func(dir string) bool) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || skip(name)):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		return visit(name)
	})
}

// nested tells whether a directory is a module of its own, or one that the go
// command does not look into either.
func nested(dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(dir), "go.mod"))
	return err == nil
}

// report fails the test with what a rule found, and with the rule's reason.
func report(t *testing.T, why string, findings []string) {
	t.Helper()
	if len(findings) > 0 {
		slices.Sort(findings)
		t.Errorf("%s\nWhy: %s", strings.Join(findings, "\n"), why)
	}
}
