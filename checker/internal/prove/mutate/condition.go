package mutate

import (
	"go/ast"
	"go/token"
	"strings"
)

// invertCondition makes an if take the other way.
func invertCondition(g *generator, n ast.Node) {
	s, ok := n.(*ast.IfStmt)
	if !ok {
		return
	}
	cond := g.text(s.Cond)
	g.mutate("invert-condition", s.Cond.Pos(), "if "+short(cond)+" inverted", replace(s.Cond, "!("+cond+")"))
}

// ignoreError makes an if about an error never happen.
func ignoreError(g *generator, n ast.Node) {
	s, ok := n.(*ast.IfStmt)
	if !ok {
		return
	}
	cond, ok := s.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ || g.text(cond.Y) != "nil" || !strings.Contains(strings.ToLower(g.text(cond.X)), "err") {
		return
	}
	g.mutate("ignore-error", s.Cond.Pos(), "the error in "+short(g.text(cond))+" ignored", replace(cond, g.text(cond)+" && false"))
}

// dropResultError returns success where a failure was known.
func dropResultError(g *generator, n ast.Node) {
	s, ok := n.(*ast.ReturnStmt)
	if !ok || len(s.Results) == 0 {
		return
	}
	last := s.Results[len(s.Results)-1]
	isError := false
	switch x := last.(type) {
	case *ast.Ident:
		isError = strings.HasPrefix(strings.ToLower(x.Name), "err") || strings.HasSuffix(x.Name, "Err")
	case *ast.SelectorExpr:
		isError = strings.HasPrefix(strings.ToLower(x.Sel.Name), "err")
	case *ast.CallExpr:
		text := g.text(x.Fun)
		isError = text == "fmt.Errorf" || strings.HasPrefix(text, "errors.") && text != "errors.Is" && text != "errors.As" || x.Fun != nil && callee(x) == "Err"
	}
	if !isError {
		return
	}
	description := short(g.text(last)) + " not returned"
	if !g.mutate("drop-error", last.Pos(), description, replace(last, "nil")) {
		if id, ok := last.(*ast.Ident); ok { // it would be unused
			g.mutate("drop-error", last.Pos(), description, insert(s.Pos(), "_ = "+id.Name+"; "), replace(last, "nil"))
		}
	}
}

// bounds are the comparisons that differ in one value.
var bounds = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}

// moveBound makes a comparison off by one.
func moveBound(g *generator, n ast.Node) {
	if x, ok := n.(*ast.BinaryExpr); ok && bounds[x.Op] != 0 {
		g.operator("move-bound", x, bounds[x.Op])
	}
}

// others are operators taken for each other.
var others = map[token.Token]token.Token{
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.EQL: token.NEQ, token.NEQ: token.EQL,
}

// swapOperator takes another operator. The condition of an if as a whole is
// invertCondition's.
func swapOperator(g *generator, n ast.Node) {
	x, ok := n.(*ast.BinaryExpr)
	if !ok || others[x.Op] == 0 {
		return
	}
	if s, ok := g.parent(1).(*ast.IfStmt); ok && s.Cond == x && (x.Op == token.EQL || x.Op == token.NEQ) {
		return
	}
	if isString(x.X) || isString(x.Y) || duration(g, x) {
		return
	}
	g.operator("swap-operator", x, others[x.Op])
}

func (g *generator) operator(name string, x *ast.BinaryExpr, to token.Token) {
	g.mutate(name, x.OpPos, short(g.text(x))+" with "+to.String(),
		edit{x.OpPos, x.OpPos + token.Pos(len(x.Op.String())), to.String()})
}

func isString(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BasicLit:
		return x.Kind == token.STRING
	case *ast.BinaryExpr:
		return isString(x.X) || isString(x.Y)
	}
	return false
}

// duration tells a number of seconds or the like: how long exactly is seldom
// a matter of right and wrong.
func duration(g *generator, x *ast.BinaryExpr) bool {
	return x.Op == token.MUL && (strings.HasPrefix(g.text(x.X), "time.") || strings.HasPrefix(g.text(x.Y), "time."))
}
