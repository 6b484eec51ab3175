package pipe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	pipe "prokata/katas/05-pipe"
)

// A child is a process that was started with a connection.
type child struct {
	*pipe.Conn
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
}

func start(t *testing.T, command ...string) *child {
	t.Helper()
	return startCommand(t, reexec.Command(command...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	cmd.Stderr = os.Stderr
	r, in, err := os.Pipe() // not StdinPipe: who would close it if Start did nothing?
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { in.Close() })
	there, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer there.Close()
	cmd.Stdin, cmd.Stdout = r, w
	c, err := pipe.Start(cmd)
	r.Close()
	w.Close()
	require.NoError(t, err, "Start did not start the child")
	t.Cleanup(func() { // for a test that failed on its way
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
		c.Close()
	})
	_, err = there.Read(make([]byte, 1))
	require.NoError(t, err, "the child did not get its end of the connection")
	return &child{Conn: c, t: t, cmd: cmd, in: in}
}

// ask sends a message and returns the answer.
func (c *child) ask(message string) string {
	c.t.Helper()
	require.NoError(c.t, c.Send([]byte(message)), "Send returned an error")
	return c.hear()
}

// hear returns the next message.
func (c *child) hear() string {
	c.t.Helper()
	message, err := c.Recv()
	require.NoError(c.t, err, "Recv returned an error")
	return string(message)
}

// end closes this side, and expects that the child comes to its end by that.
func (c *child) end() {
	c.t.Helper()
	require.NoError(c.t, c.Close(), "Close returned an error")
	c.wait()
}

func (c *child) wait() {
	c.t.Helper()
	c.in.Close()
	assert.NoError(c.t, c.cmd.Wait(), "the child did not end well")
}

// kill ends the child without warning.
func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill(), "the test could not kill a child")
	require.Error(c.t, c.cmd.Wait(), "a child had ended by itself before it was killed")
}

// pair returns both ends of a connection within this process.
func pair(t *testing.T) (*pipe.Conn, *pipe.Conn) {
	t.Helper()
	a, b, err := pipe.Pipe()
	require.NoError(t, err, "Pipe returned an error")
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// ends returns the two ends of a pair of connected sockets.
func ends(t *testing.T) (mine, other *os.File) {
	t.Helper()
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	require.NoError(t, err, "the test could not prepare a socket")
	other = os.NewFile(uintptr(fds[1]), "other end")
	t.Cleanup(func() { other.Close() })
	return os.NewFile(uintptr(fds[0]), "this end"), other
}

// conn returns a connection over an end.
func conn(t *testing.T, mine *os.File) *pipe.Conn {
	t.Helper()
	c, err := pipe.New(mine)
	if err != nil {
		mine.Close()
	}
	require.NoError(t, err, "New returned an error")
	t.Cleanup(func() { c.Close() })
	return c
}

// raw returns a connection whose other end is a bare socket, for frames that no
// Conn would send.
func raw(t *testing.T) (*pipe.Conn, *os.File) {
	t.Helper()
	mine, other := ends(t)
	return conn(t, mine), other
}

// second returns a second descriptor of the socket.
func second(t *testing.T, socket *os.File) (fd int) {
	t.Helper()
	raw, err := socket.SyscallConn()
	require.NoError(t, err, "the test could not prepare a socket")
	require.NoError(t, raw.Control(func(first uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(first)); err == nil {
			syscall.CloseOnExec(fd)
		}
	}), "the test could not prepare a socket")
	require.NoError(t, err, "the test could not prepare a socket")
	t.Cleanup(func() { syscall.Close(fd) })
	return fd
}

// taken waits until nothing that was sent to the socket is left to be read, and
// gives up after a while.
func taken(socket int) bool {
	for range 1000 {
		_, _, err := syscall.Recvfrom(socket, make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if errors.Is(err, syscall.EAGAIN) {
			return true
		}
		time.Sleep(100 * time.Microsecond)
	}
	return false
}

// frame is a header that claims length, and what follows it.
func frame(kind byte, length uint32, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, length)) + payload
}

var background = context.Background()

// ended is a context that has ended already.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// brief returns a context that ends soon: however slow the machine, what is
// awaited with it never comes.
func brief(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// together runs the functions at one time and waits for all of them.
func together(functions ...func()) {
	var all sync.WaitGroup
	for _, f := range functions {
		all.Go(f)
	}
	all.Wait()
}

// anyFile returns an open file.
func anyFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	require.NoError(t, err, "the test could not open a file")
	t.Cleanup(func() { f.Close() })
	return f
}

// pattern is n bytes that differ by seed, and with a period that divides no
// power of 2: so no piece of it can take another's place unseen.
func pattern(n int, seed byte) []byte {
	period := make([]byte, 251)
	for i := range period {
		period[i] = byte(i) + seed
	}
	return bytes.Repeat(period, n/len(period)+1)[:n]
}
