package policy

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// words in a string that tell what a program may be after.
var words = []struct {
	word   string
	degree degree
	rule   string
	why    string
}{
	{"PROKATA_", always, "environment", "names that begin so are the harness's own"},
	{"GORACE", strict, "environment", "the race detector's settings: the harness sets them"},
	{"GOTRACEBACK", strict, "environment", "the runtime's settings: the harness sets them"},
	{"GODEBUG", suspect, "environment", "the runtime's settings"},
	{"GOCOVERDIR", suspect, "environment", "the runtime's settings"},
	{"-test.", suspect, "flags", "a flag of the tests that run"},
	{"test.run", suspect, "flags", "a flag of the tests that run"},
	{"_test.go", suspect, "files", "the tests' sources"},
	{"katas/", suspect, "files", "the katas' sources"},
	{"solutions", suspect, "files", "the solutions"},
	{"testdata", suspect, "files", "the checker's own data"},
	{"/etc/", suspect, "files", "the system's files"},
	{"/root", suspect, "files", "another user's files"},
	{"/home", suspect, "files", "another user's files"},
	{"/self/mem", strict, "files", "the memory of this process, the harness's too"},
	{"%d/mem", strict, "files", "the memory of a process"},
	{"/proc/", suspect, "files", "the kernel's view of processes"},
	{"/sys/fs/cgroup", suspect, "files", "the bounds of the processes"},
	{"go-build", suspect, "files", "the build cache"},
	{"--- PASS", suspect, "output", "what the tests print"},
	{"=== RUN", suspect, "output", "what the tests print"},
	{"\x16", suspect, "output", "a mark of the tests' output"},
}

// literalsOf reports suspicious strings, also those put together of constants.
// Imports are no strings in this sense.
func (c *checker) literalsOf(f *source) {
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BinaryExpr, *ast.BasicLit:
			text, ok := constant(n.(ast.Expr))
			if !ok {
				return true
			}
			for _, w := range words {
				if strings.Contains(text, w.word) {
					c.report(f, n.Pos(), w.degree, w.rule, "the text %q: %s", w.word, w.why)
				}
			}
			return false
		}
		return true
	})
}

// constant returns the value of a string literal, or of several joined by +.
func constant(x ast.Expr) (string, bool) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return constant(x.X)
	case *ast.BasicLit:
		if x.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(x.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		left, ok1 := constant(x.X)
		right, ok2 := constant(x.Y)
		return left + right, ok1 && ok2 && x.Op == token.ADD
	}
	return "", false
}
