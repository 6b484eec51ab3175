package spawn_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

func init() {
	reexec.Register("spawn-test-heir", heir)
	spawn.Register("read", readFiles)
	spawn.Register("testator", testator)
}

// readFiles prints what each of its files holds, a line each.
func readFiles(c spawn.Child) int {
	for _, f := range c.Files {
		b, err := io.ReadAll(f)
		if err != nil {
			return 1
		}
		fmt.Fprintln(c.Out, string(b))
	}
	return 0
}

// testator starts a process, hands it no file, and returns its exit code.
func testator(c spawn.Child) int {
	if len(c.Files) == 0 {
		return 97
	}
	device, inode, err := identity(int(c.Files[0].Fd()))
	if err != nil {
		return 98
	}
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"spawn-test-heir", device, inode}
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return 99
	}
	return cmd.ProcessState.ExitCode()
}

// heir ends with 1 if it holds the file that its arguments name.
func heir() {
	for fd := 3; fd < 256; fd++ {
		if device, inode, err := identity(fd); err == nil && device == os.Args[1] && inode == os.Args[2] {
			os.Exit(1)
		}
	}
}

// identity returns the device and the inode of an open file.
func identity(fd int) (device, inode string, err error) {
	var s unix.Stat_t
	err = unix.Fstat(fd, &s)
	return fmt.Sprint(s.Dev), fmt.Sprint(s.Ino), err
}

// tempFiles returns an open file for each of the contents.
func tempFiles(t *testing.T, contents ...string) []*os.File {
	t.Helper()
	var files []*os.File
	for i, content := range contents {
		name := filepath.Join(t.TempDir(), fmt.Sprint(i))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600), "the test could not write a file")
		f, err := os.Open(name)
		require.NoError(t, err, "the test could not open a file")
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return files
}

func TestFilesInOrder(t *testing.T) {
	harness.Test(t)
	o := newOut()
	files := tempFiles(t, "one", "two", "three")
	exits := runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "read", Files: files})
	assert.Equal(t, 0, exits[0].Code, "a child could not read the files of its job")
	assert.Equal(t, []string{"one\n", "two\n", "three\n"}, o.all(), "a child did not get the files of its job in the order in which they stood there")
	for _, f := range files {
		_, err := f.Stat()
		assert.NoError(t, err, "Run closed a file of a job in the parent, too")
	}
}

func TestFilesNotInherited(t *testing.T) {
	harness.Test(t)
	exits := runAndWait(t, spawn.Group{Out: newOut()}, spawn.Job{Func: "testator", Files: tempFiles(t, "mine")})
	require.False(t, exits[0].Code == 1, "a process that a child had started held the file of the child's job, which nobody had handed to it")
	assert.Equal(t, 0, exits[0].Code, "a child with a file could not start a process, or ended with another exit code than its function returned")
}
