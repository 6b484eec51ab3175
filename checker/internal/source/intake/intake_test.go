package intake_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/intake"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// Whatever lies in the folder, what is taken is a regular file of it, and nothing is waited
// for. Each row is one thing beside the file a.go.
func TestDir(t *testing.T) {
	for _, row := range []struct {
		name   string
		make   func(t *testing.T, dir string)
		reason intake.Reason
		what   string // of why it was left; empty: nothing was
	}{
		{name: "nothing", make: func(*testing.T, string) {}},
		{name: "a text", make: func(t *testing.T, dir string) { write(t, dir+"/README.md", "x") }},
		{name: "a link to the solution", make: func(t *testing.T, dir string) {
			write(t, dir+"/../solution.go", "package a\n")
			require.NoError(t, os.Symlink("../solution.go", dir+"/b.go"))
		}, reason: intake.Irregular, what: "is a symbolic link"},
		{name: "a link to a file of its own", make: func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("a.go", dir+"/b.go"))
		}, reason: intake.Irregular, what: "is a symbolic link"},
		{name: "a pipe that nobody writes to", make: func(t *testing.T, dir string) {
			require.NoError(t, syscall.Mkfifo(dir+"/b.go", 0o600))
		}, reason: intake.Irregular, what: "is a named pipe"},
		{name: "a socket", make: func(t *testing.T, dir string) {
			t.Chdir(dir)
			l, err := net.Listen("unix", "b.go")
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
		}, reason: intake.Irregular, what: "is a socket"},
		{name: "a sparse file of a TiB", make: func(t *testing.T, dir string) {
			write(t, dir+"/b.go", "package a\n")
			require.NoError(t, os.Truncate(dir+"/b.go", 1<<40))
		}, reason: intake.Large, what: "has 1099511627776 bytes"},
		{name: "more files than any kata needs", make: func(t *testing.T, dir string) {
			for i := range intake.MaxFiles - 1 {
				write(t, dir+"/b"+strconv.Itoa(i)+".go", "package a\n")
			}
			write(t, dir+"/c.go", "package a\n")
		}, reason: intake.Many, what: "is one more than"},
		{name: "a folder", make: func(t *testing.T, dir string) { write(t, dir+"/sub.go/a.go", "x") }, reason: intake.Folder, what: "is a folder"},
		{name: "a test", make: func(t *testing.T, dir string) { write(t, dir+"/a_test.go", "x") }, reason: intake.Test, what: "is a test"},
		{name: "what the go command passes over", make: func(t *testing.T, dir string) { write(t, dir+"/_x.go", "x") }, reason: intake.Passed, what: "passes over"},
		{name: "assembly", make: func(t *testing.T, dir string) { write(t, dir+"/a.s", "x") }, reason: intake.Compiled, what: "would be compiled"},
		{name: "what may not be read", make: func(t *testing.T, dir string) {
			if os.Geteuid() == 0 {
				t.Skip("the superuser reads everything")
			}
			write(t, dir+"/b.go", "package a\n")
			require.NoError(t, os.Chmod(dir+"/b.go", 0))
		}, reason: intake.Unread, what: "permission denied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			from := t.TempDir()
			write(t, from+"/01-a/a.go", "package a // 1\n")
			row.make(t, from+"/01-a")
			s, err := intake.Dir(from, "01-a")
			require.NoError(t, err)
			require.NotEmpty(t, s.Files)
			assert.Equal(t, intake.File{Name: "a.go", Text: []byte("package a // 1\n")}, s.Files[0])
			if row.what == "" {
				assert.Empty(t, s.Left)
				return
			}
			if assert.Len(t, s.Left, 1) {
				assert.Equal(t, row.reason, s.Left[0].Reason)
				assert.Contains(t, s.Left[0].What, row.what)
			}
		})
	}
}

// A folder that is none is told as an error.
func TestNoDir(t *testing.T) {
	from := t.TempDir()
	write(t, from+"/real/a.go", "package a\n")
	write(t, from+"/file", "x")
	require.NoError(t, os.Symlink("real", from+"/link"))
	_, err := intake.Dir(from, "link")
	assert.ErrorIs(t, err, intake.ErrLink)
	_, err = intake.Dir(from, "file")
	assert.ErrorIs(t, err, syscall.ENOTDIR)
	_, err = intake.Dir(from, "none")
	assert.ErrorIs(t, err, os.ErrNotExist)
	// The caller's own path may lead through a link.
	s, err := intake.Dir(from+"/link", "")
	require.NoError(t, err)
	assert.Len(t, s.Files, 1)
	for i := range intake.MaxEntries {
		write(t, from+"/real/"+strconv.Itoa(i), "")
	}
	s, err = intake.Dir(from, "real")
	require.NoError(t, err)
	assert.Empty(t, s.Files)
	if assert.Len(t, s.Left, 1) {
		assert.Equal(t, intake.Many, s.Left[0].Reason)
	}
}

// One file is the whole submission, by whatever is beside it.
func TestSingle(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.go", "package a\n")
	write(t, dir+"/b.s", "TEXT")
	require.NoError(t, os.Symlink("a.go", dir+"/c.go"))
	s, err := intake.Single(dir + "/a.go")
	require.NoError(t, err)
	assert.Equal(t, intake.Submission{Files: []intake.File{{Name: "a.go", Text: []byte("package a\n")}}}, s)
	s, err = intake.Single(dir + "/c.go")
	require.NoError(t, err)
	assert.Empty(t, s.Files)
	assert.Equal(t, intake.Irregular, s.Left[0].Reason)
	write(t, dir+"/d.go", strings.Repeat("/", intake.MaxBytes+1))
	s, err = intake.Single(dir + "/d.go")
	require.NoError(t, err)
	assert.Equal(t, intake.Large, s.Left[0].Reason)
}

// What happens to the folder after the intake matters to nobody.
func TestOnce(t *testing.T) {
	from := t.TempDir()
	write(t, from+"/01-a/a.go", "package a\n")
	s, err := intake.Dir(from, "01-a")
	require.NoError(t, err)
	write(t, from+"/01-a/a.go", "package b\n")
	assert.Equal(t, "package a\n", string(s.Files[0].Text))
}
