// Package proved keeps the verdicts on katas that passed, by the content of all that
// they hang on: what has not changed since need not be run again.
//
// It is a convenience for one person on one machine, and no evidence: whoever can write
// to the person's cache folder can write a pass. Who grades never asks it.
package proved

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/plan"
)

// most is how many verdicts are kept, of some 10 KB each; the oldest go first.
const most = 512

// A Store keeps verdicts in a folder. What cannot be read or written there makes a check
// slower, never wrong. The zero Store keeps nothing.
type Store struct {
	Dir   string
	Force bool // nothing is taken from it; what is proved is kept all the same

	checker func() (string, error) // the digest of the checker and of what is linked into a test binary
}

// Open returns the store in the person's cache folder, for the checker whose source is
// in the repository at root.
func Open(root string, force bool) Store {
	dir, err := os.UserCacheDir()
	if err != nil {
		return Store{}
	}
	return Store{Dir: filepath.Join(dir, "prokata", "proved"), Force: force, checker: sync.OnceValues(func() (string, error) { return checker(root) })}
}

// Key is the name of a verdict: a digest of the source, of the kata's own files, of the
// checker and the harness, of the tools that build them and of the system. It is empty if
// any of them cannot be told.
func (s Store) Key(p plan.Plan, tools string) string {
	if s.Dir == "" || p.Sum == "" {
		return ""
	}
	h := sha256.New()
	theirs, err := s.checker()
	if err == nil {
		err = files(h, p.Kata.Dir, func(path string) bool {
			// The stub is not part of the tests: the source stands in its place.
			return !slices.Contains(p.Kata.Files, filepath.Base(path))
		})
	}
	left, err2 := json.Marshal(p.Taken.Left)
	var system unix.Utsname
	if errors.Join(err, err2, unix.Uname(&system)) != nil {
		return ""
	}
	fmt.Fprintf(h, "%q %q %q %q %d\n", theirs, p.Sum, left, tools, runtime.NumCPU())
	fmt.Fprintf(h, "%q %q %q\n", system.Nodename, system.Release, system.Machine)
	return hex.EncodeToString(h.Sum(nil))
}

// checker is a digest of this program and of the sources that are linked into tests.
func checker(root string) (string, error) {
	h := sha256.New()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, path := range []string{self, filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")} {
		if err := file(h, path); err != nil {
			return "", err
		}
	}
	source := func(path string) bool {
		ext := filepath.Ext(path)
		return (ext == ".go" || ext == ".s") && !strings.HasSuffix(path, "_test.go")
	}
	if err := files(h, filepath.Join(root, "checker"), source); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// files adds the files below dir to the digest, those that count.
func files(h io.Writer, dir string, count func(path string) bool) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !count(path) {
			return err
		}
		return file(h, path)
	})
}

func file(h io.Writer, path string) error {
	b, err := os.ReadFile(path)
	if err == nil {
		_, err = fmt.Fprintf(h, "%q %x\n", path, sha256.Sum256(b))
	}
	return err
}

// kept is a file of the store.
type kept struct {
	Sum     string // of the verdict: what is damaged is not taken
	Verdict json.RawMessage
}

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func (s Store) path(key string) string { return filepath.Join(s.Dir, key+".json") }

// Load returns the verdict that was kept under the key.
func (s Store) Load(key string) (v grade.Kata, ok bool) {
	if key == "" || s.Force {
		return v, false
	}
	b, err := os.ReadFile(s.path(key))
	var k kept
	if err != nil || json.Unmarshal(b, &k) != nil || k.Sum != sum(k.Verdict) || json.Unmarshal(k.Verdict, &v) != nil {
		return grade.Kata{}, false
	}
	now := time.Now()
	_ = os.Chtimes(s.path(key), now, now) // what is asked for is not old
	return v, v.Verdict == grade.Pass
}

// Save keeps a verdict under the key, if it is a pass.
func (s Store) Save(key string, v grade.Kata) {
	if key == "" || v.Verdict != grade.Pass || os.MkdirAll(s.Dir, 0o700) != nil {
		return
	}
	verdict, err := json.Marshal(v)
	if err != nil {
		return
	}
	text, err := json.Marshal(kept{sum(verdict), verdict})
	if err != nil {
		return
	}
	f, err := os.CreateTemp(s.Dir, "new-")
	if err != nil {
		return
	}
	_, err = f.Write(text)
	if errors.Join(err, f.Close()) != nil || os.Rename(f.Name(), s.path(key)) != nil {
		_ = os.Remove(f.Name())
	}
	s.prune()
}

// prune removes the oldest, and what a check that was killed has left.
func (s Store) prune() {
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) <= most {
		return
	}
	old := map[string]time.Time{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			old[e.Name()] = info.ModTime()
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return old[a.Name()].Compare(old[b.Name()]) })
	for _, e := range entries[:len(entries)-most] {
		_ = os.Remove(filepath.Join(s.Dir, e.Name()))
	}
}
