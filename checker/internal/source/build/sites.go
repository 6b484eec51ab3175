package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/plan"
)

// makes names the calls that make something that can leak, by method or function.
var makes = map[string]string{
	"Start": "process", "Run": "process", "Output": "process", "CombinedOutput": "process", "StartProcess": "process", "ForkExec": "process",
	"Pipe": "pipe", "Pipe2": "pipe", "StdinPipe": "pipe", "StdoutPipe": "pipe", "StderrPipe": "pipe",
	"Socketpair": "socket", "Listen": "socket", "ListenUnix": "socket", "ListenTCP": "socket", "Dial": "socket", "DialTimeout": "socket",
	"DialContext": "socket", "DialUnix": "socket", "Accept": "socket", "AcceptUnix": "socket", "FileConn": "socket",
	"Open": "file", "OpenFile": "file", "Create": "file", "CreateTemp": "file", "MkdirTemp": "file", "NewFile": "file", "MemfdCreate": "file", "Dup": "file",
	"Map": "map", "Mmap": "map",
}

// sites finds, without running it, where the source under test makes things that
// can leak. It is a list of candidates: which of them made the thing that was left
// is known only where the list has one of its kind.
func sites(p plan.Plan) []evidence.Site {
	var all []evidence.Site
	for _, f := range p.Files {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, f, p.Text(f), parser.SkipObjectResolution)
		if err != nil {
			continue // it does not compile either
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if kind := makes[sel.Sel.Name]; kind != "" {
				all = append(all, evidence.Site{Kind: kind, Frame: evidence.Frame{
					File: filepath.Join(p.Label, f), Line: fset.Position(sel.Sel.Pos()).Line,
				}})
			}
			return true
		})
	}
	return all
}
