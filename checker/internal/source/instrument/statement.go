package instrument

import (
	"fmt"
	"go/ast"
	"go/token"
	"hash/fnv"
)

// node puts hooks into one list of statements; ast.Inspect leads it to all.
func (w *writer) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BlockStmt:
		w.list(n.List)
	case *ast.CaseClause:
		w.list(n.Body)
	case *ast.CommClause:
		w.list(n.Body)
	case *ast.GoStmt:
		// A goroutine's first statement too may come late.
		if f, ok := n.Call.Fun.(*ast.FuncLit); ok {
			w.point(f.Body.Lbrace + 1)
		}
	case *ast.CallExpr:
		if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" && len(n.Args) == 1 { // of a wait group
			if f, ok := n.Args[0].(*ast.FuncLit); ok {
				w.point(f.Body.Lbrace + 1)
			}
		}
		w.operands(n)
	}
	return true
}

func (w *writer) list(list []ast.Stmt) {
	for i, s := range list {
		switch s.(type) {
		case *ast.CaseClause, *ast.CommClause, *ast.EmptyStmt:
			continue // the clauses of a switch, in its block
		}
		w.statement(s, i == len(list)-1)
	}
}

// statement puts hooks before, behind and into the first level of a statement.
func (w *writer) statement(labelled ast.Stmt, last bool) {
	s := labelled
	for {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			break
		}
		s = l.Stmt
	}
	h := w.header(s)
	// Before the label, not behind it: break and continue need it at the loop.
	at := labelled.Pos()
	if h.synchronises {
		w.point(at)
		if loop, ok := s.(*ast.ForStmt); ok && (w.header(loop.Post).synchronises || w.expression(loop.Cond).synchronises) {
			w.point(loop.Body.Lbrace + 1)
		}
	}
	if h.starts && w.hooks&Points != 0 {
		w.insert(at, w.alias+".Starting();")
	}
	if h.opening == nil || w.hooks&Sites == 0 {
		return
	}
	site := fmt.Sprintf("(%q,%q)", h.kind, fmt.Sprintf("%s:%d", w.name, w.file.Line(h.opening.Pos())))
	w.insert(at, w.alias+".Opening"+site+";")
	opened := w.alias + ".Opened" + site
	if _, ok := s.(*ast.ReturnStmt); ok {
		// Behind the results, before the function's own deferred calls.
		w.insert(at, "defer "+opened+";")
		return
	}
	for _, body := range bodies(s) {
		w.insert(body, opened+";")
	}
	if !last || goesOn(s) {
		w.insert(labelled.End(), ";"+opened)
	}
}

// point puts a delay before what stands at a place. Its number depends on the
// file's name and on how many come before it.
func (w *writer) point(at token.Pos) {
	if w.hooks&Points != 0 {
		w.insert(at, fmt.Sprintf("%s.Point(%d);", w.alias, w.number()))
	}
}

func (w *writer) number() uint32 {
	w.points++
	h := fnv.New32a()
	fmt.Fprint(h, w.name, w.points)
	return h.Sum32()
}

// operands puts a delay between two accesses in one expression, as in
//
//	m.Store(0, m.Load(0)+1)
//
// where no statement can stand. Only an operand that must be one value is
// wrapped: one beside others in an argument list, or beside an operator.
func (w *writer) operands(outer *ast.CallExpr) {
	if w.hooks&Points == 0 || !w.synchronises(outer) {
		return
	}
	for _, arg := range outer.Args {
		if inner, ok := arg.(*ast.CallExpr); ok && len(outer.Args) > 1 {
			w.wrap(inner)
		}
		ast.Inspect(arg, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				for _, x := range []ast.Expr{n.X, n.Y} {
					if inner, ok := x.(*ast.CallExpr); ok {
						w.wrap(inner)
					}
				}
			case *ast.CallExpr, *ast.FuncLit:
				return false
			}
			return true
		})
	}
}

func (w *writer) wrap(call *ast.CallExpr) {
	if w.synchronises(call) {
		w.insert(call.Pos(), w.alias+".After(")
		w.insert(call.End(), fmt.Sprintf(",%d)", w.number()))
	}
}

// goesOn tells a statement behind which the function surely goes on. Behind any
// other, if it is the last, a hook might make the compiler miss a return.
func goesOn(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.IfStmt:
		return s.Else == nil
	case *ast.ForStmt:
		return s.Cond != nil
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return true
		}
		id, ok := call.Fun.(*ast.Ident)
		return !ok || id.Name != "panic"
	case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.BlockStmt:
		return false
	}
	return true
}

// bodies returns the places at which the bodies of a compound statement begin.
func bodies(s ast.Stmt) []token.Pos {
	var at []token.Pos
	switch s := s.(type) {
	case *ast.IfStmt:
		at = append(at, s.Body.Lbrace+1)
		switch e := s.Else.(type) {
		case *ast.BlockStmt:
			at = append(at, e.Lbrace+1)
		case *ast.IfStmt:
			at = append(at, bodies(e)...)
		}
	case *ast.ForStmt:
		at = append(at, s.Body.Lbrace+1)
	case *ast.RangeStmt:
		at = append(at, s.Body.Lbrace+1)
	case *ast.SwitchStmt:
		at = clauses(s.Body)
	case *ast.TypeSwitchStmt:
		at = clauses(s.Body)
	}
	return at
}

func clauses(b *ast.BlockStmt) []token.Pos {
	var at []token.Pos
	for _, c := range b.List {
		if c, ok := c.(*ast.CaseClause); ok {
			at = append(at, c.Colon+1)
		}
	}
	return at
}
