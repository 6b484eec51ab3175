package mutate

import (
	"go/ast"
	"go/token"
)

// returnEarly leaves a function without results before its last statement.
func returnEarly(g *generator, n ast.Node) {
	body, ok := n.(*ast.BlockStmt)
	if !ok || len(body.List) < 2 || !g.withoutResults(body) {
		return
	}
	last := body.List[len(body.List)-1]
	switch last.(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return
	case *ast.ExprStmt, *ast.AssignStmt, *ast.SendStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt:
		return // the same as to drop the statement
	}
	g.mutate("return-early", last.Pos(), "return before "+short(g.text(last)), insert(last.Pos(), "if true { return }; "))
}

// withoutResults tells the body of a function that returns nothing.
func (g *generator) withoutResults(body *ast.BlockStmt) bool {
	if lit, ok := g.parent(1).(*ast.FuncLit); ok {
		return lit.Type.Results == nil
	}
	if len(g.path) != 1 {
		return false
	}
	for _, d := range g.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body == body {
			return f.Type.Results == nil
		}
	}
	return false
}

// loopOnce ends a loop after its first round.
func loopOnce(g *generator, n ast.Node) {
	var body *ast.BlockStmt
	switch s := n.(type) {
	case *ast.ForStmt:
		body = s.Body
		if s.Cond == nil {
			return // behind an endless loop a return would be missing
		}
	case *ast.RangeStmt:
		body = s.Body
	default:
		return
	}
	if len(body.List) == 0 {
		return
	}
	switch body.List[len(body.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return
	}
	g.mutate("loop-once", n.Pos(), "the loop ended after one round", insert(body.Rbrace, "break; "))
}

// swapJump takes break and continue for each other.
func swapJump(g *generator, n ast.Node) {
	s, ok := n.(*ast.BranchStmt)
	if !ok {
		return
	}
	switch s.Tok {
	case token.BREAK:
		g.mutate("swap-jump", s.Pos(), g.text(s)+" turned into continue", edit{s.Pos(), s.Pos() + token.Pos(len("break")), "continue"})
	case token.CONTINUE:
		g.mutate("swap-jump", s.Pos(), g.text(s)+" turned into break", edit{s.Pos(), s.Pos() + token.Pos(len("continue")), "break"})
	}
}

// inSequence does one after the other what should go on side by side.
func inSequence(g *generator, n ast.Node) {
	switch s := n.(type) {
	case *ast.GoStmt:
		g.mutate("in-sequence", s.Pos(), short(g.text(s))+" waited for", replace(s, g.text(s.Call)))
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok || callee(call) != "Go" || len(call.Args) != 1 {
			return
		}
		if f, ok := call.Args[0].(*ast.FuncLit); ok {
			g.mutate("in-sequence", s.Pos(), short(g.text(s))+" waited for", replace(s, g.text(f)+"()"))
		}
	}
}
