package mutate

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// dropped names the operator for a call that is left out, by what is called.
// Any other call is "drop-call".
var dropped = map[string]string{
	"Wait": "drop-wait", "Wait4": "drop-wait", "Join": "drop-wait",
	"Close": "drop-close", "close": "drop-close", "CloseWrite": "drop-close", "CloseRead": "drop-close", "CloseOnExec": "drop-close",
	"Unlock": "drop-unlock", "RUnlock": "drop-unlock", "Release": "drop-unlock", "Lock": "drop-lock", "RLock": "drop-lock", "Acquire": "drop-lock",
	"Remove": "drop-remove", "RemoveAll": "drop-remove", "Unlink": "drop-remove", "Unmap": "drop-remove", "Munmap": "drop-remove",
	"Kill": "drop-signal", "Signal": "drop-signal", "Broadcast": "drop-signal", "Flush": "drop-flush", "Stop": "drop-stop",
}

// dropStatement leaves out a statement that is there for its effect: a call, a
// send, an assignment to what exists already.
func dropStatement(g *generator, n ast.Node) {
	s, ok := n.(ast.Stmt)
	if !ok || !slices.Contains(list(g.parent(1)), s) {
		return // a part of another statement: what a loop begins with, what a case receives
	}
	switch s := s.(type) {
	case *ast.ExprStmt:
		g.dropCall(s, s.X)
	case *ast.AssignStmt:
		if blank(s.Lhs) && len(s.Rhs) == 1 {
			g.dropCall(s, s.Rhs[0])
		} else if s.Tok != token.DEFINE {
			g.drop("drop-assign", s, used(s.Rhs))
		}
	case *ast.IncDecStmt:
		g.drop("drop-assign", s, "")
	case *ast.SendStmt:
		g.drop("drop-send", s, "_, _ = "+g.text(s.Chan)+", "+g.text(s.Value))
	case *ast.GoStmt:
		g.drop("drop-go", s, "")
	}
}

func (g *generator) dropCall(s ast.Stmt, x ast.Expr) {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		if u, ok := ast.Unparen(x).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
			g.drop("drop-receive", s, "_ = "+g.text(u.X))
		}
		return
	}
	name := callee(call)
	if name == "panic" || ownError(call) {
		return
	}
	operator, ok := dropped[name]
	if !ok {
		operator = "drop-call"
	}
	keep := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		keep = "_ = " + g.text(f) // a method value still uses what it is of
	case *ast.Ident:
		keep = used(call.Args)
	}
	g.drop(operator, s, keep)
}

// drop leaves out a statement; if a variable or an import would then be unused,
// keep stands in its place, which uses them and does nothing.
func (g *generator) drop(operator string, s ast.Stmt, keep string) {
	description := short(g.text(s)) + " dropped"
	if keep != "" && g.lastUse(s) || !g.mutate(operator, s.Pos(), description, replace(s, "")) && keep != "" {
		g.mutate(operator, s.Pos(), description, replace(s, keep))
	}
}

// lastUse tells whether a name in a statement stands in one other place of the
// function only, and is defined there. The type checker sees this by itself, but
// not where the value comes from a package that it has not got.
func (g *generator) lastUse(s ast.Stmt) bool {
	defined := map[string]bool{}
	count := func(n ast.Node, by int, names map[string]int) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				names[n.Name] += by
			case *ast.RangeStmt:
				for _, x := range []ast.Expr{n.Key, n.Value} {
					if id, ok := x.(*ast.Ident); ok && n.Tok == token.DEFINE {
						defined[id.Name] = true
					}
				}
			case *ast.AssignStmt:
				for _, x := range n.Lhs {
					if id, ok := x.(*ast.Ident); ok && n.Tok == token.DEFINE {
						defined[id.Name] = true
					}
				}
			}
			return true
		})
	}
	others, here := map[string]int{}, map[string]int{}
	count(g.path[0], 1, others)
	count(s, -1, others)
	count(s, 1, here)
	for name := range here {
		if defined[name] && others[name] == 1 {
			return true
		}
	}
	return false
}

// used returns a statement that uses the variables that the expressions are.
func used(xs []ast.Expr) string {
	var names []string
	for _, x := range xs {
		if id, ok := x.(*ast.Ident); ok && id.Name != "nil" && id.Name != "true" && id.Name != "false" {
			names = append(names, id.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Repeat("_, ", len(names)-1) + "_ = " + strings.Join(names, ", ")
}

// ownError tells a call that only says something to a person: no test is to
// depend on it.
func ownError(call *ast.CallExpr) bool {
	if len(call.Args) == 0 || !strings.HasPrefix(callee(call), "Fprint") {
		return false
	}
	sel, ok := call.Args[0].(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Stderr"
}

// dropDefer leaves out what is to happen at the function's end.
func dropDefer(g *generator, n ast.Node) {
	s, ok := n.(*ast.DeferStmt)
	if !ok {
		return
	}
	keep := ""
	if sel, ok := s.Call.Fun.(*ast.SelectorExpr); ok {
		keep = "_ = " + g.text(sel)
	} else if id, ok := s.Call.Fun.(*ast.Ident); ok && id.Name != "close" {
		keep = "_ = " + id.Name
	} else {
		keep = used(s.Call.Args)
	}
	g.drop("drop-defer", s, keep)
}

// dropCase leaves out a case of a select: nobody listens to that channel.
func dropCase(g *generator, n ast.Node) {
	sel, ok := n.(*ast.SelectStmt)
	if !ok || len(sel.Body.List) < 2 {
		return
	}
	for _, c := range sel.Body.List {
		what := "default"
		if comm := c.(*ast.CommClause).Comm; comm != nil {
			what = "case " + short(g.text(comm))
		}
		g.mutate("drop-case", c.Pos(), what+" dropped from the select", replace(c, ""))
	}
}

// short cuts a source to its first line.
func short(text string) string {
	first, _, more := strings.Cut(text, "\n")
	if more {
		return strings.TrimSpace(first) + " …"
	}
	return first
}

func blank(xs []ast.Expr) bool {
	for _, x := range xs {
		if id, ok := x.(*ast.Ident); !ok || id.Name != "_" {
			return false
		}
	}
	return true
}
