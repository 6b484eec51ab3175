package verify

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"

	"prokata/checker/internal/prove/mutate"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/wire"
)

// chooser declares the variable that chooses a mutant. The children of a test inherit
// the environment, and so the mistake.
const chooser = `package %s

import (
	"os"
	"strconv"
)

var %s, _ = strconv.Atoi(os.Getenv(%q))
`

// combine writes the solution with all its mutants in it into dir, and returns those
// that do not compile, which are left out. The number of a mutant is its index plus
// one. Exports names the files with the export data of what the solution imports.
func combine(dir string, k kata.Kata, sources map[string][]byte, mutants []mutate.Mutant, exports map[string]string) (unbuilt map[string]bool, err error) {
	c := compiler{fset: token.NewFileSet(), files: map[string]*ast.File{}}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for name, src := range sources {
		if c.files[name], err = parser.ParseFile(c.fset, name, src, parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("combine mutants: %w", err)
		}
	}
	if err := c.check("", nil); err != nil {
		return nil, fmt.Errorf("combine mutants: the solution does not compile: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("write the mutants: %w", err)
	}
	unbuilt = map[string]bool{}
	for name, src := range sources {
		var here []mutate.Mutant
		var numbers []int
		for i, m := range mutants {
			switch {
			case m.File != name:
			case c.check(name, m.Source) != nil:
				unbuilt[m.ID] = true
			default:
				here, numbers = append(here, m), append(numbers, i+1)
			}
		}
		all, err := mutate.Combine(name, src, here, numbers)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), all, 0o600); err != nil {
			return nil, fmt.Errorf("write the mutants: %w", err)
		}
	}
	text := fmt.Sprintf(chooser, k.Package(), mutate.Variable, wire.MutantEnv)
	if err := os.WriteFile(filepath.Join(dir, strings.ToLower(mutate.Variable)+".go"), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the mutants: %w", err)
	}
	return unbuilt, nil
}

// compiler checks the types of one package.
type compiler struct {
	fset     *token.FileSet
	importer types.Importer
	files    map[string]*ast.File
}

// check reports what the compiler would refuse if file name held src.
func (c compiler) check(name string, src []byte) error {
	var files []*ast.File
	for n, f := range c.files {
		if n == name {
			var err error
			if f, err = parser.ParseFile(c.fset, name, src, parser.SkipObjectResolution); err != nil {
				return err
			}
		}
		files = append(files, f)
	}
	_, err := (&types.Config{Importer: c.importer}).Check("solution", c.fset, files, nil)
	return err
}
