package run

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// keep is how much of what one test prints is kept, in bytes: its beginning,
// where the first failure stands.
const keep = 64 << 10

// A capture reads what the tree prints from a pipe of the supervisor's own, so
// that a process that holds its end open delays nobody.
type capture struct {
	r, w  *os.File
	conn  syscall.RawConn
	echo  io.Writer
	total atomic.Int64 // bytes ever printed

	mu   sync.Mutex
	kept []byte
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
	s := string(c.kept)
	c.kept = nil
	return s
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
		if room := keep - len(c.kept); room > 0 {
			c.kept = append(c.kept, c.buf[:min(n, room)]...)
		}
		if c.echo != nil {
			_, _ = c.echo.Write(c.buf[:n])
		}
	}
	return false
}
