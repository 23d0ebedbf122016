package mutant

import (
	"go/ast"
	"go/token"
)

// search looks for what stands at a place.
type search struct {
	*file
	at      place
	parents []ast.Node
	results []*ast.FieldList // of the functions around, the innermost last

	statements bool
	expression ast.Expr
	boolean    bool // by what stands around it
}

func (s *search) visit(n ast.Node) bool {
	if n == nil {
		s.leave()
		return false
	}
	switch n := n.(type) {
	case *ast.FuncLit:
		s.results = append(s.results, n.Type.Results)
	case *ast.BlockStmt:
		s.list(n.List)
	case *ast.CaseClause:
		s.list(n.Body)
	}
	if e, ok := n.(ast.Expr); ok && s.expression == nil && s.is(n.Pos(), n.End()) {
		s.expression = e
		s.boolean = s.expectsBool(e)
	}
	s.parents = append(s.parents, n)
	return true
}

func (s *search) leave() {
	last := len(s.parents) - 1
	if _, ok := s.parents[last].(*ast.FuncLit); ok {
		s.results = s.results[:len(s.results)-1]
	}
	s.parents = s.parents[:last]
}

func (s *search) is(from, to token.Pos) bool {
	return s.offset(from) == s.at.from && s.offset(to) == s.at.to
}

// list looks for the place among the statements of a block.
func (s *search) list(all []ast.Stmt) {
	for i, first := range all {
		if _, ok := first.(*ast.CaseClause); ok {
			return // of a switch; what can be replaced is in the clauses
		}
		for _, last := range all[i:] {
			if s.is(first.Pos(), last.End()) {
				s.statements = true
			}
		}
	}
}

// expectsBool tells whether only true or false can stand where e does.
func (s *search) expectsBool(e ast.Expr) bool {
	switch p := s.parents[len(s.parents)-1].(type) {
	case *ast.IfStmt:
		return p.Cond == e
	case *ast.ForStmt:
		return p.Cond == e
	case *ast.UnaryExpr:
		return p.Op == token.NOT
	case *ast.BinaryExpr:
		return p.Op == token.LAND || p.Op == token.LOR
	case *ast.CaseClause:
		return s.switchesOnNothing()
	case *ast.ReturnStmt:
		return s.returnsBool(p, e)
	}
	return false
}

// switchesOnNothing: the clause that is being visited belongs to a switch
// without a tag.
func (s *search) switchesOnNothing() bool {
	const clauseBlockSwitch = 3
	if len(s.parents) < clauseBlockSwitch {
		return false
	}
	sw, ok := s.parents[len(s.parents)-clauseBlockSwitch].(*ast.SwitchStmt)
	return ok && sw.Tag == nil
}

func (s *search) returnsBool(r *ast.ReturnStmt, e ast.Expr) bool {
	fields := s.results[len(s.results)-1]
	if fields == nil || fields.NumFields() != len(r.Results) {
		return false
	}
	var types []ast.Expr
	for _, f := range fields.List {
		for range max(1, len(f.Names)) {
			types = append(types, f.Type)
		}
	}
	for i, x := range r.Results {
		if id, ok := types[i].(*ast.Ident); ok && x == e {
			return id.Name == "bool"
		}
	}
	return false
}
