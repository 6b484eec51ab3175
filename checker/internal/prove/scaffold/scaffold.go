// Package scaffold makes the folders of a new kata and of a new known mistake.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"prokata/checker/internal/prove/steps"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/source/patch"
)

//go:embed template
var templates embed.FS

var (
	kataName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	flawName = kataName
)

// Kata makes katas/NN-name and solutions/NN-name and returns the files it wrote.
// It overwrites nothing.
func Kata(root, name string) ([]string, error) {
	if !kataName.MatchString(name) {
		return nil, fmt.Errorf("%q is not a name for a kata: small letters, digits and dashes, like shared-memory", name)
	}
	all, err := kata.All(root)
	if err != nil {
		return nil, err
	}
	number := 0
	for _, k := range all {
		if k.Name == name {
			return nil, fmt.Errorf("there is a kata %q already: katas/%s", name, k.Folder)
		}
		number = max(number, k.Number)
	}
	number++
	if number > 99 {
		return nil, errors.New("there are 99 katas already")
	}
	folder := fmt.Sprintf("%02d-%s", number, name)
	pkg := strings.ReplaceAll(name, "-", "")
	fill := strings.NewReplacer("NUMBER", fmt.Sprint(number), "FOLDER", folder, "NAME", name, "PACKAGE", pkg).Replace
	var wrote []string
	err = fs.WalkDir(templates, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templates.ReadFile(path)
		if err != nil {
			return err
		}
		// The templates are called .txt, so that the go command leaves them alone.
		rel := strings.TrimSuffix(fill(strings.TrimPrefix(path, "template/")), ".txt")
		if err := write(filepath.Join(root, rel), fill(string(b))); err != nil {
			return err
		}
		wrote = append(wrote, rel)
		return nil
	})
	if err != nil {
		return wrote, fmt.Errorf("make a kata: %w", err)
	}
	k, err := kata.Load(filepath.Join(root, "katas", folder))
	if err == nil {
		err = steps.Pack(root, k, "") // one step: the solution is its witness
	}
	if err != nil {
		return wrote, fmt.Errorf("make a kata: %w", err)
	}
	return append(wrote, filepath.Join("testdata", "steps", folder)), nil
}

// Flaw makes a known mistake of the kata's solution, a patch that changes nothing yet,
// with a head to fill in, and returns the file it wrote.
func Flaw(root string, k kata.Kata, name string) ([]string, error) {
	if !flawName.MatchString(name) {
		return nil, fmt.Errorf("%q is not a name for a flaw: small letters, digits and dashes, like never-waited-for", name)
	}
	solution, err := patch.Read(filepath.Join(root, "solutions", k.Folder))
	if err != nil || len(solution) == 0 {
		return nil, fmt.Errorf("solutions/%s holds no Go file to start from", k.Folder)
	}
	dir := filepath.Join("testdata", "flawed", k.Folder)
	for _, old := range []string{name, name + ".go", name + patch.Ext} {
		if _, err := os.Stat(filepath.Join(root, dir, old)); err == nil {
			return nil, fmt.Errorf("there is a flaw %q of this kata already", name)
		}
	}
	rel := filepath.Join(dir, name+patch.Ext)
	head := "Flaw: TODO: what is wrong, as a fact.\nWhy: TODO: why people write this.\n\nwant wrong " + k.Tests[0].Name + "\n"
	if err := write(filepath.Join(root, rel), head); err != nil {
		return nil, fmt.Errorf("make a flaw: %w", err)
	}
	return []string{rel}, nil
}

// write makes a file that is not there yet.
func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
