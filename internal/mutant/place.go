package mutant

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// file is a source in which places are looked for.
type file struct {
	text string
	ast  *ast.File
	base int // position of the first byte
}

func parseFile(name, text string) (*file, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	return &file{text: text, ast: f, base: set.File(f.Pos()).Base()}, nil
}

// place is what a mutant replaces: bytes of a file, and what they are.
type place struct {
	from, to int
	kind     shape
}

// shape is what kind of code a place is.
type shape uint8

const (
	value     shape = iota // an expression
	condition              // an expression that is true or false
	statement              // one or more statements
)

// find returns the place of a mutant.
func (f *file) find(m Mutant) (place, error) {
	fun := f.function(m.Func)
	if fun == nil {
		return place{}, fmt.Errorf("%w: %s: %s has no function %s", ErrTable, m.ID, m.File, m.Func)
	}
	from, to := f.offset(fun.Pos()), f.offset(fun.End())
	hits := pattern(m.Old).FindAllStringSubmatchIndex(f.text[from:to], -1)
	if len(hits) != 1 {
		return place{}, fmt.Errorf("%w: %s: %s has %q %d times, not once", ErrTable, m.ID, m.Func, m.Old, len(hits))
	}
	p := place{from: from + hits[0][2], to: from + hits[0][3]}
	kind, ok := f.shape(fun, p, m.New)
	if !ok {
		return place{}, fmt.Errorf("%w: %s: %q is neither an expression nor statements", ErrTable, m.ID, f.text[p.from:p.to])
	}
	p.kind = kind
	return p, nil
}

func (f *file) offset(p token.Pos) int { return int(p) - f.base }

func (f *file) function(name string) *ast.FuncDecl {
	for _, d := range f.ast.Decls {
		if fun, ok := d.(*ast.FuncDecl); ok && fun.Name.Name == name {
			return fun
		}
	}
	return nil
}

// pattern matches the text of an entry, with any white space for a blank; its
// first group is the part to be replaced.
func pattern(old string) *regexp.Regexp {
	before, rest, marked := strings.Cut(old, "«")
	inside, after, _ := strings.Cut(rest, "»")
	if !marked {
		before, inside, after = "", old, ""
	}
	return regexp.MustCompile(loose(before) + "(" + loose(inside) + ")" + loose(after))
}

// loose quotes a text; a blank stands for any white space, a semicolon for the
// end of a statement.
func loose(text string) string {
	text = regexp.QuoteMeta(text)
	text = strings.ReplaceAll(text, "; ", `(?:;|\s)\s*`)
	return strings.ReplaceAll(text, " ", `\s+`)
}

// shape tells what stands at a place.
func (f *file) shape(fun *ast.FuncDecl, p place, replacement string) (shape, bool) {
	s := &search{file: f, at: p, results: []*ast.FieldList{fun.Type.Results}}
	ast.Inspect(fun.Body, s.visit)
	switch {
	case s.statements:
		return statement, true
	case s.expression == nil:
		return value, false
	case s.boolean || logical(s.expression):
		return condition, true
	}
	if e, err := parser.ParseExpr(replacement); err == nil && logical(e) {
		return condition, true
	}
	return value, true
}

// logical tells whether an expression is true or false by its form.
func logical(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return logical(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	case *ast.Ident:
		return e.Name == "true" || e.Name == "false"
	case *ast.BinaryExpr:
		switch e.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
			return true
		default:
			return false
		}
	}
	return false
}
