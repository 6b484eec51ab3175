package place

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// longest is how long the path of a folder for temporary files may be, in bytes. A
// unix socket's address holds 107 of them, of which a run's own folders take 24; what
// is left is for the names that tests and programs choose.
const longest = 34

// room is what must be free there, in bytes: test binaries, and what tests write.
const room = 128 << 20

// Temp returns a folder for temporary files from which programs can be started, in
// which files fit and whose path is short enough for sockets: $TMPDIR if it is one,
// else one that is. The error says what is the matter with each.
func Temp() (string, error) {
	home, _ := os.UserHomeDir()
	var why []string
	tried := map[string]bool{}
	for _, dir := range []string{os.Getenv("TMPDIR"), "/tmp", "/var/tmp", os.Getenv("XDG_RUNTIME_DIR"), home} {
		if dir == "" || tried[dir] {
			continue
		}
		tried[dir] = true
		real, err := suits(dir)
		if err == nil {
			return real, nil
		}
		why = append(why, fmt.Sprintf("%s: %v", dir, err))
	}
	return "", fmt.Errorf("there is no folder for temporary files: set TMPDIR to one with a short path, in which programs may run and %d MiB are free (%s)", room>>20, strings.Join(why, "; "))
}

// suits returns the folder's path without symbolic links, or why it cannot be used.
func suits(dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		return "", errors.New("its path is not absolute")
	}
	real, err := filepath.EvalSymlinks(dir)
	switch {
	case err != nil:
		return "", reason(err)
	case len(real) > longest:
		return "", fmt.Errorf("its path has %d bytes, and with more than %d a unix socket's has no room", len(real), longest)
	case strings.Trim(real, plain) != "":
		// The race detector splits its options at some characters, and programs of
		// others have their own.
		return "", errors.New("its path holds characters that not every program takes")
	}
	if err := holds(real); err != nil {
		return "", err
	}
	probe, err := os.MkdirTemp(real, "prokata-")
	if err != nil {
		return "", reason(err)
	}
	return real, os.Remove(probe)
}

const plain = "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"

// reason is an error without the path that the sentence around it names.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
