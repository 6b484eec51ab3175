package instrument

import (
	"go/ast"
	"go/token"
)

// header is what a statement does before any statement inside of it runs.
type header struct {
	synchronises bool
	starts       bool
	opening      *ast.CallExpr // the first call that opens something
	kind         string        // what it opens
}

func (w *writer) header(s ast.Stmt) header {
	h := header{}
	for _, n := range heads(s) {
		h.add(w, n)
	}
	if _, ok := s.(*ast.SelectStmt); ok {
		h.synchronises = true
	}
	return h
}

func (w *writer) expression(x ast.Expr) header {
	h := header{}
	if x != nil {
		h.add(w, x)
	}
	return h
}

// heads returns the parts of a statement that are evaluated when it begins, or
// again and again beside its body.
func heads(s ast.Stmt) []ast.Node {
	var nodes []ast.Node
	add := func(n ast.Node, there bool) {
		if there {
			nodes = append(nodes, n)
		}
	}
	switch s := s.(type) {
	case nil:
	case *ast.IfStmt:
		add(s.Init, s.Init != nil)
		add(s.Cond, true)
		if e, ok := s.Else.(*ast.IfStmt); ok {
			nodes = append(nodes, heads(e)...)
		}
	case *ast.ForStmt:
		add(s.Init, s.Init != nil)
		add(s.Cond, s.Cond != nil)
		add(s.Post, s.Post != nil)
	case *ast.RangeStmt:
		add(s.X, true)
	case *ast.SwitchStmt:
		add(s.Init, s.Init != nil)
		add(s.Tag, s.Tag != nil)
		for _, c := range s.Body.List {
			if c, ok := c.(*ast.CaseClause); ok {
				for _, x := range c.List {
					add(x, true)
				}
			}
		}
	case *ast.TypeSwitchStmt:
		add(s.Init, s.Init != nil)
		add(s.Assign, true)
	case *ast.GoStmt:
		nodes = arguments(s.Call)
	case *ast.DeferStmt:
		nodes = arguments(s.Call)
	case *ast.BlockStmt, *ast.SelectStmt, *ast.LabeledStmt:
	default:
		add(s, true)
	}
	return nodes
}

// arguments returns what is evaluated at once of a call that happens later.
func arguments(call *ast.CallExpr) []ast.Node {
	var nodes []ast.Node
	for _, arg := range call.Args {
		nodes = append(nodes, arg)
	}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		nodes = append(nodes, sel.X)
	}
	return nodes
}

func (h *header) add(w *writer, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // its statements are a list of their own
		case *ast.SendStmt:
			h.synchronises = true
		case *ast.UnaryExpr:
			h.synchronises = h.synchronises || n.Op == token.ARROW
		case *ast.CallExpr:
			h.synchronises = h.synchronises || w.synchronises(n)
			h.starts = h.starts || w.starts(n)
			if kind := w.opens(n); kind != opensNothing && h.opening == nil {
				h.opening, h.kind = n, kind
			}
		}
		return true
	})
}
