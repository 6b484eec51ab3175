package intake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"prokata/checker/internal/source/intake"
)

// A pile is what has been read of one submission.
type pile struct {
	files   []File // Name is empty yet
	notes   []string
	entries int
	bytes   int
}

// errBroken is the reason why a whole submission cannot be graded.
type errBroken struct{ why string }

func (e errBroken) Error() string { return e.why }

func broken(format string, args ...any) error { return errBroken{fmt.Sprintf(format, args...)} }

// part reads a file or folder of a submission.
func (p *pile) part(root *os.Root, it part) error {
	info, err := root.Lstat(it.path)
	if err != nil {
		return broken("%s cannot be read: %v", it.path, intake.Reasoned(err))
	}
	name := it.name
	if name == "" {
		name = path.Base(it.path)
	}
	switch {
	case info.IsDir():
		return p.folder(root, it.path, "", 0)
	case info.Mode().IsRegular():
		return p.file(root, it.path, name)
	}
	return broken("%s is %s: hand in a folder, a .zip, a .tar.gz or Go files", name, kind(info.Mode()))
}

// folder reads the Go files in a folder, and the archives.
func (p *pile) folder(root *os.Root, dir, below string, depth int) error {
	if depth > maxDepth {
		return broken("its folders are nested more than %d deep", maxDepth)
	}
	f, err := root.Open(dir)
	if err != nil {
		return broken("%s cannot be read: %v", filepath.Base(dir), intake.Reasoned(err))
	}
	entries, err := f.ReadDir(maxEntries + 1)
	_ = f.Close()
	if err != nil && !errors.Is(err, io.EOF) {
		return broken("%s cannot be read: %v", filepath.Base(dir), intake.Reasoned(err))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if err := p.count(); err != nil {
			return err
		}
		name := path.Join(below, e.Name())
		if ignored(e.Name()) {
			continue
		}
		switch {
		case e.IsDir():
			err = p.folder(root, filepath.Join(dir, e.Name()), name, depth+1)
		case e.Type().IsRegular():
			err = p.file(root, filepath.Join(dir, e.Name()), name)
		default:
			p.note("%s is %s and was left out", name, kind(e.Type()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file reads one file: a source, or an archive of some.
func (p *pile) file(root *os.Root, at, name string) error {
	if archive(name) {
		return p.archive(root, at, name)
	}
	if !p.wants(name) {
		return nil
	}
	b, err := readFile(root, at, maxFile+1)
	if err != nil {
		return broken("%s cannot be read: %v", name, intake.Reasoned(err))
	}
	return p.keep(name, b)
}

// wants tells whether a file of that name is looked at, and notes what may surprise its
// owner.
func (p *pile) wants(name string) bool {
	base := path.Base(name)
	switch {
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"), strings.Contains("/"+name, "/__MACOSX/"), path.Ext(base) != ".go":
		return false
	case strings.HasSuffix(base, "_test.go"):
		return false // the tests are the repository's own
	}
	return true
}

func (p *pile) keep(name string, text []byte) error {
	if len(text) > maxFile {
		return broken("%s is longer than %d KiB", name, maxFile>>10)
	}
	if p.bytes += len(text); p.bytes > maxTotal {
		return broken("its Go files hold more than %d MiB together", maxTotal>>20)
	}
	if len(p.files) == maxFiles {
		return broken("it holds more than %d Go files", maxFiles)
	}
	p.files = append(p.files, File{From: name, Text: text})
	return nil
}

func (p *pile) count() error {
	if p.entries++; p.entries > maxEntries {
		return broken("it holds more than %d files and folders", maxEntries)
	}
	return nil
}

// note keeps some: what a submission holds must not fill a report.
func (p *pile) note(format string, args ...any) {
	switch {
	case len(p.notes) < 20:
		p.notes = append(p.notes, fmt.Sprintf(format, args...))
	case len(p.notes) == 20:
		p.notes = append(p.notes, "and more of the kind")
	}
}

// sound refuses the names of archives' entries that a well-behaved archiver never writes.
func sound(name string) error {
	name = strings.TrimSuffix(name, "/")
	switch {
	case strings.ContainsRune(name, 0), strings.Contains(name, `\`), !filepath.IsLocal(name):
		return broken("the archive names a place outside itself: %.80q", name)
	case strings.Count(name, "/") > maxDepth:
		return broken("its folders are nested more than %d deep", maxDepth)
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > maxName {
			return broken("a name in it is longer than %d bytes: %.40q…", maxName, part)
		}
	}
	return nil
}

// readFile reads a regular file, and no more than so many bytes, whatever has come into
// its place: who opens a named pipe would wait for a writer.
func readFile(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := openFile(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

func openFile(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, errors.Join(err, errors.New("it is no regular file"))
	}
	return f, nil
}

// kind is intake.Kind, in a word less for a link.
func kind(m fs.FileMode) string {
	if m&fs.ModeSymlink != 0 {
		return "a link"
	}
	return intake.Kind(m)
}
