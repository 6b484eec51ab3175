package verify

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
)

// content checks the files of a kata without running them, and returns what is
// amiss, each with what to do.
func content(root string, k kata.Kata) []string {
	var amiss []string
	say := func(format string, args ...any) { amiss = append(amiss, fmt.Sprintf(format, args...)) }
	for _, name := range []string{"README.md", "hints.md", "harness_test.go"} {
		if b, err := os.ReadFile(filepath.Join(k.Dir, name)); err != nil || len(b) == 0 {
			say("katas/%s/%s is missing or empty: write it (checker new kata shows the form)", k.Folder, name)
		}
	}
	for _, what := range k.HintsAmiss() {
		say("katas/%s/hints.md: %s", k.Folder, what)
	}
	if b, err := os.ReadFile(filepath.Join(k.Dir, "README.md")); err == nil && !strings.Contains(string(b), "\n## How Python does it") {
		say("katas/%s/README.md has no section \"How Python does it\"", k.Folder)
	}
	entries, err := os.ReadDir(k.Dir)
	if err != nil {
		say("katas/%s cannot be read: %v", k.Folder, err)
	}
	for _, e := range entries {
		name := e.Name()
		if !slices.Contains([]string{"README.md", "hints.md", "kata.json"}, name) && !strings.HasSuffix(name, "_test.go") && !slices.Contains(k.Files, name) {
			say("katas/%s/%s does not belong there: remove it, or name it in kata.json (\"files\")", k.Folder, name)
		}
	}
	for _, f := range k.Files {
		if b, err := os.ReadFile(filepath.Join(k.Dir, f)); err != nil || !strings.Contains(string(b), "TODO") {
			say("katas/%s/%s has no TODO: the stub must say where to begin", k.Folder, f)
		}
	}
	amiss = append(amiss, tests(k)...)
	for _, dir := range []string{"solutions", "solutions/fast"} {
		if _, err := os.Stat(filepath.Join(root, dir, k.Folder)); err == nil || dir == "solutions" {
			amiss = append(amiss, surface(root, dir, k)...)
		}
	}
	return amiss
}

// tests compares the tests of the files with those of kata.json.
func tests(k kata.Kata) []string {
	var amiss []string
	paths, _ := filepath.Glob(filepath.Join(k.Dir, "*_test.go"))
	found := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			amiss = append(amiss, err.Error())
			continue
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") || f.Name.Name == "TestMain" {
				continue
			}
			found[f.Name.Name] = true
			if _, ok := k.Test(f.Name.Name); !ok {
				amiss = append(amiss, fmt.Sprintf("%s is not listed in katas/%s/kata.json: add it to \"tests\"", f.Name.Name, k.Folder))
			}
			if !supervised(f) {
				amiss = append(amiss, fmt.Sprintf("%s does not begin with harness.Test(t): nothing would watch it", f.Name.Name))
			}
		}
	}
	for _, t := range k.Tests {
		if !found[t.Name] {
			amiss = append(amiss, fmt.Sprintf("katas/%s/kata.json lists %s, and no file has it: remove it there, or write it", k.Folder, t.Name))
		}
	}
	return amiss
}

func supervised(f *ast.FuncDecl) bool {
	if len(f.Body.List) == 0 {
		return false
	}
	s, ok := f.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "harness" && sel.Sel.Name == "Test"
}

// surface compares what the stub and a solution offer: a learner who reads the
// solution must find the names, types and signatures of the stub.
func surface(root, dir string, k kata.Kata) []string {
	stub, err := exported(k.Dir)
	if err != nil {
		return []string{err.Error()}
	}
	solution, err := exported(filepath.Join(root, dir, k.Folder))
	if err != nil {
		return []string{err.Error()}
	}
	var amiss []string
	for name, text := range stub {
		got, ok := solution[name]
		switch {
		case !ok:
			amiss = append(amiss, fmt.Sprintf("%s/%s lacks %s, which the stub has", dir, k.Folder, name))
		case got != text:
			amiss = append(amiss, fmt.Sprintf("%s/%s declares %s otherwise than the stub: %s, not %s", dir, k.Folder, name, got, text))
		}
	}
	for name := range solution {
		if _, ok := stub[name]; !ok {
			amiss = append(amiss, fmt.Sprintf("%s/%s exports %s, which the stub does not have", dir, k.Folder, name))
		}
	}
	slices.Sort(amiss)
	return amiss
}

// exported returns the exported functions and methods of the package in dir, by
// name, each as its signature, and the exported types as their names.
func exported(dir string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no Go file", dir)
	}
	all := map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					recv := source(fset, d.Recv.List[0].Type)
					if !ast.IsExported(strings.TrimLeft(recv, "*")) {
						continue
					}
					name = "(" + recv + ")." + name
				}
				if d.Name.IsExported() {
					all[name] = source(fset, d.Type)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() {
							all["type "+s.Name.Name] = ""
						}
					case *ast.ValueSpec:
						for _, n := range s.Names {
							if n.IsExported() {
								all[d.Tok.String()+" "+n.Name] = ""
							}
						}
					}
				}
			}
		}
	}
	return all, nil
}

// source returns what a node was parsed from, formatted.
func source(fset *token.FileSet, n ast.Node) string {
	var b strings.Builder
	_ = format.Node(&b, fset, n)
	return b.String()
}
