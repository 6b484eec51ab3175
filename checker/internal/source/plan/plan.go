// Package plan decides what a run will do: which sources, flags, limits, seed.
// A plan is a value; nothing has been started when it exists.
package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
)

// A Plan is one run of one kata's tests against one source.
type Plan struct {
	Kata    kata.Kata
	Root    string   // the repository
	Source  string   // absolute path of the folder under test
	Label   string   // that folder as a person would name it
	Files   []string // its Go files, names in Source, tests left out
	Alone   bool     // the source is that one file, whatever else there is in Source
	Missing []string // files of the kata that Source lacks
	Tests   []string // names of the tests to run, in order; all if empty

	Seed    uint64
	Race    bool // build with the race detector
	Vet     bool // have go vet look at it first, as go test does
	Perturb bool // disturb the order of events, by the seed

	FailFast bool // end at the first test that does not pass
	Mutant   int  // of combined mutants, the number of the one that runs; 0: the original
}

// ErrNoSource says that a folder of sources does not hold a kata at all.
var ErrNoSource = errors.New("holds no folder of this kata")

// New makes the plan for kata k with the sources in from: a folder with the
// layout of katas/, the kata's own folder, or one Go file that stands for the
// kata's only file. An empty from means the kata's own stub.
func New(root string, k kata.Kata, from string) (Plan, error) {
	p := Plan{Kata: k, Root: root, Race: true, Vet: true}
	if from == "" {
		from = filepath.Join(root, "katas")
	}
	abs, err := filepath.Abs(from)
	if err != nil {
		return p, fmt.Errorf("find the sources: %w", err)
	}
	info, err := os.Stat(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s does not exist: FROM (--from) takes a folder with the layout of katas/", from)
	}
	if err != nil {
		return p, fmt.Errorf("find the sources: %w", err)
	}
	if !info.IsDir() {
		if len(k.Files) != 1 || filepath.Ext(abs) != ".go" {
			return p, fmt.Errorf("%s is not a folder: FROM (--from) takes a folder with the layout of katas/", from)
		}
		p.Source, p.Files, p.Label, p.Alone = filepath.Dir(abs), []string{filepath.Base(abs)}, label(root, filepath.Dir(abs)), true
		return p, nil
	}
	p.Source = filepath.Join(abs, k.Folder)
	if _, err := os.Stat(p.Source); errors.Is(err, fs.ErrNotExist) {
		if !holdsGo(abs) {
			return p, fmt.Errorf("%s %w: expected %s", from, ErrNoSource, filepath.Join(from, k.Folder))
		}
		p.Source = abs
	}
	p.Label = label(root, p.Source)
	entries, err := os.ReadDir(p.Source)
	if err != nil {
		return p, fmt.Errorf("read the sources: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		p.Files = append(p.Files, name)
	}
	for _, f := range k.Files {
		if !slices.Contains(p.Files, f) {
			p.Missing = append(p.Missing, f)
		}
	}
	return p, nil
}

// Name returns the file of the kata's package that file stands for.
func (p Plan) Name(file string) string {
	if len(p.Files) == 1 && len(p.Kata.Files) == 1 {
		return p.Kata.Files[0]
	}
	return file
}

// Names maps the names of files in the kata's folder to those in the source, where
// they differ.
func (p Plan) Names() map[string]string {
	names := map[string]string{}
	for _, f := range p.Files {
		if n := p.Name(f); n != f {
			names[n] = f
		}
	}
	return names
}

// Stub says whether the source under test is the kata's own folder.
func (p Plan) Stub() bool { return p.Source == p.Kata.Dir }

func holdsGo(dir string) bool {
	m, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return len(m) > 0
}

// label names dir as seen from the working directory, where that is shorter.
func label(root, dir string) string {
	for _, base := range []string{".", root} {
		abs, err := filepath.Abs(base)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(abs, dir); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return dir
}
