package pipe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	pipe "prokata/katas/05-pipe"
)

// What the children of these tests do with their end of the connection. A
// child that cannot go on exits with 1.
func init() {
	for name, do := range map[string]func(*pipe.Conn) error{
		"pipe-echo":  echo,
		"pipe-count": count,
		"pipe-burst": burst,
		"pipe-deaf":  deaf,
		"pipe-big":   big,
		"pipe-judge": judge,
		"pipe-file":  writeFile,
		"pipe-heir":  tellInheritance,
		"pipe-line":  startGrandchild,
	} {
		reexec.Register(name, func() {
			c, err := pipe.Open()
			if err == nil {
				os.Stdout.Write([]byte("!")) // It is there: start waits for it.
				err = do(c)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, name+":", err)
				os.Exit(1)
			}
		})
	}
}

// echo sends back what it receives, up to the end of the stream.
func echo(c *pipe.Conn) error {
	for {
		message, err := c.Recv()
		if err == io.EOF {
			return c.Close()
		}
		if err != nil {
			return err
		}
		if err := c.Send(message); err != nil {
			return err
		}
	}
}

// count sends the numbers from 1 to 1,000 while it receives the same.
func count(c *pipe.Conn) error {
	sent := make(chan error, 1)
	go func() { sent <- sendNumbers(c) }()
	if err := recvNumbers(c); err != nil {
		return err
	}
	return <-sent
}

func sendNumbers(c *pipe.Conn) error {
	for n := 1; n <= 1000; n++ {
		if err := c.Send([]byte(strconv.Itoa(n))); err != nil {
			return err
		}
	}
	return nil
}

func recvNumbers(c *pipe.Conn) error {
	for n := 1; n <= 1000; n++ {
		message, err := c.Recv()
		if err != nil {
			return err
		}
		if string(message) != strconv.Itoa(n) {
			return fmt.Errorf("%q arrived where %d should have", message, n)
		}
	}
	return nil
}

// burst sends three messages and is gone, with no Close.
func burst(c *pipe.Conn) error {
	for _, message := range []string{"one", "two", "three"} {
		if err := c.Send([]byte(message)); err != nil {
			return err
		}
	}
	os.Exit(0)
	return nil
}

// deaf says that it is there and never receives anything.
func deaf(c *pipe.Conn) error {
	if err := c.Send([]byte("here")); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// bigLength is what both sides send before they receive.
const bigLength = 16 << 20

// big sends a big message, receives one, and says whether it was whole.
func big(c *pipe.Conn) error {
	if err := c.Send(pattern(bigLength, 2)); err != nil {
		return err
	}
	message, err := c.Recv()
	if err != nil {
		return err
	}
	if !bytes.Equal(message, pattern(bigLength, 1)) {
		return fmt.Errorf("%d bytes arrived, and not those that were sent", len(message))
	}
	return c.Send([]byte("whole"))
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

// judge receives messages, each a single letter repeated, and at the end of the
// stream exits with 1 if one was not; else it has answered each with the letter.
func judge(c *pipe.Conn) error {
	for {
		message, err := c.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(message) == 0 || len(bytes.Trim(message, string(message[:1]))) > 0 {
			return fmt.Errorf("a message of %d bytes is a mix of several", len(message))
		}
		if err := c.Send(message[:1]); err != nil {
			return err
		}
	}
}

// writeFile receives a message, a file and another message, writes both
// messages to the file, and sends a file of its own.
func writeFile(c *pipe.Conn) error {
	before, err := c.Recv()
	if err != nil {
		return err
	}
	f, err := c.RecvFile()
	if err != nil {
		return err
	}
	after, err := c.Recv()
	if err != nil {
		return err
	}
	if _, err := f.Write(append(before, after...)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := c.SendFile(r); err != nil {
		return err
	}
	r.Close()
	_, err = w.WriteString("from the child")
	return err
}

// A child is a process that was started with a connection.
type child struct {
	*pipe.Conn
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
}

func start(t *testing.T, name string) *child {
	t.Helper()
	return startCommand(t, reexec.Command(name))
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
	}))
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
