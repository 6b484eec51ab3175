// Package sentences finds the assertions of a kata's tests that say nothing. What a test
// says as it fails is the headline that a learner reads: "Should be true" helps nobody.
package sentences

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Mute is an assertion without a sentence.
type Mute struct {
	File string // its name alone
	Line int
	Call string // "assert.Equal"
}

func (m Mute) String() string { return fmt.Sprintf("%s:%d: %s says nothing", m.File, m.Line, m.Call) }

// operands is how many arguments testify's functions take before the words, the test
// itself included; 2 if a function does not stand here. A function whose name ends with f
// takes as many as that without.
var operands = map[string]int{
	"Equal": 3, "NotEqual": 3, "EqualValues": 3, "NotEqualValues": 3, "Exactly": 3, "Same": 3, "NotSame": 3,
	"Len": 3, "Contains": 3, "NotContains": 3, "Subset": 3, "NotSubset": 3, "ElementsMatch": 3, "NotElementsMatch": 3,
	"Greater": 3, "GreaterOrEqual": 3, "Less": 3, "LessOrEqual": 3, "Regexp": 3, "NotRegexp": 3, "IsType": 3, "Implements": 3,
	"ErrorIs": 3, "NotErrorIs": 3, "ErrorAs": 3, "NotErrorAs": 3, "ErrorContains": 3, "EqualError": 3, "PanicsWithValue": 3, "PanicsWithError": 3,
	"JSONEq": 3, "InDelta": 4, "InEpsilon": 4, "WithinDuration": 4, "WithinRange": 4, "Eventually": 4, "Never": 4,
	"Fail": 1, "FailNow": 1, // what they take first is a sentence
}

// sentence is text of two words at least.
var sentence = regexp.MustCompile(`[\pL%][\pL\d.()'%+]*\s+\S*[\pL%]`)

// Find returns the assertions without a sentence in the test files of a folder.
func Find(dir string) ([]Mute, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var all []Mute
	for _, path := range files {
		mutes, err := find(path, nil)
		if err != nil {
			return nil, fmt.Errorf("look for sentences: %w", err)
		}
		all = append(all, mutes...)
	}
	return all, nil
}

func find(path string, src any) ([]Mute, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	own := foreign(file)
	var all []Mute
	// The last assignment to each variable that stands before a place, as calls.
	from := map[string]ast.Expr{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			clear(from)
		case *ast.AssignStmt:
			if len(n.Rhs) == 1 {
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok {
						from[id.Name] = n.Rhs[0]
					}
				}
			}
		case *ast.CallExpr:
			if name := mute(n, from, own); name != "" {
				p := fset.Position(n.Pos())
				all = append(all, Mute{File: filepath.Base(path), Line: p.Line, Call: name})
			}
		}
		return true
	})
	return all, nil
}

// foreign returns the names of the imported packages that are no kata's: what fails there
// is the test's own affair, and the error says what it was.
func foreign(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || strings.HasPrefix(path, "prokata/katas/") {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = true
	}
	return names
}

// mute returns the name of the call if that is an assertion without a sentence.
func mute(call *ast.CallExpr, from map[string]ast.Expr, foreign map[string]bool) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	name := f.Sel.Name
	x, isName := f.X.(*ast.Ident)
	if isName && (x.Name == "assert" || x.Name == "require") && ast.IsExported(name) {
		n, known := operands[strings.TrimSuffix(name, "f")]
		if n2, whole := operands[name]; whole {
			n, known = n2, true
		}
		if !known {
			n = 2
		}
		if len(call.Args) > n && says(call.Args[n]) {
			return ""
		}
		if name == "NoError" && len(call.Args) > 1 && ofTheTest(call.Args[1], from, foreign) {
			return ""
		}
		return x.Name + "." + name
	}
	switch name {
	case "Fatal", "Fatalf", "Error", "Errorf":
		if len(call.Args) > 0 && (isName && (x.Name == "t" || x.Name == "tb") || !isName && strings.HasSuffix(selector(f.X), ".t")) && !says(call.Args[0]) {
			return "t." + name
		}
	case "Fail", "FailNow":
		if len(call.Args) == 0 && isName && x.Name == "t" {
			return "t." + name
		}
	}
	return ""
}

// says reports whether an argument is a sentence, or something that may be one.
func says(arg ast.Expr) bool {
	switch arg := arg.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(arg.Value)
		return arg.Kind == token.STRING && err == nil && sentence.MatchString(text)
	case *ast.BinaryExpr:
		return says(arg.X) || says(arg.Y)
	case *ast.Ident:
		return arg.Name != "err" && arg.Name != "nil"
	case *ast.CallExpr:
		return selector(arg.Fun) != "err.Error"
	}
	return true
}

// ofTheTest reports whether an error comes from a package that is no kata's.
func ofTheTest(err ast.Expr, from map[string]ast.Expr, foreign map[string]bool) bool {
	if id, ok := err.(*ast.Ident); ok {
		err = from[id.Name]
	}
	call, ok := err.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, _, found := strings.Cut(selector(call.Fun), ".")
	return found && foreign[name]
}

// selector writes a chain of names: "r.t".
func selector(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return selector(e.X) + "." + e.Sel.Name
	}
	return ""
}
