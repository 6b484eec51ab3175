// Package flaw reads the known mistakes of testdata/flawed: sources like a learner's,
// each with what must be found in it. A mistake is a patch on the kata's solution, so
// that it is seen at a glance:
//
//	Flaw: the children are started and never waited for.
//	Why: Start looks as if it did everything.
//
//	want zombie TestRunsThreeChildren
//	may fd-leak
//
//	diff --git a/spawn.go b/spawn.go
//	…
//
// A program that is another one as a whole may stand there as a whole: a Go file, or a
// folder of them, with that head in comments.
//
// `breaks: "…"` quotes the sentence of the stub's comments that the mistake breaks, or
// a part of it.
//
// "want CODE [TEST...]" stands in the head: the finding must be there, in each of the
// tests named. "// want CODE" at the end of a line of code: the finding must name that
// line. "may" allows what the kernel's scheduling decides. Of "wrong", all tests that
// fail so must be named.
package flaw

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
)

// A Flaw is a known mistake.
type Flaw struct {
	Name   string // "01-spawn/never-waited"
	Path   string // a patch, a Go file, or a folder of them
	Wants  []Want
	Breaks []string // what the contract says, and it does not do
	Lines  int      // taken away and added by the patch; 0 of a whole program

	files patch.Files
}

// A Broken flaw cannot be read, or not be applied.
type Broken struct {
	Name   string
	What   string
	Misfit bool // the patch does not apply to the solution as it is now
}

func (b Broken) Error() string { return b.Name + ": " + b.What }

// All reads the flaws of the kata's folder below testdata/flawed, by name, and what is
// amiss with those that cannot be read.
func All(root, folder string) (all []Flaw, broken []Broken, err error) {
	dir := filepath.Join(root, "testdata", "flawed", folder)
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the flaws: %w", err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !e.IsDir() && ext != ".go" && ext != patch.Ext {
			continue
		}
		f := Flaw{Name: filepath.Join(folder, strings.TrimSuffix(e.Name(), ext)), Path: filepath.Join(dir, e.Name())}
		if err := f.read(filepath.Join(root, "solutions", folder)); err != nil {
			_, misfit := err.(patch.Misfit)
			broken = append(broken, Broken{f.Name, err.Error(), misfit})
			continue
		}
		all = append(all, f)
	}
	return all, broken, nil
}

// read reads one flaw; a patch is on the source in the folder base.
func (f *Flaw) read(base string) error {
	var head string
	var err error
	if filepath.Ext(f.Path) == patch.Ext {
		head, err = f.patched(base)
	} else {
		head, err = f.whole()
	}
	if err != nil {
		return err
	}
	wants, tells, err := wantsOfHead(head)
	if err != nil {
		return err
	}
	if !tells {
		return errors.New(`its head must begin with "Flaw: …" and say "Why: …"`)
	}
	f.Wants = wants
	if f.Breaks, err = breaksOfHead(head); err != nil {
		return err
	}
	for name, text := range f.files {
		wants, err := wantsOfLines(name, string(text))
		if err != nil {
			return err
		}
		f.Wants = append(f.Wants, wants...)
	}
	if !slices.ContainsFunc(f.Wants, func(w Want) bool { return !w.Optional }) {
		return errors.New(`nothing is wanted of it: add "want CODE" to its head`)
	}
	return nil
}

func (f *Flaw) patched(base string) (head string, err error) {
	p, old, err := open(f.Path, base)
	if err != nil {
		return "", err
	}
	if f.Lines = p.Lines(); f.Lines == 0 {
		return "", errors.New("it changes nothing of the solution: bin/checker flaw edit KATA NAME")
	}
	f.files, err = p.Apply(old)
	return p.Head, err
}

// open reads a patch and what it is for.
func open(path, base string) (patch.Patch, patch.Files, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return patch.Patch{}, nil, fmt.Errorf("read a flaw: %w", err)
	}
	p, err := patch.Parse(text)
	if err != nil {
		return p, nil, err
	}
	old, err := patch.Read(base)
	return p, old, err
}

// whole reads a flaw that is a program as a whole. Its head stands in the comments above
// one of the package clauses.
func (f *Flaw) whole() (head string, err error) {
	dir, only := f.Path, ""
	if filepath.Ext(f.Path) == ".go" {
		dir, only = filepath.Dir(f.Path), filepath.Base(f.Path)
	}
	files, err := patch.Read(dir)
	if err != nil {
		return "", err
	}
	if only != "" {
		files = patch.Files{only: files[only]}
	}
	for _, text := range files {
		var b strings.Builder
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "package ") {
				break
			}
			b.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "//"), " "))
		}
		if strings.HasPrefix(b.String(), "Flaw: ") {
			head = b.String()
		}
	}
	f.files = files
	return head, nil
}

// Named returns the tests that the flaw names, in the kata's order, or nothing, which
// means all, if it wants a finding and does not say where.
func (f Flaw) Named(k kata.Kata) []string {
	names := map[string]bool{}
	for _, w := range f.Wants {
		if len(w.Tests) == 0 && w.Line == 0 && !w.Optional {
			return nil
		}
		for _, t := range w.Tests {
			names[t] = true
		}
	}
	var all []string
	for _, t := range k.Tests {
		if names[t.Name] {
			all = append(all, t.Name)
		}
	}
	return all
}

// Source returns the folder or file that holds the source: what a patch makes is
// written into a new folder below dir.
func (f Flaw) Source(dir string) (string, error) {
	if filepath.Ext(f.Path) != patch.Ext {
		return f.Path, nil
	}
	to := filepath.Join(dir, filepath.FromSlash(f.Name))
	return to, f.files.Write(to)
}

// Unpack writes the source of the patch file at path into a new folder below dir and
// returns it.
func Unpack(root, path, dir string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	folder := filepath.Base(filepath.Dir(path))
	f := Flaw{Name: filepath.Join(folder, strings.TrimSuffix(filepath.Base(path), patch.Ext)), Path: path}
	if err := f.read(filepath.Join(root, "solutions", folder)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return f.Source(dir)
}
