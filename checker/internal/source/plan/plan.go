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

	"prokata/checker/internal/source/intake"
	"prokata/checker/internal/source/kata"
)

// A Plan is one run of one kata's tests against one source.
type Plan struct {
	Kata    kata.Kata
	Root    string            // the repository, without symbolic links
	Source  string            // absolute path of the folder under test, without symbolic links
	Label   string            // that folder as a person would name it
	Files   []string          // its Go files, names in Source, tests left out
	Taken   intake.Submission // what was handed in; no later stage reads the folder again
	Linked  bool              // the kata's folder in the sources is a symbolic link: nothing was taken
	Missing []string          // a sentence for each file of the kata that Source lacks
	Trouble string            // why the source could not be read; it is not judged then
	Sum     string            // of the files as they were handed in
	Tests   []string          // names of the tests to run, in order; all if empty

	Seed    uint64
	Race    bool // build with the race detector
	Vet     bool // have go vet look at it first, as go test does
	Perturb bool // disturb the order of events, by the seed

	Untrusted bool // do not believe the process that runs the tests

	Climb    bool // go up the kata's steps, and end below the first that does not hold
	FailFast bool // end at the first test that does not pass
	Mutant   int  // of combined mutants, the number of the one that runs; 0: the original
}

// ErrNoSource says that a folder of sources does not hold a kata at all.
var ErrNoSource = errors.New("holds no folder of this kata")

// New makes the plan for kata k with the sources in from: a folder with the
// layout of katas/, the kata's own folder, or one Go file that stands for the
// kata's only file. An empty from means the kata's own stub.
//
// The error is about from itself, or ErrNoSource; what is the matter with the one
// kata's source is in Missing and in Trouble.
func New(root string, k kata.Kata, from string) (Plan, error) {
	p := Plan{Kata: k, Root: root, Race: true, Vet: true}
	if from == "" {
		from = filepath.Join(root, "katas")
	}
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s does not exist: FROM (--from) takes a folder with the layout of katas/", from)
	}
	if err != nil {
		return p, fmt.Errorf("find the sources: %w", err)
	}
	if !info.IsDir() {
		return p.file(from)
	}
	// from stays as it was given, and may lead through a link on its own way: only
	// what lies in it was handed in.
	dir, inner := from+string(filepath.Separator)+k.Folder, k.Folder
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if !holdsGo(from) {
			return p, fmt.Errorf("%s %w: expected %s", from, ErrNoSource, filepath.Join(from, k.Folder))
		}
		dir, inner = from, ""
	}
	p.Label = label(root, dir)
	taken, err := intake.Dir(from, inner)
	if err == nil {
		p.Source, err = kata.Real(dir)
	}
	switch {
	case errors.Is(err, intake.ErrLink):
		p.Linked = true
	case err != nil:
		p.Trouble = fmt.Sprintf("%s could not be read: %v", p.Label, intake.Reasoned(err))
	default:
		p.take(taken)
	}
	return p, nil
}

// file makes the plan for a single file.
func (p Plan) file(path string) (Plan, error) {
	name := filepath.Base(path)
	switch {
	case len(p.Kata.Files) != 1 || filepath.Ext(name) != ".go":
		return p, fmt.Errorf("%s is not a folder: FROM (--from) takes a folder with the layout of katas/", path)
	case !intake.Built(name):
		return p, fmt.Errorf("%s is no file that the go command would compile, by its name: FROM (--from) takes a folder, or a file like %s", path, p.Kata.Files[0])
	}
	p.Label = label(p.Root, filepath.Dir(path))
	taken, err := intake.Single(path)
	if err == nil {
		p.Source, err = kata.Real(filepath.Dir(path))
	}
	if err != nil {
		return p, fmt.Errorf("find the sources: %w", err)
	}
	p.take(taken)
	p.Missing = nil // whatever its name; and why it was not taken is told
	return p, nil
}

// take notes what was taken in, and what the kata misses in it.
func (p *Plan) take(s intake.Submission) {
	p.Taken = s
	for _, f := range s.Files {
		p.Files = append(p.Files, f.Name)
	}
	p.Sum = p.digest()
	for _, f := range p.Kata.Files {
		odd := slices.IndexFunc(s.Left, func(e intake.Entry) bool { return e.Name == f })
		other := slices.IndexFunc(p.Files, func(g string) bool { return strings.EqualFold(f, g) })
		switch {
		case slices.Contains(p.Files, f):
		case odd >= 0:
			p.Missing = append(p.Missing, fmt.Sprintf("%s: it %s; the kata needs a file of that name", filepath.Join(p.Label, f), s.Left[odd].What))
		case other >= 0:
			p.Missing = append(p.Missing, fmt.Sprintf("%s: the file must be called %s, in small letters", filepath.Join(p.Label, p.Files[other]), f))
		default:
			p.Missing = append(p.Missing, filepath.Join(p.Label, f)+": the file is missing; the kata needs it")
		}
	}
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
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".go" && intake.Built(e.Name()) })
}

// label names dir as seen from the working directory, where that is shorter.
func label(root, dir string) string {
	wd, err := os.Getwd()
	if err != nil {
		return dir
	}
	abs := dir
	if !filepath.IsAbs(dir) {
		abs = filepath.Join(wd, dir)
	}
	for _, base := range []string{wd, root} {
		if rel, err := filepath.Rel(base, abs); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return abs
}
