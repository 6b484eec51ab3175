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

// longest is how much of a text that is put together is looked at, in bytes.
const longest = 1 << 16

// literalsOf reports suspicious strings, also those put together of constants, in their
// order. Imports are no strings in this sense.
func (c *checker) literalsOf(f *source) { c.literalsIn(f, f.file) }

func (c *checker) literalsIn(f *source, root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if text, ok := constant(n); ok {
				c.text(f, n.Pos(), text)
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				c.sum(f, n)
				return false
			}
		}
		return true
	})
}

// sum looks at what is joined by +, each run of constants as one text. It takes each part
// once, however many there are.
func (c *checker) sum(f *source, x *ast.BinaryExpr) {
	var run strings.Builder
	at := x.Pos()
	end := func() {
		c.text(f, at, run.String())
		run.Reset()
	}
	for _, part := range parts(x) {
		text, ok := constant(part)
		if !ok {
			end()
			c.literalsIn(f, part)
			continue
		}
		if run.Len() == 0 {
			at = part.Pos()
		}
		if run.Len() < longest {
			run.WriteString(text)
		}
	}
	end()
}

// parts are the operands of a sum, from left to right.
func parts(x ast.Expr) (all []ast.Expr) {
	todo := []ast.Expr{x}
	for len(todo) > 0 {
		x := ast.Unparen(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
		if b, ok := x.(*ast.BinaryExpr); ok && b.Op == token.ADD {
			todo = append(todo, b.Y, b.X)
			continue
		}
		all = append(all, x)
	}
	return all
}

func (c *checker) text(f *source, at token.Pos, text string) {
	for _, w := range words {
		if strings.Contains(text, w.word) {
			c.report(f, at, w.degree, w.rule, "the text %q: %s", w.word, w.why)
		}
	}
}

// constant returns the value of a string literal.
func constant(x ast.Expr) (string, bool) {
	lit, ok := x.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
