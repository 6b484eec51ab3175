package plan

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

// Whatever lies in the kata's folder, the plan says what of it will be built, or in a
// sentence why not. It reads nothing that would make it wait.
func TestNew(t *testing.T) {
	k := kata.Kata{Folder: "01-a", Name: "a", Files: []string{"a.go"}}
	write := func(t *testing.T, path string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("package a\n"), 0o600))
	}
	for _, row := range []struct {
		name    string
		make    func(t *testing.T, from string)
		files   []string
		missing string
		trouble string
		linked  bool
	}{
		{name: "a file", make: func(t *testing.T, from string) { write(t, from+"/01-a/a.go") }, files: []string{"a.go"}},
		{name: "a link to a file", make: func(t *testing.T, from string) {
			write(t, from+"/x")
			require.NoError(t, os.Mkdir(from+"/01-a", 0o755))
			require.NoError(t, os.Symlink(from+"/x", from+"/01-a/a.go"))
		}, missing: "is a symbolic link"},
		{name: "a link to a folder", make: func(t *testing.T, from string) {
			write(t, from+"/real/a.go")
			require.NoError(t, os.Symlink("real", from+"/01-a"))
		}, linked: true},
		{name: "a link to nowhere", make: func(t *testing.T, from string) {
			require.NoError(t, os.Mkdir(from+"/01-a", 0o755))
			require.NoError(t, os.Symlink("nowhere", from+"/01-a/a.go"))
		}, missing: "is a symbolic link"},
		{name: "a named pipe", make: func(t *testing.T, from string) {
			require.NoError(t, os.Mkdir(from+"/01-a", 0o755))
			require.NoError(t, syscall.Mkfifo(from+"/01-a/a.go", 0o600))
		}, missing: "is a named pipe"},
		{name: "a folder in its place", make: func(t *testing.T, from string) {
			require.NoError(t, os.MkdirAll(from+"/01-a/a.go", 0o755))
		}, missing: "is a folder"},
		{name: "another case", make: func(t *testing.T, from string) {
			write(t, from+"/01-a/A.go")
			write(t, from+"/01-a/b.go")
		}, files: []string{"A.go", "b.go"}, missing: "must be called a.go"},
		{name: "nothing", make: func(t *testing.T, from string) {
			require.NoError(t, os.Mkdir(from+"/01-a", 0o755))
		}, missing: "the file is missing"},
		{name: "only what the go command passes over", make: func(t *testing.T, from string) {
			write(t, from+"/01-a/_x.go")
			write(t, from+"/01-a/a_test.go")
		}, missing: "the file is missing"},
		{name: "a file for a folder", make: func(t *testing.T, from string) { write(t, from+"/01-a") }, trouble: "could not be read: not a directory"},
		{name: "a link to itself", make: func(t *testing.T, from string) {
			require.NoError(t, os.Symlink("01-a", from+"/01-a"))
		}, linked: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			from := t.TempDir()
			row.make(t, from)
			p, err := New(from, k, from)
			require.NoError(t, err)
			assert.Equal(t, row.files, p.Files)
			assert.Equal(t, row.linked, p.Linked)
			if row.missing != "" && assert.Len(t, p.Missing, 1) {
				assert.Contains(t, p.Missing[0], row.missing)
			}
			if row.missing == "" {
				assert.Empty(t, p.Missing)
			}
			if row.trouble != "" {
				assert.Contains(t, p.Trouble, row.trouble)
			} else {
				assert.Empty(t, p.Trouble)
			}
		})
	}
	for _, name := range []string{"_x.go", ".x.go", "x_test.go"} {
		path := filepath.Join(t.TempDir(), name)
		write(t, path)
		_, err := New(filepath.Dir(path), k, path)
		assert.Error(t, err, "one file by a name that the go command passes over")
	}
}

// The sum is another one when anything of the files is.
func TestSum(t *testing.T) {
	k := kata.Kata{Folder: "01-a", Name: "a", Files: []string{"a.go"}}
	from := t.TempDir()
	sum := func(text string) string {
		require.NoError(t, os.MkdirAll(from+"/01-a", 0o755))
		require.NoError(t, os.WriteFile(from+"/01-a/a.go", []byte(text), 0o600))
		p, err := New(from, k, from)
		require.NoError(t, err)
		return p.Sum
	}
	a := sum("package a\n")
	assert.NotEqual(t, a, sum("package a\n\n"))
	assert.Equal(t, a, sum("package a\n"))
}
