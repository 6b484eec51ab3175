package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/plan"
)

// contexts finds, without running anything, which functions of the source under test
// take a context, and which calls of the kata's tests are handed one that the test
// ends: with both, a call that hangs although its context is over is known as such.
func contexts(p plan.Plan) []evidence.Site {
	var all []evidence.Site
	fset := token.NewFileSet()
	for _, f := range p.Files {
		file, err := parser.ParseFile(fset, f, p.Text(f), parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && takesContext(fn) {
				all = append(all, evidence.Site{Kind: "takes", Frame: evidence.Frame{
					Func: function(fn), File: filepath.Join(p.Label, f), Line: fset.Position(fn.Pos()).Line,
				}})
			}
		}
	}
	tests, _ := filepath.Glob(filepath.Join(p.Kata.Dir, "*_test.go"))
	var fns []testFunc
	for _, path := range tests {
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		name := filepath.Join("katas", p.Kata.Folder, filepath.Base(path))
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				fns = append(fns, readTest(fset, name, fn))
			}
		}
	}
	return append(all, ended(fns)...)
}

func takesContext(fn *ast.FuncDecl) bool {
	return slices.ContainsFunc(fn.Type.Params.List, func(f *ast.Field) bool {
		sel, ok := f.Type.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "Context"
	})
}

// function names a function as a stack does, behind its package: "Dine", "(*Waiter).Wait",
// "(*Consumer[...]).Get".
func function(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		if fn.Type.TypeParams != nil {
			return fn.Name.Name + "[...]"
		}
		return fn.Name.Name
	}
	recv, star := fn.Recv.List[0].Type, false
	if s, ok := recv.(*ast.StarExpr); ok {
		recv, star = s.X, true
	}
	name := ""
	switch r := recv.(type) {
	case *ast.Ident:
		name = r.Name
	case *ast.IndexExpr:
		name = dotted(r.X) + "[...]"
	case *ast.IndexListExpr:
		name = dotted(r.X) + "[...]"
	}
	if star {
		name = "(*" + name + ")"
	}
	return name + "." + fn.Name.Name
}

// dotted is an identifier or a field as it is written: "ctx", "s.ctx".
func dotted(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		if base := dotted(x.X); base != "" {
			return base + "." + x.Sel.Name
		}
	}
	return ""
}

// A testFunc is what one function of the tests does with contexts, by line.
type testFunc struct {
	file, name string
	made       []made
	calls      []handed
	ends       map[string][]int // of a cancel function by its name, not those deferred
}

// made: a context and its cancel function were assigned.
type made struct {
	ctx, cancel string
	line        int
	end         int  // of the block in which it was assigned: behind it, it may be another
	timed       bool // it ends by itself
}

// handed: a call was given a context.
type handed struct {
	ctx, callee string
	line        int
}

func readTest(fset *token.FileSet, file string, fn *ast.FuncDecl) testFunc {
	f := testFunc{file: file, name: function(fn), ends: map[string][]int{}}
	line := func(n ast.Node) int { return fset.Position(n.Pos()).Line }
	var blocks [][2]int
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if b, ok := n.(*ast.BlockStmt); ok {
			blocks = append(blocks, [2]int{line(b), fset.Position(b.End()).Line})
		}
		return true
	})
	var see func(n ast.Node, later bool)
	see = func(n ast.Node, later bool) {
		ast.Inspect(n, func(n ast.Node) bool { return f.see(n, line, later, see) })
	}
	see(fn.Body, false)
	for i, m := range f.made {
		for _, b := range blocks {
			if b[0] <= m.line && m.line <= b[1] { // the last is the innermost
				f.made[i].end = b[1]
			}
		}
	}
	return f
}

// see takes in one node. Later says that it stands in a function literal, of which
// nobody can tell when it runs.
func (f *testFunc) see(n ast.Node, line func(ast.Node) int, later bool, in func(ast.Node, bool)) bool {
	switch n := n.(type) {
	case *ast.DeferStmt:
		return false // what ends with the function ends nothing that it waits for
	case *ast.FuncLit:
		in(n.Body, later || !subtest(n))
		return false
	case *ast.AssignStmt:
		if len(n.Lhs) == 2 && len(n.Rhs) == 1 {
			if call, ok := n.Rhs[0].(*ast.CallExpr); ok {
				switch of := dotted(call.Fun); of {
				case "context.WithCancel", "context.WithTimeout", "context.WithDeadline":
					f.made = append(f.made, made{dotted(n.Lhs[0]), dotted(n.Lhs[1]), line(n), 0, of != "context.WithCancel"})
					return false
				}
			}
		}
	case *ast.CallExpr:
		name := dotted(n.Fun)
		if len(n.Args) == 0 && name != "" && !later {
			f.ends[name] = append(f.ends[name], line(n))
		}
		for _, a := range n.Args {
			if ctx := dotted(a); ctx != "" && name != "" {
				f.calls = append(f.calls, handed{ctx, name[strings.LastIndexByte(name, '.')+1:], line(n)})
			}
		}
	}
	return true
}

// subtest tells the body of a t.Run, which runs where it stands.
func subtest(fn *ast.FuncLit) bool {
	return len(fn.Type.Params.List) == 1 && func() bool {
		star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
		return ok && dotted(star.X) == "testing.T"
	}()
}

// ended are the calls with contexts that are over later. A context in a variable is
// followed within its function, up to its next assignment; one in a field ("s.ctx")
// through all of them.
func ended(fns []testFunc) []evidence.Site {
	var all []evidence.Site
	fields := map[string]made{}
	for _, f := range fns {
		for i, m := range f.made {
			if strings.Contains(m.ctx, ".") {
				fields[m.ctx] = m
				continue
			}
			until := m.end + 1
			for _, next := range f.made[i+1:] {
				if next.ctx == m.ctx {
					until = min(until, next.line)
				}
			}
			over := 0
			if m.timed {
				over = m.line
			}
			for _, l := range f.ends[m.cancel] {
				if over == 0 && m.line < l && l < until {
					over = l
				}
			}
			for _, c := range f.calls {
				if over > 0 && c.ctx == m.ctx && m.line < c.line && c.line < until {
					all = append(all, evidence.Site{Kind: "ended", Frame: evidence.Frame{Func: f.name, File: f.file, Line: c.line}, Name: c.callee, Until: over})
				}
			}
		}
	}
	for _, m := range fields {
		var callees []string
		for _, f := range fns {
			for _, c := range f.calls {
				if c.ctx == m.ctx && !slices.Contains(callees, c.callee) {
					callees = append(callees, c.callee)
				}
			}
		}
		slices.Sort(callees)
		for _, f := range fns {
			for _, l := range f.ends[m.cancel] {
				for _, callee := range callees {
					if strings.HasPrefix(f.name, "Test") {
						all = append(all, evidence.Site{Kind: "ended", Frame: evidence.Frame{Func: f.name, File: f.file}, Name: callee, Until: l})
					}
				}
			}
		}
	}
	return all
}
