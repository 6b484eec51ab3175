package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"prokata/checker/internal/source/instrument"
	"prokata/checker/internal/source/plan"
)

// markFile is a file that the overlay adds to the kata's package: it tells the harness
// the sum of the files that were handed in. It names a constant that stands at the end
// of each of the kata's own, so that it compiles only beside those. A binary without
// the mark was made of something else, and the supervisor refuses it: for a path that
// is not the one by which the go command knows the folder, an overlay is as good as
// none, and nobody is told.
const markFile = "prokata_handed_in_test.go"

func constant(i int) string { return "prokataHandedIn" + strconv.Itoa(i) }

func mark(p plan.Plan, sum string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport \"prokata/checker/harness\"\n\nfunc init() { harness.HandedIn(%q) }\n\n", p.Kata.Package(), sum)
	for _, i := range constants(p) {
		fmt.Fprintf(&b, "const _ = %s\n", constant(i))
	}
	return []byte(b.String())
}

// marked adds the constant to a file that can be parsed. Another does not compile.
func marked(src []byte, i int) []byte {
	if _, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err != nil {
		return src
	}
	return append(src[:len(src):len(src)], "\nconst "+constant(i)+" = 0\n"...)
}

// overlay writes the file for -overlay, and beside it the source under test with
// the hooks put in. It returns its path.
func (b *Builder) overlay(dir string, p plan.Plan, hooks instrument.Hooks) (path string, err error) {
	replace := map[string]string{}
	put := func(name string, text []byte) error {
		replace[filepath.Join(p.Kata.Dir, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("write the overlay: %w", err)
		}
		return nil
	}
	// What the source does not have must not be left over from the stub's folder.
	old, err := os.ReadDir(p.Kata.Dir)
	if err != nil {
		return "", fmt.Errorf("list the kata's folder: %w", err)
	}
	for _, e := range old {
		path := filepath.Join(p.Kata.Dir, e.Name())
		if filepath.Ext(path) == ".go" && (!strings.HasSuffix(path, "_test.go") || own(path, p.Kata)) {
			replace[path] = ""
		}
	}
	for i, f := range p.Files {
		name := filepath.Join(p.Kata.Dir, p.Name(f))
		src := marked(bytes.TrimPrefix(p.Text(f), []byte("\uFEFF")), i)
		if hooks != 0 {
			if src, err = instrument.File(name, src, hooks); err != nil {
				return "", fmt.Errorf("put hooks into %s: %w", f, err)
			}
		} else {
			// With a column, so that the compiler says it too.
			src = append([]byte("//line "+name+":1:1\n"), src...)
		}
		if err := put(p.Name(f), src); err != nil {
			return "", err
		}
	}
	if err := put(markFile, mark(p, p.Sum)); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return path, nil
}
