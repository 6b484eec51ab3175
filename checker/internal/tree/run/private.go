package run

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"prokata/checker/internal/tree/place"
	"prokata/checker/internal/tree/wire"
)

// A private folder holds all that one run writes.
type private struct {
	dir  string
	seal []sealed // what the harness writes to, as it was made

	started int64            // how much of what siblings read has been there
	todo    int64            // and of the record of unwritten functions
	sites   int64            // and of the places where things were opened
	shared  int64            // and of the races on shared memory
	races   map[string]int64 // and of each report of the race detector
}

func newPrivate(box *Box) (*private, error) {
	base, err := place.Temp()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	dir, err := os.MkdirTemp(base, "prokata-")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	p := &private{dir: dir, races: map[string]int64{}}
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
	for _, file := range []string{wire.TodoFile, wire.ChildFile, wire.SitesFile} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			p.remove()
			return nil, fmt.Errorf("%w: %w", errSetUp, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, wire.ProgressFile), make([]byte, 8), 0o600); err != nil {
		p.remove()
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	for _, file := range []string{wire.TodoFile, wire.ChildFile, wire.SitesFile, wire.ProgressFile} {
		all = append(all, p.path(file))
	}
	for _, path := range all {
		if err := box.give(path); err != nil {
			p.remove()
			return nil, fmt.Errorf("%w: %w", errSetUp, err)
		}
	}
	if err := p.sealAll(); err != nil {
		p.remove()
		return nil, fmt.Errorf("%w: %w", errSetUp, err)
	}
	return p, nil
}

// progress is the count of harness.Progress.
func (p *private) progress() uint64 {
	b, err := os.ReadFile(p.path(wire.ProgressFile))
	if err != nil || len(b) < 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(b)
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

// news returns the whole lines that were added to the file since offset.
func news(path string, offset *int64) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= *offset {
		return nil
	}
	b := make([]byte, info.Size()-*offset)
	n, _ := f.ReadAt(b, *offset)
	end := strings.LastIndexByte(string(b[:n]), '\n') + 1
	*offset += int64(end)
	return strings.Split(strings.TrimSuffix(string(b[:end]), "\n"), "\n")[:strings.Count(string(b[:end]), "\n")]
}

// grown notes how much siblings have written to be read by each other.
func (p *private) grown() { news(p.path(wire.ChildFile), &p.started) }

// unwritten returns the names of unwritten functions called since the last call.
func (p *private) unwritten() []string { return news(p.path(wire.TodoFile), &p.todo) }

// raceReports returns what the race detector has written since the last call, by
// process ID.
func (p *private) raceReports() map[string]string {
	entries, err := os.ReadDir(p.path(wire.RaceDir))
	if err != nil {
		return nil
	}
	reports := map[string]string{}
	for _, e := range entries {
		offset := p.races[e.Name()]
		if lines := news(p.path(wire.RaceDir, e.Name()), &offset); len(lines) > 0 {
			reports[strings.TrimPrefix(e.Name(), "r.")] = strings.Join(lines, "\n") + "\n"
		}
		p.races[e.Name()] = offset
	}
	return reports
}

// crashes returns what processes have written as they crashed, by process ID, and
// forgets it.
func (p *private) crashes() map[string]string {
	entries, err := os.ReadDir(p.path(wire.CrashDir))
	if err != nil {
		return nil
	}
	all := map[string]string{}
	for _, e := range entries {
		path := p.path(wire.CrashDir, e.Name())
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			all[e.Name()] = string(b)
			_ = os.Truncate(path, 0)
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
