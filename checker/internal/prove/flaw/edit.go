package flaw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/source/patch"
)

// headFile holds the head while a flaw is edited.
const headFile = "HEAD.txt"

// marker begins what git could not merge.
var marker = []byte("\n<<<<<<< ")

// An Editor changes the files at paths and returns when that is done.
type Editor func(ctx context.Context, paths []string) error

// Edit opens the source that the patch file at path makes, and its head, in the editor,
// and writes the patch anew from what it left. Where the patch does not apply any more,
// git merges what it can, and the rest stands in the source between conflict markers.
// On an error the edited files stay in the folder that it names, and the patch is as it was.
func Edit(ctx context.Context, root, path string, edit Editor) (err error) {
	base := filepath.Join(root, "solutions", filepath.Base(filepath.Dir(path)))
	p, solution, err := open(path, base)
	if err != nil {
		return err
	}
	files, err := merge(ctx, root, p, solution)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "prokata-flaw-")
	if err != nil {
		return fmt.Errorf("make a place to edit: %w", err)
	}
	defer func() {
		if err == nil {
			os.RemoveAll(dir)
			return
		}
		err = fmt.Errorf("%w (the patch is as it was; what you edited is in %s)", err, dir)
	}()
	if err := files.Write(dir); err != nil {
		return err
	}
	head := filepath.Join(dir, headFile)
	if err := os.WriteFile(head, []byte(p.Head), 0o644); err != nil {
		return err
	}
	paths := []string{head}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		paths = append(paths, filepath.Join(dir, name))
	}
	if err := edit(ctx, paths); err != nil {
		return fmt.Errorf("run the editor: %w", err)
	}
	words, err := os.ReadFile(head)
	if err != nil {
		return err
	}
	edited, err := patch.Read(dir)
	if err != nil {
		return err
	}
	return rewrite(path, string(words), solution, edited)
}

func rewrite(path, head string, solution, edited patch.Files) error {
	for name, text := range edited {
		if bytes.Contains(text, marker) {
			return fmt.Errorf("%s still has conflict markers", name)
		}
	}
	text := patch.Make(head, solution, edited)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return os.WriteFile(path, text, 0o644)
}

// Rebase writes the patch file at path anew for the solution as it is now. An error that
// wraps ErrConflict says that a person has to (Edit).
func Rebase(ctx context.Context, root, path string) error {
	base := filepath.Join(root, "solutions", filepath.Base(filepath.Dir(path)))
	p, solution, err := open(path, base)
	if err != nil {
		return err
	}
	files, err := merge(ctx, root, p, solution)
	if err != nil {
		return err
	}
	for name, text := range files {
		if bytes.Contains(text, marker) {
			return fmt.Errorf("%s: %w", name, ErrConflict)
		}
	}
	return rewrite(path, p.Head, solution, files)
}

// ErrConflict says that the solution has changed where the mistake is made.
var ErrConflict = errors.New("the solution has changed where the mistake is made")

// merge makes the patched source: of the solution as it is, if the patch applies to it,
// else of the one that the patch was made for, which git remembers, and what has become
// of that since.
func merge(ctx context.Context, root string, p patch.Patch, solution patch.Files) (patch.Files, error) {
	files, err := p.Apply(solution)
	var misfit patch.Misfit
	if err == nil || !errors.As(err, &misfit) {
		return files, err
	}
	old := patch.Files{}
	for name, id := range p.Base() {
		cmd := exec.CommandContext(ctx, "git", "cat-file", "blob", id)
		cmd.Dir = root
		text, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%w, and git does not know the %s that it was made for (%s)", misfit, name, id)
		}
		old[name] = text
	}
	theirs, err := p.Apply(old)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(solution)
	for name, text := range theirs {
		if merged[name], err = merge3(ctx, text, old[name], solution[name]); err != nil {
			return nil, fmt.Errorf("merge %s: %w", name, err)
		}
	}
	return merged, nil
}

// merge3 merges what two have made of old. Conflicts stand in it between markers.
func merge3(ctx context.Context, flawed, old, solution []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "prokata-merge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	args := []string{"merge-file", "-p", "-L", "mistake", "-L", "old solution", "-L", "solution"}
	for name, text := range map[string][]byte{"1": flawed, "2": old, "3": solution} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, "git", append(args, "1", "2", "3")...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() < 128 {
		return out, nil // the number of conflicts
	}
	return out, err
}

// Command is the editor that the command starts, as git does.
func Command(command string) Editor {
	return func(ctx context.Context, paths []string) error {
		cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", strings.TrimSpace(command) + ` "$@"`, "editor"}, paths...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		return cmd.Run()
	}
}
