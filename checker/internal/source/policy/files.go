package policy

import (
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
	maxFiles = 32
	maxBytes = 1 << 20 // one file
)

// compiled are the extensions of what the go command builds beside Go files, as
// far as it finds it: C, assembly and objects are out of the race detector's
// sight.
var compiled = []string{".s", ".S", ".sx", ".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".m", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx", ".syso"}

// files returns the names of the Go files that are to be checked and built, of those
// that are part of the submission.
// What is not built is not refused: a person hands in the whole folder.
func files(dir string, part func(name string) bool, s Strength) (names []string, vs []Violation, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read submission: %w", err)
	}
	add := func(name, rule string, refuse bool, format string, args ...any) {
		vs = append(vs, Violation{File: name, Rule: rule, Message: fmt.Sprintf(format, args...), Refuse: refuse})
	}
	untrusted := s == Untrusted
	for _, e := range entries {
		name, ext := e.Name(), filepath.Ext(e.Name())
		switch {
		case !part(name):
			continue
		case slices.Contains(compiled, ext):
			add(name, "file", true, "only Go files can be part of a kata")
			continue
		case e.IsDir():
			if untrusted {
				add(name, "ignored", false, "the folder is not part of the kata and was not looked at")
			}
			continue
		case ext != ".go":
			if untrusted && e.Type()&fs.ModeType != 0 {
				add(name, "ignored", false, "it is %s and was not looked at", kind(e.Type()))
			}
			continue
		case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "."):
			continue // it is not built either (package plan)
		case strings.HasSuffix(name, "_test.go"):
			if untrusted {
				add(name, "ignored", false, "a submission brings no tests: the kata's own are used")
			}
			continue
		case e.Type()&fs.ModeType != 0:
			// A link to the solution, or to anything that the grader can read. From one
			// who is trusted it is as good as the file that it leads to; a pipe or a
			// device must not be read.
			add(name, "file", untrusted, "it is %s: a submission is made of regular files", kind(e.Type()))
			if info, err := os.Stat(filepath.Join(dir, name)); untrusted || err != nil || !info.Mode().IsRegular() {
				continue
			}
		case !plain(name):
			add(name, "file", untrusted, "the name may hold lower-case letters, digits and underscores only")
			if untrusted {
				continue
			}
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, fmt.Errorf("read submission: %w", err)
		}
		if info.Size() > maxBytes {
			add(name, "size", true, "it has %d bytes; %d are enough for any kata", info.Size(), maxBytes)
			continue
		}
		names = append(names, name)
	}
	if len(names) > maxFiles {
		add(names[maxFiles], "size", true, "there are %d Go files; %d are enough for any kata", len(names), maxFiles)
		names = names[:maxFiles]
	}
	return names, vs, nil
}

// read reads a file, and waits for nobody if it is a named pipe by now.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file any more", path)
	}
	return io.ReadAll(io.LimitReader(f, maxBytes))
}

// plain tells a name that no tool takes for something else: an option, a path,
// a file of another system or letter case.
func plain(name string) bool {
	name = strings.TrimSuffix(name, ".go")
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "no regular file"
}
