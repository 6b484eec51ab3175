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
	Root    string   // the repository, without symbolic links
	Source  string   // absolute path of the folder under test, without symbolic links
	Label   string   // that folder as a person would name it
	Files   []string // its Go files, names in Source, tests left out
	Alone   bool     // the source is that one file, whatever else there is in Source
	Linked  bool     // the kata's folder in the sources is a symbolic link
	Missing []string // a sentence for each file of the kata that Source lacks
	Trouble string   // why the source could not be read; it is not judged then
	Sum     string   // of the files as they were handed in
	Tests   []string // names of the tests to run, in order; all if empty

	Seed    uint64
	Race    bool // build with the race detector
	Vet     bool // have go vet look at it first, as go test does
	Perturb bool // disturb the order of events, by the seed

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
		return p.file(from, info)
	}
	// from stays as it was given, and may lead through a link on its own way: only
	// what lies in it was handed in.
	dir := from + string(filepath.Separator) + k.Folder
	link, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if !holdsGo(from) {
			return p, fmt.Errorf("%s %w: expected %s", from, ErrNoSource, filepath.Join(from, k.Folder))
		}
		dir, link = from, nil
	}
	p.Label = label(root, dir)
	p.Linked = link != nil && link.Mode()&fs.ModeSymlink != 0
	if err := p.read(dir); err != nil {
		p.Trouble = fmt.Sprintf("%s could not be read: %v", p.Label, reason(err))
	}
	return p, nil
}

// file makes the plan for a single file.
func (p Plan) file(path string, info fs.FileInfo) (Plan, error) {
	name := filepath.Base(path)
	switch {
	case len(p.Kata.Files) != 1 || filepath.Ext(name) != ".go":
		return p, fmt.Errorf("%s is not a folder: FROM (--from) takes a folder with the layout of katas/", path)
	case !built(name):
		return p, fmt.Errorf("%s is no file that the go command would compile, by its name: FROM (--from) takes a folder, or a file like %s", path, p.Kata.Files[0])
	case !info.Mode().IsRegular():
		return p, fmt.Errorf("%s is %s, not a file", path, kind(info.Mode()))
	}
	real, err := kata.Real(path)
	if err != nil {
		return p, fmt.Errorf("find the sources: %w", err)
	}
	// The file's own name may be a link's: the folder is the one that holds the file.
	p.Source, p.Files, p.Alone = filepath.Dir(real), []string{filepath.Base(real)}, true
	p.Label = label(p.Root, filepath.Dir(path))
	if filepath.Base(real) != name {
		p.Label = label(p.Root, p.Source)
	}
	if p.Sum, err = p.sum(); err != nil {
		p.Trouble = fmt.Sprintf("%s could not be read: %v", path, reason(err))
	}
	return p, nil
}

// read lists the folder and reads what is to be built.
func (p *Plan) read(dir string) (err error) {
	if p.Source, err = kata.Real(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.Source)
	if err != nil {
		return err
	}
	instead := map[string]string{} // of what cannot be a source file: what it is
	for _, e := range entries {
		name := e.Name()
		if filepath.Ext(name) != ".go" || !built(name) {
			continue
		}
		info, err := os.Stat(filepath.Join(p.Source, name)) // a link to a file is that file
		switch {
		case err != nil:
			instead[name] = fmt.Sprintf("is a symbolic link that leads nowhere (%v)", reason(err))
		case !info.Mode().IsRegular():
			instead[name] = "is " + kind(info.Mode())
		default:
			p.Files = append(p.Files, name)
		}
	}
	for _, f := range p.Kata.Files {
		what, odd := instead[f]
		other := slices.IndexFunc(p.Files, func(g string) bool { return strings.EqualFold(f, g) })
		switch {
		case slices.Contains(p.Files, f):
		case odd:
			p.Missing = append(p.Missing, fmt.Sprintf("%s: it %s; the kata needs a file of that name", filepath.Join(p.Label, f), what))
		case other >= 0:
			p.Missing = append(p.Missing, fmt.Sprintf("%s: the file must be called %s, in small letters", filepath.Join(p.Label, p.Files[other]), f))
		default:
			p.Missing = append(p.Missing, filepath.Join(p.Label, f)+": the file is missing; the kata needs it")
		}
	}
	p.Sum, err = p.sum()
	return err
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

// built tells whether the go command takes a Go file of that name for a part of the
// package.
func built(name string) bool {
	return !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "_test.go")
}

func holdsGo(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".go" && built(e.Name()) })
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// reason is an error without the path that the sentence around it names.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
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
