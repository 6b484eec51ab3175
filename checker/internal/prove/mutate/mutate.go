package mutate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// A Mutant is a source with one mistake.
type Mutant struct {
	ID          string // stays the same when the lines around it move
	File        string
	Operator    string // "drop-wait", "invert-condition"
	Line        int
	Func        string // the function that it is in: "Run", "(*pool).close"
	Description string // "wg.Wait() dropped"
	Source      []byte

	original []byte
	decl     int // the function's place among the file's declarations
}

// Mutants returns all mutants of a source, in the order of lines. One that could
// not compile because a name is no longer used, or a return is missing, is left
// out; one whose types do not fit is for the compiler to find.
func Mutants(name string, src []byte) ([]Mutant, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("mutate: %w", err)
	}
	g := &generator{name: name, src: src, file: file, pos: fset.File(file.FileStart), baseline: complaints(name, src), seen: map[string]int{}}
	for i, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
			g.function, g.decl = functionName(f), i
			g.walk(f.Body)
		}
	}
	slices.SortStableFunc(g.mutants, func(a, b Mutant) int { return a.Line - b.Line })
	return g.mutants, nil
}

// operators are tried on every node of a function.
var operators = []func(*generator, ast.Node){
	dropStatement, dropDefer, dropCase,
	moveLock,
	invertCondition, ignoreError, moveBound, swapOperator,
	shiftNumber, swapBool, otherConstant, dropFlag, oneProcess,
	returnEarly, loopOnce, swapJump, inSequence, dropResultError,
}

// generator holds one source and the mutants made of it so far.
type generator struct {
	name     string
	src      []byte
	file     *ast.File
	pos      *token.File
	baseline map[string]int
	function string
	decl     int
	seen     map[string]int // how often a mutation's context came before
	mutants  []Mutant
	path     []ast.Node // from the function's body to the node in hand
}

func (g *generator) walk(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			g.path = g.path[:len(g.path)-1]
			return true
		}
		g.path = append(g.path, n)
		for _, op := range operators {
			op(g, n)
		}
		return true
	})
}

// parent returns the node around the one in hand, the i-th if there are more.
func (g *generator) parent(i int) ast.Node {
	if at := len(g.path) - 1 - i; at >= 0 {
		return g.path[at]
	}
	return nil
}

// text returns the source of a node.
func (g *generator) text(n ast.Node) string {
	return string(g.src[g.pos.Offset(n.Pos()):g.pos.Offset(n.End())])
}

// edit replaces a part of the source.
type edit struct {
	from, to token.Pos
	text     string
}

func replace(n ast.Node, text string) edit  { return edit{n.Pos(), n.End(), text} }
func insert(at token.Pos, text string) edit { return edit{at, at, text} }

// mutate adds the mutant made by the edits, unless it cannot compile.
func (g *generator) mutate(operator string, at token.Pos, description string, edits ...edit) bool {
	slices.SortStableFunc(edits, func(a, b edit) int { return int(a.from - b.from) })
	var out bytes.Buffer
	done := 0
	context := operator + "\x00" + g.function
	for _, e := range edits {
		from, to := g.pos.Offset(e.from), g.pos.Offset(e.to)
		out.Write(g.src[done:from])
		out.WriteString(e.text)
		context += "\x00" + strings.Join(strings.Fields(string(g.src[from:to])+"\x00"+e.text), " ")
		done = to
	}
	out.Write(g.src[done:])
	if !g.sound(out.Bytes()) {
		return false
	}
	// What is around tells equal mutations of one function apart; of those that
	// it does not, their order.
	context += "\x00" + g.around(at)
	g.seen[context]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", filepath.Base(g.name), context, g.seen[context]))
	g.mutants = append(g.mutants, Mutant{
		ID:          fmt.Sprintf("%x", sum[:4]),
		File:        g.name,
		Operator:    operator,
		Line:        g.pos.Line(at),
		Func:        g.function,
		Description: description,
		Source:      out.Bytes(),
		original:    g.src,
		decl:        g.decl,
	})
	return true
}

// around returns the line at which a mutation begins, without its indent.
func (g *generator) around(at token.Pos) string {
	line := g.pos.Line(at)
	from := g.pos.Offset(g.pos.LineStart(line))
	rest, _, _ := bytes.Cut(g.src[from:], []byte("\n"))
	return strings.TrimSpace(string(rest))
}

// functionName returns a function's name with its receiver: "(*pool).close".
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	t, star := f.Recv.List[0].Type, ""
	if s, ok := t.(*ast.StarExpr); ok {
		t, star = s.X, "*"
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return "(" + star + id.Name + ")." + f.Name.Name
	}
	return f.Name.Name
}

// list returns the statements among which a statement stands.
func list(parent ast.Node) []ast.Stmt {
	switch p := parent.(type) {
	case *ast.BlockStmt:
		return p.List
	case *ast.CaseClause:
		return p.Body
	case *ast.CommClause:
		return p.Body
	}
	return nil
}

// callee returns the last name of what a call calls: "Wait" of p.cmd.Wait().
func callee(x ast.Expr) string {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return ""
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
