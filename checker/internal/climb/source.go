package climb

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
	"prokata/checker/internal/source/plan"
)

// sources are those that the climb goes through: at 0 the stub, at n that after step n.
func sources(root string, k kata.Kata) ([]patch.Files, error) {
	all, err := steps.Sources(root, k)
	if errors.Is(err, steps.ErrNone) {
		return nil, fmt.Errorf("kata %s is not climbed in steps yet: its stub as it came is in git (git checkout katas/%s), its solution in solutions/%s", k.Name, k.Folder, k.Folder)
	}
	return all, err
}

// Untouched says whether a source is a stub as it came.
func Untouched(root string, p plan.Plan) bool {
	all, err := steps.Sources(root, p.Kata)
	if err != nil || len(all[0]) != len(p.Files) {
		return false
	}
	for name, text := range all[0] {
		if !bytes.Equal(text, p.Text(name)) {
			return false
		}
	}
	return true
}

// Solution is what the reference does at a step, as a patch on the step before.
func Solution(root string, k kata.Kata, step int) (string, error) {
	all, err := sources(root, k)
	if err != nil {
		return "", err
	}
	return between("before/", all[step-1], "after/", all[step]), nil
}

// Diff is what a learner's source would have to change to be the reference after a step.
func Diff(root string, k kata.Kata, step int) (string, error) {
	all, err := sources(root, k)
	if err != nil {
		return "", err
	}
	mine, err := patch.Read(k.Dir)
	if err != nil {
		return "", err
	}
	return between("yours/", mine, "reference/", all[step]), nil
}

// between is the difference of two sources in the unified form.
func between(from string, a patch.Files, to string, b patch.Files) string {
	names := maps.Clone(a)
	maps.Copy(names, b)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, lines, _ := bytes.Cut(diff.Diff(from+name, a[name], to+name, b[name]), []byte("\n"))
		text.Write(lines)
	}
	return text.String()
}

// A Kept is a file of the learner's that a reset has put aside.
type Kept struct{ Old, New string } // names in the kata's folder

// Reset makes the stub what it was when it came. Each file that differs is kept under a
// new name beside it, which the go command passes over; nothing is overwritten.
func Reset(root string, k kata.Kata) (kept []Kept, err error) {
	all, err := sources(root, k)
	if err != nil {
		return nil, err
	}
	mine, err := patch.Read(k.Dir)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		if stub, ok := all[0][name]; ok && bytes.Equal(stub, mine[name]) {
			continue
		}
		to, err := keep(k.Dir, name, mine[name])
		if err != nil {
			return kept, fmt.Errorf("keep %s under another name: %w", name, err)
		}
		kept = append(kept, Kept{name, to})
		if _, ok := all[0][name]; !ok {
			if err := os.Remove(filepath.Join(k.Dir, name)); err != nil {
				return kept, fmt.Errorf("reset: %w", err)
			}
		}
	}
	for name, text := range all[0] {
		if !bytes.Equal(text, mine[name]) {
			if err := replace(filepath.Join(k.Dir, name), text); err != nil {
				return kept, fmt.Errorf("reset %s: %w", name, err)
			}
		}
	}
	return kept, nil
}

// keep writes a file beside the one called name, under the first name that is free.
func keep(dir, name string, text []byte) (string, error) {
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s.old%d", name, n)
		f, err := os.OpenFile(filepath.Join(dir, to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(text)
		return to, errors.Join(err, f.Sync(), f.Close())
	}
}

// replace puts text in the place of a file, whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".reset-")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
