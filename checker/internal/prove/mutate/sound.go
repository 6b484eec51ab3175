package mutate

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// certain begin those errors of the type checker that hold whatever the rest of
// the package and the imported packages are, which are not at hand.
var certain = []string{"declared and not used", "missing return", "label ", "unreachable", "invalid break", "invalid continue", "invalid operation: operator"}

// sound tells whether a mutant has no such error that the original has not.
func (g *generator) sound(src []byte) bool {
	now := complaints(g.name, src)
	if now == nil {
		return false
	}
	for complaint, n := range now {
		if n > g.baseline[complaint] {
			return false
		}
	}
	return true
}

// complaints counts the certain errors in a source by their text; nil means that
// it is no Go.
func complaints(name string, src []byte) map[string]int {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	count := map[string]int{}
	config := types.Config{
		Importer: nowhere{},
		Error: func(err error) {
			var e types.Error
			if !errors.As(err, &e) {
				return
			}
			for _, c := range certain {
				if strings.Contains(e.Msg, c) {
					count[e.Msg]++
				}
			}
		},
	}
	config.Check(name, fset, []*ast.File{file}, nil) // the errors went to count
	// The checker does not look for unused imports of packages that it has not
	// got.
	for name := range unusedImports(file) {
		count["imported and not used: "+name]++
	}
	return count
}

// nowhere is an importer that finds nothing.
type nowhere struct{}

func (nowhere) Import(path string) (*types.Package, error) {
	return nil, errors.New("no packages at hand")
}

// unusedImports returns the names of imports that stand in no selector.
func unusedImports(file *ast.File) map[string]bool {
	unused := map[string]bool{}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, "`\"")
		path = strings.TrimSuffix(path, "/v2")
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name != "_" && name != "." {
			unused[name] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				delete(unused, id.Name)
			}
		}
		return true
	})
	return unused
}
