// Package intake takes in what was handed in: the regular files of one kata's folder are
// read once, into memory, and what is judged, hooked and built is that copy. Nothing that
// happens to the folder afterwards matters. No symbolic link is followed, nothing is waited
// for, and what cannot be taken is told with its reason.
package intake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The bounds of a submission. The longest solution has some 300 lines.
const (
	MaxFiles   = 32      // Go files
	MaxBytes   = 1 << 20 // one file
	MaxEntries = 1000    // of the folder, whatever they are
)

// A File is the copy of one Go file.
type File struct {
	Name string
	Text []byte
}

// A Reason says why an entry of the folder was not taken.
type Reason int

// The reasons.
const (
	Passed    Reason = iota // "_x.go", ".x.go": the go command passes over it
	Test                    // the kata's own tests are used
	Folder                  // it is not looked into
	Strange                 // a link, pipe, socket or device that is no Go file by its name
	Compiled                // C, assembly or an object: what the go command would build too
	Irregular               // a link, pipe, socket or device by the name of a Go file
	Unread                  // it could not be read
	Large                   // more than MaxBytes
	Many                    // more than MaxFiles, or than MaxEntries
)

// An Entry is what was not taken. What is the reason in words: "is a named pipe".
type Entry struct {
	Name   string
	Reason Reason
	What   string
}

// A Submission is what was taken in of one kata's folder, in the order of names.
type Submission struct {
	Files []File
	Left  []Entry
}

// ErrLink says that a symbolic link was handed in where files were expected.
var ErrLink = errors.New("it is a symbolic link: a submission is made of regular files")

// compiled are the extensions of what the go command builds beside Go files, as far as it
// finds it: C, assembly and objects are out of the race detector's sight.
var compiled = []string{".s", ".S", ".sx", ".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".m", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx", ".syso"}

// Dir takes in the folder name of the folder from, or from itself if name is empty. The
// path of from is the caller's and may lead through links; the folder may be none.
func Dir(from, name string) (Submission, error) {
	root, err := os.OpenRoot(from)
	if err != nil {
		return Submission{}, err
	}
	defer root.Close()
	if name == "" {
		return list(root)
	}
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return Submission{}, err
	case info.Mode()&fs.ModeSymlink != 0:
		return Submission{}, ErrLink
	case !info.IsDir():
		return Submission{}, syscall.ENOTDIR
	}
	dir, err := root.OpenRoot(name)
	if err != nil {
		return Submission{}, err
	}
	defer dir.Close()
	// It may have been changed for a link since.
	if now, err := dir.Stat("."); err != nil || !os.SameFile(info, now) {
		return Submission{}, ErrLink
	}
	return list(dir)
}

// Single takes in one Go file, which is the whole submission.
func Single(path string) (Submission, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return Submission{}, err
	}
	defer root.Close()
	var s Submission
	info, err := root.Lstat(filepath.Base(path))
	if err != nil {
		return s, err
	}
	s.take(root, filepath.Base(path), info.Mode().Type())
	return s, nil
}

func list(root *os.Root) (s Submission, err error) {
	dir, err := root.Open(".")
	if err != nil {
		return s, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(MaxEntries + 1)
	if err != nil && err != io.EOF {
		return s, err
	}
	if len(entries) > MaxEntries {
		s.leave(".", Many, "holds more than %d files; one is enough for most katas", MaxEntries)
		return s, nil
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		s.entry(root, e)
	}
	return s, nil
}

func (s *Submission) leave(name string, why Reason, format string, args ...any) {
	s.Left = append(s.Left, Entry{name, why, fmt.Sprintf(format, args...)})
}

// entry takes one entry of the folder, or says why not.
func (s *Submission) entry(root *os.Root, e fs.DirEntry) {
	name, ext := e.Name(), filepath.Ext(e.Name())
	switch {
	case slices.Contains(compiled, ext):
		s.leave(name, Compiled, "is no Go file, and would be compiled")
	case ext != ".go" && e.IsDir():
		s.leave(name, Folder, "is a folder")
	case ext != ".go" && e.Type() != 0:
		s.leave(name, Strange, "is %s", Kind(e.Type()))
	case ext != ".go":
		// What is not built is not refused: a person hands in the whole folder.
	case !Built(name) && strings.HasSuffix(name, "_test.go"):
		s.leave(name, Test, "is a test")
	case !Built(name):
		s.leave(name, Passed, "has a name that the go command passes over")
	default:
		s.take(root, name, e.Type())
	}
}

// Built tells whether the go command takes a Go file of that name for a part of the package.
func Built(name string) bool {
	return !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "_test.go")
}

// take copies one file.
func (s *Submission) take(root *os.Root, name string, mode fs.FileMode) {
	if mode.IsDir() {
		s.leave(name, Folder, "is a folder")
		return
	}
	if mode != 0 {
		s.leave(name, Irregular, "is %s", Kind(mode))
		return
	}
	if len(s.Files) == MaxFiles {
		s.leave(name, Many, "is one more than %d Go files, which are enough for any kata", MaxFiles)
		return
	}
	text, err := read(root, name)
	var large errLarge
	var odd errIrregular
	switch {
	case errors.As(err, &large):
		s.leave(name, Large, "has %d bytes; %d are enough for any kata", large, MaxBytes)
	case errors.As(err, &odd):
		s.leave(name, Irregular, "is %s", string(odd))
	case err != nil:
		s.leave(name, Unread, "could not be read: %v", Reasoned(err))
	default:
		s.Files = append(s.Files, File{name, text})
	}
}

type (
	errLarge     int64
	errIrregular string
)

func (errLarge) Error() string       { return "too large" }
func (e errIrregular) Error() string { return string(e) }

// read reads one regular file. What has come into its place meanwhile is not followed, and
// a named pipe is not waited for.
func read(root *os.Root, name string) ([]byte, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errIrregular(Kind(before.Mode()))
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || !os.SameFile(before, info):
		return nil, errIrregular("another file by now")
	case info.Size() > MaxBytes:
		return nil, errLarge(info.Size())
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err == nil && len(text) > MaxBytes { // it grows
		err = errLarge(len(text))
	}
	return text, err
}

// Kind names a kind of file that is none of the regular ones.
func Kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// Reasoned is an error without the path that the sentence around it names.
func Reasoned(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
