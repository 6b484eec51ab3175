package mutate

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// small bounds the numbers that are counted with. A larger one is a size of a
// buffer or the like, where one more makes no difference.
const small = 32

// shiftNumber makes a number off by one.
func shiftNumber(g *generator, n ast.Node) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.INT {
		return
	}
	value, err := strconv.Atoi(lit.Value) // no octal or hexadecimal: those are modes and masks
	if err != nil || value > small || len(lit.Value) > 1 && lit.Value[0] == '0' {
		return
	}
	switch p := g.parent(1).(type) {
	case *ast.BinaryExpr:
		if duration(g, p) || p.Op == token.SHL || bounds[p.Op] != 0 {
			return // of a bound, moveBound makes the same
		}
	case *ast.CallExpr:
		if callee(p) == "make" && len(p.Args) == 3 && p.Args[2] == lit {
			return // a capacity is a hint
		}
		if name := callee(p); name == "ParseInt" || name == "FormatInt" || name == "ParseUint" || name == "FormatUint" {
			return
		}
	case *ast.ArrayType:
		return
	}
	g.mutate("shift-number", lit.Pos(), lit.Value+" one more", replace(lit, strconv.Itoa(value+1)))
	if value > 0 {
		g.mutate("shift-number", lit.Pos(), lit.Value+" one less", replace(lit, strconv.Itoa(value-1)))
	}
}

// swapBool says the opposite.
func swapBool(g *generator, n ast.Node) {
	id, ok := n.(*ast.Ident)
	if !ok {
		return
	}
	opposite := map[string]string{"true": "false", "false": "true"}[id.Name]
	if opposite != "" {
		g.mutate("swap-bool", id.Pos(), id.Name+" turned into "+opposite, replace(id, opposite))
	}
}

// constants are names of other packages that are taken for each other.
var constants = map[string]string{
	"SIGTERM": "SIGKILL", "SIGKILL": "SIGTERM", "SIGINT": "SIGHUP", "SIGSTOP": "SIGCONT", "SIGCONT": "SIGSTOP",
	"LOCK_EX": "LOCK_SH", "MAP_SHARED": "MAP_PRIVATE", "SOCK_SEQPACKET": "SOCK_STREAM", "SOCK_STREAM": "SOCK_SEQPACKET",
	"O_WRONLY": "O_RDONLY", "SHUT_WR": "SHUT_RD", "F_WRLCK": "F_RDLCK", "Stdout": "Stderr", "WNOHANG": "WUNTRACED",
}

// otherConstant takes a signal, a lock or a kind of socket for another.
func otherConstant(g *generator, n ast.Node) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if other, ok := constants[sel.Sel.Name]; ok {
		g.mutate("other-constant", sel.Pos(), g.text(sel)+" turned into "+other, replace(sel.Sel, other))
	}
}

// dropFlag leaves out one of several flags joined by |.
func dropFlag(g *generator, n ast.Node) {
	x, ok := n.(*ast.BinaryExpr)
	if !ok || x.Op != token.OR {
		return
	}
	if _, nested := x.X.(*ast.BinaryExpr); !nested { // the flags of a chain come by themselves
		g.mutate("drop-flag", x.X.Pos(), g.text(x.X)+" left out", replace(x, g.text(x.Y)))
	}
	g.mutate("drop-flag", x.Y.Pos(), g.text(x.Y)+" left out", replace(x, g.text(x.X)))
}

// oneProcess signals one process where a whole group is meant.
func oneProcess(g *generator, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || callee(call) != "Kill" || len(call.Args) != 2 {
		return
	}
	if pid, ok := call.Args[0].(*ast.UnaryExpr); ok && pid.Op == token.SUB {
		g.mutate("one-process", pid.Pos(), short(g.text(call))+" to one process, not to its group", replace(pid, strings.TrimPrefix(g.text(pid), "-")))
	}
}
