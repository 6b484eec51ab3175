package flaw

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/patch"
)

const (
	solution = "package x\n\nfunc f() {\n\ta()\n\tb()\n\tc()\n}\n"
	head     = "Flaw: b is not called.\nWhy: It is easily forgotten.\n\nwant wrong TestB\n"
)

// repository makes a repository with one solution and one flaw, in which b is missing.
func repository(t *testing.T) (root, flawPath string) {
	t.Helper()
	root = t.TempDir()
	flawPath = filepath.Join(root, "testdata", "flawed", "01-x", "no-b.patch")
	write(t, filepath.Join(root, "solutions", "01-x", "x.go"), solution)
	old := patch.Files{"x.go": []byte(solution)}
	write(t, flawPath, string(patch.Make(head, old, patch.Files{"x.go": []byte(strings.Replace(solution, "\tb()\n", "", 1))})))
	for _, args := range []string{"init -q", "add .", "-c user.name=x -c user.email=x -c commit.gpgsign=false commit -q -m x"} {
		cmd := exec.Command("git", strings.Fields(args)...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "git %s: %s", args, out)
	}
	return root, flawPath
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func source(t *testing.T, root string) string {
	t.Helper()
	all, broken, err := All(root, "01-x")
	require.NoError(t, err)
	require.Empty(t, broken)
	require.Len(t, all, 1)
	return string(all[0].files["x.go"])
}

// A solution that has changed near a mistake: git finds what the patch was made for.
func TestRebase(t *testing.T) {
	root, path := repository(t)
	write(t, filepath.Join(root, "solutions", "01-x", "x.go"), strings.Replace(solution, "package x\n", "// Package x is better now.\npackage x\n\nimport \"os\"\n", 1))
	require.NoError(t, Rebase(t.Context(), root, path))
	assert.Equal(t, "// Package x is better now.\npackage x\n\nimport \"os\"\n\nfunc f() {\n\ta()\n\tc()\n}\n", source(t, root))

	write(t, filepath.Join(root, "solutions", "01-x", "x.go"), strings.Replace(solution, "func f()", "func g()", 1))
	_, broken, err := All(root, "01-x")
	require.NoError(t, err)
	require.Len(t, broken, 1)
	assert.True(t, broken[0].Misfit, broken[0].What)
}

// A solution that has changed where the mistake is: a person has to decide, and nothing
// is lost until that is done.
func TestRebaseConflict(t *testing.T) {
	root, path := repository(t)
	write(t, filepath.Join(root, "solutions", "01-x", "x.go"), strings.Replace(solution, "\tb()\n", "\tb(1)\n", 1))
	before := read(t, path)
	require.ErrorIs(t, Rebase(t.Context(), root, path), ErrConflict)
	assert.Equal(t, before, read(t, path))

	// An editor that leaves the markers.
	err := Edit(t.Context(), root, path, func(context.Context, []string) error { return nil })
	require.ErrorContains(t, err, "x.go still has conflict markers")
	assert.Equal(t, before, read(t, path))
	_, left, _ := strings.Cut(err.Error(), "what you edited is in ")
	require.NoError(t, os.RemoveAll(strings.TrimSuffix(left, ")")))

	// One that decides.
	err = Edit(t.Context(), root, path, func(_ context.Context, paths []string) error {
		assert.Contains(t, read(t, paths[1]), "b(1)")
		write(t, paths[0], strings.Replace(head, "TestB", "TestB TestC", 1))
		write(t, paths[1], strings.Replace(solution, "\tb()\n", "\tb(2)\n", 1))
		return nil
	})
	require.NoError(t, err)
	assert.Contains(t, source(t, root), "b(2)")
	assert.Contains(t, read(t, path), "want wrong TestB TestC\n")
}
