package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"prokata/checker/internal/source/kata"
)

// own reports whether a test file in a kata's folder is the learner's own: it holds
// tests, and kata.json lists none of them. Such a file is no part of a check, and need
// not fit another source than the one that it was written for.
func own(path string, k kata.Kata) bool {
	file, _ := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if file == nil {
		return false
	}
	tests := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name == "TestMain" || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		if _, listed := k.Test(f.Name.Name); listed {
			return false
		}
		tests++
	}
	return tests > 0
}
