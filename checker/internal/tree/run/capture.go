package run

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// keep is how much of what one test prints is kept, in bytes: its beginning, and of its
// end lastly, where package testing writes what failed, and a process its last words.
const (
	keep   = 64 << 10
	lastly = 16 << 10
)

// A capture reads what the tree prints from a pipe of the supervisor's own, so
// that a process that holds its end open delays nobody.
type capture struct {
	r, w  *os.File
	conn  syscall.RawConn
	echo  io.Writer
	total atomic.Int64 // bytes ever printed

	mu   sync.Mutex
	kept []byte
	end  []byte // behind kept: the last of it, up to twice lastly
	left int64  // bytes between the two that were not kept
	buf  []byte
}

func newCapture(echo io.Writer) (*capture, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return nil, err
	}
	return &capture{r: r, w: w, conn: conn, echo: echo, buf: make([]byte, 64<<10)}, nil
}

// start begins to read, after the child has got the write end. The reading ends
// with close.
func (c *capture) start() {
	c.w.Close()
	go func() { _ = c.conn.Read(func(fd uintptr) bool { return c.drain(fd, 1<<62) }) }()
}

// take returns what was printed since the last call, all of it that was in the
// pipe at the time of the call included.
func (c *capture) take() string {
	_ = c.conn.Control(func(fd uintptr) { c.drain(fd, 1<<20) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.end) - lastly; n > 0 {
		c.left += int64(n)
		c.end = c.end[n:]
	}
	s := string(c.kept)
	if c.left > 0 {
		s += fmt.Sprintf("\n(%d bytes are left out)\n", c.left)
	}
	s += string(c.end)
	c.kept, c.end, c.left = nil, nil, 0
	return s
}

// mute ends the echo.
func (c *capture) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.echo = nil
}

func (c *capture) close() { c.r.Close() }

// drain reads what is there, some bound of bytes at the most, and reports
// whether the pipe has come to its end.
func (c *capture) drain(fd uintptr, bound int) (end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for bound > 0 {
		n, err := unix.Read(int(fd), c.buf)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return err != unix.EAGAIN
		}
		bound -= n
		c.total.Add(int64(n))
		room := min(n, keep-lastly-len(c.kept))
		c.kept = append(c.kept, c.buf[:room]...)
		if c.end = append(c.end, c.buf[room:n]...); len(c.end) > 2*lastly {
			c.left += int64(len(c.end) - lastly)
			c.end = slices.Clone(c.end[len(c.end)-lastly:])
		}
		if c.echo != nil {
			_, _ = c.echo.Write(c.buf[:n])
		}
	}
	return false
}
