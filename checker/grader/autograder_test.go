package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAutograder: the zip has what Gradescope asks for at its root, and no solution; its
// script leaves a sound results.json whatever the checker does.
func TestAutograder(t *testing.T) {
	root, katas, err := repository()
	require.NoError(t, err)
	made, err := autograder(root, katas[0])
	require.NoError(t, err)
	z, err := zip.NewReader(bytes.NewReader(made), int64(len(made)))
	require.NoError(t, err)
	home := t.TempDir()
	found := map[string]bool{}
	for _, f := range z.File {
		found[f.Name] = true
		assert.NotContains(t, f.Name, "prokata/solutions")
		if filepath.Dir(f.Name) != "." {
			continue
		}
		assert.EqualValues(t, 0o755, f.Mode().Perm(), f.Name)
		r, err := f.Open()
		require.NoError(t, err)
		script, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.NotContains(t, string(script), "@")
		require.NoError(t, os.WriteFile(filepath.Join(home, f.Name), script, 0o700))
	}
	for _, name := range []string{"setup.sh", "run_autograder", "prokata/go.mod", "prokata/checker/main.go", "prokata/katas/01-spawn/kata.json"} {
		assert.True(t, found[name], name)
	}

	bin := filepath.Join(home, "source", "prokata", "bin")
	require.NoError(t, os.MkdirAll(bin, 0o700))
	for _, row := range []struct{ checker, want string }{
		{`echo '{"output": "right", "tests": []}'`, "right"},
		{`echo '{"output": "wrong", "tests": []}'; exit 1`, "wrong"},
		{`echo half; exit 3`, "Nothing was graded"},
		{`kill -9 $$`, "Nothing was graded"},
		{`echo "no such folder" >&2; exit 2`, "Nothing was graded"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, "checker"), []byte("#!/bin/sh\n"+row.checker+"\n"), 0o700))
		cmd := exec.Command("bash", filepath.Join(home, "run_autograder"))
		cmd.Env = append(os.Environ(), "AUTOGRADER="+home)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		var results struct {
			Output string
			Tests  []any
		}
		require.NoError(t, json.Unmarshal([]byte(text(t, filepath.Join(home, "results", "results.json"))), &results), row.checker)
		assert.Contains(t, results.Output, row.want)
	}
}
