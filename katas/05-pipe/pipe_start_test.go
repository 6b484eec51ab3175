package pipe_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func init() {
	reexec.Register("pipe-grandchild", func() {
		if _, err := pipe.Open(); err == nil {
			os.Exit(3)
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
	})
}

// legacy names a variable in the environment of a child.
const legacy = "PIPE_TEST_LEGACY"

// tellInheritance sends what it has from its environment and reads from the first
// file that was handed on to it.
func tellInheritance(c *pipe.Conn) error {
	text, err := io.ReadAll(os.NewFile(3, "legacy"))
	if err != nil {
		return err
	}
	return c.Send([]byte(os.Getenv(legacy) + ", " + string(text)))
}

// startGrandchild starts a process that has a socket of another kind, and lives as
// long as there is an input. Then it closes its own end, and waits.
func startGrandchild(c *pipe.Conn) error {
	if _, err := pipe.Open(); err == nil {
		return errors.New("there was a connection for a second Open")
	}
	cmd := reexec.Command("pipe-grandchild")
	cmd.Stdin = os.Stdin
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	socket := os.NewFile(uintptr(fds[0]), "another socket")
	cmd.ExtraFiles = []*os.File{socket}
	err = errors.Join(syscall.Close(fds[1]), cmd.Start(), socket.Close())
	if err != nil {
		return err
	}
	return errors.Join(c.Close(), cmd.Wait())
}

func TestStartKeepsWhatTheCommandHas(t *testing.T) {
	harness.Test(t)
	r, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	_, err = w.WriteString("from a file")
	require.NoError(t, err, "the test could not write")
	require.NoError(t, w.Close(), "the test could not close a file")
	defer r.Close()
	cmd := reexec.Command("pipe-heir")
	cmd.Env = append(os.Environ(), legacy+"=from the environment")
	cmd.ExtraFiles = []*os.File{r}
	c := startCommand(t, cmd)
	got, err := c.Recv()
	require.NoError(t, err, "the child did not get what its command had")
	assert.Equal(t, "from the environment, from a file", string(got), "the child did not get what its command had")
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

// A child closes its end, and lives on with a child of its own.
func TestEndIsNotInherited(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-line")
	_, err := c.Recv()
	assert.Equal(t, io.EOF, err, "the stream did not end when the child closed its end")
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestManyStart(t *testing.T) {
	harness.Test(t)
	const children = 8
	cmds, conns := make([]*exec.Cmd, children), make([]*pipe.Conn, children)
	var starts []func()
	for i := range children {
		starts = append(starts, func() {
			cmds[i] = reexec.Command("pipe-echo")
			cmds[i].Stderr = os.Stderr
			var err error
			conns[i], err = pipe.Start(cmds[i])
			assert.NoError(t, err, "Start did not start the child")
		})
	}
	together(starts...)
	for i, c := range conns {
		if c == nil {
			continue
		}
		// It ends by that, though the others still run.
		assert.NoError(t, c.Close(), "Close returned an error")
		assert.NoError(t, cmds[i].Wait(), "the child did not end well")
	}
}

// Whatever fails says so, and leaves nothing.
func TestStartFails(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	cmd := reexec.Command("pipe-echo")
	cmd.Path = filepath.Join(t.TempDir(), "nothing")
	if none, err := pipe.Start(cmd); err == nil {
		none.Close()
		_ = cmd.Wait()
		t.Error("Start did not say that the program is missing")
	}
	assert.Equal(t, "hello", c.ask("hello"), "the answer of the child was not the message that it had got")
	c.end()

	harness.UntilItFits(t, func() error {
		cmd := reexec.Command("pipe-echo")
		c, err := pipe.Start(cmd)
		if err != nil {
			return err
		}
		return errors.Join(c.Close(), cmd.Wait())
	})
	harness.UntilItFits(t, func() error {
		a, b, err := pipe.Pipe()
		if err != nil {
			return err
		}
		return errors.Join(a.Close(), b.Close())
	})
}

func TestNewFails(t *testing.T) {
	harness.Test(t)
	pair(t) // for the stub: New alone would also fail as it should here
	if c, err := pipe.Open(); err == nil {
		c.Close()
		t.Error("Open found a connection in a process that was not started with one")
	}
	_, err := os.Stdin.Stat()
	assert.NoError(t, err, "Open closed what was no connection")

	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err, "the test could not open a file")
	if c, err := pipe.New(f); err == nil {
		c.Close()
		t.Error("New made a connection of a file")
	}
	assert.ErrorIs(t, f.Close(), os.ErrClosed, "New refused a file and left it open")

	mine, _ := ends(t)
	harness.WithFiles(t, 0, func() {
		if c, err := pipe.New(mine); err == nil {
			c.Close() // It needed no descriptor.
		}
	})
	assert.ErrorIs(t, mine.Close(), os.ErrClosed, "New left the socket open")

	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	require.NoError(t, err, "the test could not prepare a socket")
	internet := os.NewFile(uintptr(fd), "a socket of the internet")
	if c, err := pipe.New(internet); err == nil {
		c.Close() // Messages can travel on it, but no files. Nobody asked for those.
	}
	assert.ErrorIs(t, internet.Close(), os.ErrClosed, "New left the socket open")
}
