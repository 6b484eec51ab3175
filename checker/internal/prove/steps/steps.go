// Package steps reads the witnesses of testdata/steps: how each kata is climbed, from
// its stub over one small patch a step to the reference solution. So the repository
// proves of itself that each step can be taken, how high it is, and that no test asks
// for what comes later.
package steps

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
)

// Highest is how many lines a step may take away and add.
const Highest = 80

// A Witness is the source as it stands after a step.
type Witness struct {
	Step   int // from 1
	Name   string
	Path   string // its patch, on the step before
	Head   string // what is new, for a person
	Height int    // lines that the patch takes away and adds
	Files  patch.Files
}

// Dir is where the patches of a kata's steps are.
func Dir(root string, k kata.Kata) string {
	return filepath.Join(root, "testdata", "steps", k.Folder)
}

func file(i int, name string) string { return fmt.Sprintf("%02d-%s%s", i, name, patch.Ext) }

// All reads the witnesses of a kata, in the order of its steps. An error tells which
// patch is missing, does not fit, or leads elsewhere than to the solution.
func All(root string, k kata.Kata) ([]Witness, error) {
	stub, err := stub(k)
	if err != nil {
		return nil, err
	}
	var all []Witness
	at := stub
	for i, s := range k.Steps {
		w := Witness{Step: i + 1, Name: s.Name, Path: filepath.Join(Dir(root, k), file(i+1, s.Name))}
		text, err := os.ReadFile(w.Path)
		if errors.Is(err, os.ErrNotExist) {
			return all, fmt.Errorf("step %s has no witness: testdata/steps/%s/%s is missing", s.Name, k.Folder, filepath.Base(w.Path))
		}
		if err != nil {
			return all, fmt.Errorf("read a witness: %w", err)
		}
		p, err := patch.Parse(text)
		if err == nil {
			w.Files, err = p.Apply(at)
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", filepath.Base(w.Path), err)
		}
		w.Head, w.Height, at = p.Head, p.Lines(), w.Files
		all = append(all, w)
	}
	if err := strangers(root, k); err != nil {
		return all, err
	}
	solution, err := patch.Read(filepath.Join(root, "solutions", k.Folder))
	if err != nil {
		return all, err
	}
	if name, ok := differ(at, solution); ok {
		return all, fmt.Errorf("the last step does not end in the solution: %s differs", name)
	}
	return all, nil
}

// stub reads what the climb starts from.
func stub(k kata.Kata) (patch.Files, error) {
	files := patch.Files{}
	for _, name := range k.Files {
		b, err := os.ReadFile(filepath.Join(k.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("read the stub: %w", err)
		}
		files[name] = b
	}
	return files, nil
}

// strangers finds patches that belong to no step.
func strangers(root string, k kata.Kata) error {
	paths, err := filepath.Glob(filepath.Join(Dir(root, k), "*"+patch.Ext))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if !slices.ContainsFunc(k.Steps, func(s kata.Step) bool {
			i, _, _ := k.Step(s.Name)
			return file(i, s.Name) == filepath.Base(path)
		}) {
			return fmt.Errorf("%s belongs to no step of kata.json: rename or remove it", filepath.Base(path))
		}
	}
	return nil
}

// differ returns the first file by name that is not the same in both.
func differ(a, b patch.Files) (string, bool) {
	names := slices.Sorted(maps.Keys(a))
	for name := range b {
		if _, ok := a[name]; !ok {
			return name, true
		}
	}
	for _, name := range names {
		if other, ok := b[name]; !ok || !bytes.Equal(a[name], other) {
			return name, true
		}
	}
	return "", false
}

// Unpack writes each witness into a folder of its own below dir, to be edited, and
// returns their names. Where a patch does not fit any more, what could be read is there.
func Unpack(root string, k kata.Kata, dir string) ([]string, error) {
	all, err := All(root, k)
	var names []string
	for _, w := range all {
		name := strings.TrimSuffix(filepath.Base(w.Path), patch.Ext)
		if err := w.Files.Write(filepath.Join(dir, name)); err != nil {
			return names, err
		}
		if err := os.WriteFile(filepath.Join(dir, name, headFile), []byte(w.Head), 0o644); err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, err
}

// headFile holds what a step's patch says above its changes.
const headFile = "HEAD.txt"

// Pack writes the patches of a kata from the folders below dir, one for each step, named
// like its patch. The last step needs none: it ends in the solution.
func Pack(root string, k kata.Kata, dir string) error {
	at, err := stub(k)
	if err != nil {
		return err
	}
	solution, err := patch.Read(filepath.Join(root, "solutions", k.Folder))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(Dir(root, k), 0o755); err != nil {
		return err
	}
	for i, s := range k.Steps {
		name := file(i+1, s.Name)
		from := filepath.Join(dir, strings.TrimSuffix(name, patch.Ext))
		head, err := os.ReadFile(filepath.Join(from, headFile))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("read a head: %w", err)
		}
		next, err := patch.Read(from)
		if err != nil {
			return err
		}
		switch {
		case i == len(k.Steps)-1:
			next = solution
		case len(next) == 0:
			return fmt.Errorf("%s holds no Go file: the source after step %s", from, s.Name)
		}
		text := patch.Make(fmt.Sprintf("Step %d, %s: %s\n%s", i+1, s.Name, s.Goal, body(string(head))), at, next)
		if err := os.WriteFile(filepath.Join(Dir(root, k), name), text, 0o644); err != nil {
			return fmt.Errorf("write a witness: %w", err)
		}
		at = next
	}
	return nil
}

// body is a head without its first line, which is made from kata.json.
func body(head string) string {
	if strings.HasPrefix(head, "Step ") {
		_, head, _ = strings.Cut(head, "\n")
	}
	return head
}
