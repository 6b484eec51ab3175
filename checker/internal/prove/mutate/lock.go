package mutate

import (
	"go/ast"
	"strings"
)

// moveLock takes one statement out of a critical section, at its begin or its
// end. Of two locks taken one after the other this changes the order.
func moveLock(g *generator, n ast.Node) {
	statements := list(n)
	for i := 0; i+1 < len(statements); i++ {
		first, second := statements[i], statements[i+1]
		switch {
		case locks(first) && locks(second):
			g.exchange("swap-locks", first, second, short(g.text(second))+" before "+short(g.text(first)))
		case locks(first) && !waits(second):
			g.exchange("late-lock", first, second, short(g.text(first))+" after "+short(g.text(second)))
		case unlocks(second) && !locks(first) && !unlocks(first):
			g.exchange("early-unlock", first, second, short(g.text(second))+" before "+short(g.text(first)))
		}
	}
}

func (g *generator) exchange(operator string, first, second ast.Stmt, description string) {
	a, b := g.text(first), g.text(second)
	g.mutate(operator, first.Pos(), description, replace(first, b), replace(second, a))
}

func locks(s ast.Stmt) bool {
	name := effect(s)
	return name == "Lock" || name == "RLock" || name == "Acquire"
}

func unlocks(s ast.Stmt) bool {
	name := effect(s)
	return name == "Unlock" || name == "RUnlock" || name == "Release"
}

// waits tells a statement that has to follow the lock: the deferred unlock, or
// what could not be left out of any section.
func waits(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.DeferStmt:
		return strings.HasSuffix(callee(s.Call), "nlock")
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return unlocks(s)
}

// effect returns the name of the method that a statement calls without looking
// at more than its error.
func effect(s ast.Stmt) string {
	switch s := s.(type) {
	case *ast.ExprStmt:
		return callee(s.X)
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 && blank(s.Lhs) {
			return callee(s.Rhs[0])
		}
	}
	return ""
}
