package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/source/kata"
)

// A Flaw is a known mistake: a source like a learner's, with what must be found
// in it.
//
//	// Flaw: the children are started and never waited for.
//	// Why: Start looks as if it did everything.
//	//
//	// want zombie TestRunsThreeChildren
//	// may fd-leak
//	package spawn
//
// "want CODE [TEST...]" stands in the head: the finding must be there, in each of
// the tests named. "// want CODE" at the end of a line of code: the finding must
// name that line. "may" allows what the kernel's scheduling decides. Of "wrong",
// all tests that fail so must be named.
type Flaw struct {
	Name  string // "01-spawn/never-waited"
	Path  string // a Go file, or a folder of them
	Wants []Want
}

// A Want is one expectation.
type Want struct {
	Code     string
	Tests    []string
	File     string // with Line: the place that must be named
	Line     int
	Optional bool
}

func (w Want) String() string {
	s := w.Code
	if len(w.Tests) > 0 {
		s += " " + strings.Join(w.Tests, " ")
	}
	if w.Line > 0 {
		s += fmt.Sprintf(" at %s:%d", w.File, w.Line)
	}
	return s
}

var (
	inHead = regexp.MustCompile(`^// (want|may) (.+)$`)
	inLine = regexp.MustCompile(`^.*\S.*// want ([a-z-]+)$`)
)

// named returns the tests that the flaw names, in the kata's order, or nothing, which
// means all, if it wants a finding and does not say where.
func (f Flaw) named(k kata.Kata) []string {
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

// Flaws reads the flaws of the kata's folder below testdata/flawed.
func Flaws(root, folder string) ([]Flaw, error) {
	dir := filepath.Join(root, "testdata", "flawed", folder)
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the flaws: %w", err)
	}
	var all []Flaw
	for _, e := range entries {
		f := Flaw{Name: filepath.Join(folder, strings.TrimSuffix(e.Name(), ".go")), Path: filepath.Join(dir, e.Name())}
		files := []string{f.Path}
		if e.IsDir() {
			files, _ = filepath.Glob(filepath.Join(f.Path, "*.go"))
		} else if filepath.Ext(e.Name()) != ".go" {
			continue
		}
		said := false
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("read a flaw: %w", err)
			}
			wants, hasHead, err := parseWants(filepath.Base(path), string(b))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			said = said || hasHead
			f.Wants = append(f.Wants, wants...)
		}
		if !said {
			return nil, fmt.Errorf(`%s: the file must begin with "// Flaw: …" and say "// Why: …"`, f.Name)
		}
		if !slices.ContainsFunc(f.Wants, func(w Want) bool { return !w.Optional }) {
			return nil, fmt.Errorf(`%s: nothing is wanted of it: add "// want CODE" to its head`, f.Name)
		}
		all = append(all, f)
	}
	return all, nil
}

// parseWants reads the expectations of one file.
func parseWants(name, text string) (wants []Want, hasHead bool, err error) {
	head := true
	flaw, why := false, false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "package ") {
			head = false
		}
		if head {
			flaw = flaw || strings.HasPrefix(line, "// Flaw: ")
			why = why || strings.HasPrefix(line, "// Why: ")
			if m := inHead.FindStringSubmatch(line); m != nil {
				words := strings.Fields(m[2])
				w := Want{Code: words[0], Tests: words[1:], Optional: m[1] == "may"}
				if err := known(w.Code); err != nil {
					return nil, false, fmt.Errorf("%s:%d: %w", name, i+1, err)
				}
				for _, t := range w.Tests {
					if !strings.HasPrefix(t, "Test") {
						return nil, false, fmt.Errorf("%s:%d: %q is not the name of a test", name, i+1, t)
					}
				}
				wants = append(wants, w)
			}
			continue
		}
		if m := inLine.FindStringSubmatch(line); m != nil {
			if err := known(m[1]); err != nil {
				return nil, false, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			wants = append(wants, Want{Code: m[1], File: name, Line: i + 1})
		}
	}
	return wants, flaw && why, nil
}

func known(code string) error {
	if _, ok := detect.Find(code); !ok {
		return fmt.Errorf("there is no finding %q (checker explain lists them)", code)
	}
	return nil
}

// meets reports whether the findings hold what w wants.
func (w Want) meets(findings []detect.Finding) bool {
	in := func(test string) bool {
		return slices.ContainsFunc(findings, func(f detect.Finding) bool {
			return f.Code == w.Code && (test == "" || f.Test == test) &&
				(w.Line == 0 || filepath.Base(f.File) == w.File && f.Line == w.Line)
		})
	}
	if len(w.Tests) == 0 {
		return in("")
	}
	return !slices.ContainsFunc(w.Tests, func(t string) bool { return !in(t) })
}

// allows reports whether w speaks of the finding. A "wrong" must be named with its
// test; other mistakes show in as many tests as they like.
func (w Want) allows(f detect.Finding) bool {
	return w.Code == f.Code && (w.Code != "wrong" || slices.Contains(w.Tests, f.Test))
}
