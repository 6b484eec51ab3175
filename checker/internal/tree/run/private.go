package run

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"prokata/checker/internal/tree/place"
	"prokata/checker/internal/tree/watch"
	"prokata/checker/internal/tree/wire"
)

// A private folder holds all that one run writes.
type private struct {
	dir  string
	seal []sealed // what the harness writes to, as it was made

	races   map[string]int64 // how much of each report of the race detector has been read
	crashed map[string]int64 // and of what each process printed as it crashed
	guard   *guard
	user    int // whose processes the tests' are
}

// sharedRaces is the record of races on shared memory.
var sharedRaces = filepath.Join(wire.WatchDir, watch.RacesFile)

func newPrivate(box *Box) (*private, error) {
	base, err := place.Temp()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	dir, err := os.MkdirTemp(base, "prokata-")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	p := &private{dir: dir, races: map[string]int64{}, crashed: map[string]int64{}, user: box.user()}
	for _, sub := range []string{wire.TempDir, wire.WorkDir, wire.RaceDir, wire.CrashDir, wire.WatchDir} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			p.remove()
			return nil, fmt.Errorf("%w: %w", errSetUp, err)
		}
	}
	all := []string{dir}
	for _, sub := range []string{wire.TempDir, wire.WorkDir, wire.RaceDir, wire.CrashDir, wire.WatchDir} {
		all = append(all, p.path(sub))
	}
	for _, file := range []string{wire.TodoFile, wire.ChildFile, wire.SitesFile, sharedRaces} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			p.remove()
			return nil, fmt.Errorf("%w: %w", errSetUp, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, wire.ProgressFile), make([]byte, 8), 0o600); err != nil {
		p.remove()
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	for _, file := range []string{wire.TodoFile, wire.ChildFile, wire.SitesFile, sharedRaces, wire.ProgressFile} {
		all = append(all, p.path(file))
	}
	for _, path := range all {
		if err := box.give(path); err != nil {
			p.remove()
			return nil, fmt.Errorf("%w: %w", errSetUp, err)
		}
	}
	err = p.sealAll()
	if err == nil {
		p.guard, err = newGuard(p.path(wire.RaceDir), p.path(wire.CrashDir))
	}
	if err != nil {
		p.remove()
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	return p, nil
}

// progress is the count of harness.Progress.
func (p *private) progress() uint64 {
	var b [8]byte
	if s := p.sealed(wire.ProgressFile); s != nil {
		_, _ = s.file.ReadAt(b[:], 0) // one that was cut short is told of
	}
	return binary.NativeEndian.Uint64(b[:])
}

// real is the folder as the kernel names it, without symbolic links.
func (p *private) real() string {
	if real, err := filepath.EvalSymlinks(p.dir); err == nil {
		return real
	}
	return p.dir
}

func (p *private) path(elem ...string) string {
	return filepath.Join(append([]string{p.dir}, elem...)...)
}

// remove deletes the folder, also where the tests left folders that forbid it.
func (p *private) remove() {
	for _, s := range p.seal {
		s.file.Close()
	}
	p.guard.close()
	if os.RemoveAll(p.dir) == nil {
		return
	}
	_ = filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(p.dir)
}

// news returns the whole lines that were added to one of the files that only grow, and
// the offset at which they begin.
func (p *private) news(name string) (lines []byte, at int64) {
	s := p.sealed(name)
	if s == nil || s.grown == nil {
		return nil, 0
	}
	at = s.grown.read
	return s.grown.news(s.file), at
}

// unwritten returns the names of unwritten functions called since the last call.
func (p *private) unwritten() []string {
	text, _ := p.news(wire.TodoFile)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// raceHead is how the first report of a process begins.
const raceHead = "==================\nWARNING: DATA RACE\n"

// raceReports returns what the race detector has written since the last call, by
// process ID.
func (p *private) raceReports() map[string]string {
	reports := map[string]string{}
	for name, text := range p.added(wire.RaceDir, p.races) {
		if p.races[name] == int64(len(text)) && !strings.HasPrefix(text, raceHead[:min(len(text), len(raceHead))]) {
			p.guard.tell(wire.RaceDir, "had a report written over")
		}
		reports[strings.TrimPrefix(name, "r.")] = text
	}
	return reports
}

// crashes returns what processes have written as they crashed since the last call, by
// process ID.
func (p *private) crashes() map[string]string { return p.added(wire.CrashDir, p.crashed) }

// added reads what was added to the files of a folder in which each process may have one.
func (p *private) added(folder string, read map[string]int64) map[string]string {
	all := map[string]string{}
	p.guard.look()
	names, err := namesIn(p.path(folder))
	if err != nil {
		p.guard.tell(folder, "could not be read")
	}
	for _, name := range names {
		text, size, err := readFrom(p.path(folder, name), read[name], p.user)
		switch {
		case errors.Is(err, fs.ErrNotExist): // the guard has seen it
		case err != nil:
			p.guard.tell(folder, "got something that is no file of the harness's")
		case size < read[name]:
			read[name] = 0 // a process of the same number has begun anew
		case size == 0 && p.guard.written(folder, name):
			p.guard.tell(folder, "lost what a process had written")
		case len(text) > 0:
			read[name] += int64(len(text))
			all[name] = text
		}
	}
	return all
}

// filesBelow returns every file below a folder, by its path from there. What a program
// has closed to its owner is not listed, but the folder that it has closed is.
func filesBelow(root string) (map[string]fs.FileInfo, error) {
	all := map[string]fs.FileInfo{}
	_, err := os.ReadDir(root)
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return nil
		}
		if info, err := d.Info(); err == nil {
			rel, _ := filepath.Rel(root, path)
			all[rel] = info
		}
		return nil
	})
	return all, err
}

// bytes is how much the files of the folder hold.
func (p *private) bytes() (n int64) {
	_ = filepath.WalkDir(p.dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}
