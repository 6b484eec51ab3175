package instrument

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Hooks chooses what is put into a file.
type Hooks uint

// Points delay before statements that synchronise; Sites record what a
// statement opened. Without either a file only gets its name.
const (
	Points Hooks = 1 << iota
	Sites
)

// hookPackage is imported by every file that got a hook.
const hookPackage = "prokata/checker/perturb"

// File returns the source src with hooks. name is the file's path as the learner
// knows it, absolute, which the compiler and the runtime will print. A source that
// cannot be parsed gets no hooks but its name, and the compiler shall say what
// is wrong with it.
func File(name string, src []byte, hooks Hooks) ([]byte, error) {
	src = bytes.TrimPrefix(src, []byte("\uFEFF")) // only legal as the first character
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return named(name, src), nil
	}
	w := &writer{
		alias:   unused(src),
		name:    name,
		hooks:   hooks,
		file:    fset.File(file.FileStart),
		imports: imports(file),
	}
	ast.Inspect(file, w.node)
	if len(w.edits) > 0 {
		// Behind the package's name, on its line.
		w.insert(file.Name.End(), fmt.Sprintf(";import %s %q", w.alias, hookPackage))
	}
	out := w.apply(src)
	if _, err := parser.ParseFile(token.NewFileSet(), name, out, parser.SkipObjectResolution); err != nil {
		return named(name, src), fmt.Errorf("instrument %s: the hooks broke it: %w", name, err)
	}
	return named(name, out), nil
}

// named puts the learner's name for the file before its first line.
func named(name string, src []byte) []byte {
	return append([]byte("//line "+name+":1\n"), src...)
}

// unused returns a name for the import of the hooks that src does not contain.
func unused(src []byte) string {
	alias := "prokata_hook"
	for bytes.Contains(src, []byte(alias)) {
		alias += "_"
	}
	return alias
}

// imports returns the imported path of each package name that a file uses.
func imports(file *ast.File) map[string]string {
	m := map[string]string{}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, "`\"")
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		m[name] = path
	}
	return m
}

// writer collects what is put into one file.
type writer struct {
	alias   string
	name    string
	hooks   Hooks
	file    *token.File
	imports map[string]string
	edits   []edit
	points  int
}

type edit struct {
	offset int
	text   string
}

func (w *writer) insert(at token.Pos, text string) {
	w.edits = append(w.edits, edit{w.file.Offset(at), text})
}

// apply puts the edits into src; those for one place keep their order.
func (w *writer) apply(src []byte) []byte {
	slices.SortStableFunc(w.edits, func(a, b edit) int { return cmp.Compare(a.offset, b.offset) })
	var out []byte
	done := 0
	for _, e := range w.edits {
		out = append(out, src[done:e.offset]...)
		out = append(out, e.text...)
		done = e.offset
	}
	return append(out, src[done:]...)
}
