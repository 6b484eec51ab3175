// Package pipe is a connection between two processes that carries whole
// messages both ways.
//
// Python hands you multiprocessing.Pipe. Here you build it on a pair of
// connected sockets, which is a stream: bytes come out in the order in which
// they went in, but where one message ends and the next begins is for you to
// say. So each message travels in a frame:
//
//	1 byte   kind: 0 a message, 1 an open file
//	4 bytes  length of what follows, most significant byte first
//	n bytes  the message; nothing for a file, which the kernel carries beside it
//
// Three things go wrong in every first version. A read returns less than a
// frame, or more than one. Both sides write a lot before they read, and wait
// for each other for ever. And the end of the stream never comes, since
// somebody, the parent or another child, still holds a copy of the other end.
package pipe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// MaxMessage is the length of the longest message, in bytes.
const MaxMessage = 64 << 20

var (
	// ErrClosed is what every method returns after Close.
	ErrClosed = errors.New("connection is closed")
	// ErrTooLong refuses a message longer than MaxMessage, sent or received.
	ErrTooLong = errors.New("message is too long")
	// ErrCorrupt says that what arrived is no frame.
	ErrCorrupt = errors.New("frame is corrupt")
	// ErrKind says that a message is next where a file was asked for, or a file
	// where a message was. It stays next.
	ErrKind = errors.New("not of the kind that was asked for")
)

// The kinds of a frame, and the length of its header.
const (
	messageKind = 0
	fileKind    = 1
	headerSize  = 5
)

// end is the variable that tells a child which of its descriptors is its end.
const end = "PIPE_FD"

// A Conn is one end of a connection. It may be used by several goroutines at
// once.
type Conn struct {
	sock    *net.UnixConn
	sending sync.Mutex // one frame at a time
	closed  atomic.Bool

	// Who reads from the socket has the turn, for one read. It is a lock whose wait
	// can be given up.
	turn  chan struct{}
	chunk []byte

	mu    sync.Mutex // guards what follows
	reads int        // how many there were
	in    []byte     // what they brought, and nobody has received yet
	files []*os.File // likewise
	err   error      // why nothing more can arrive
}

// New makes an end of the open stream socket f, which then belongs to the
// Conn, also when New fails: then f is closed. A file that is no socket is refused.
func New(f *os.File) (*Conn, error) {
	defer f.Close() // FileConn makes a copy.
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	sock, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("pipe: %s is no Unix socket", f.Name())
	}
	return &Conn{sock: sock, turn: make(chan struct{}, 1), chunk: make([]byte, 64<<10)}, nil
}

// Pipe returns the two ends of a new connection, both in this process.
func Pipe() (*Conn, *Conn, error) {
	a, b, err := socketpair()
	if err != nil {
		return nil, nil, err
	}
	left, err := New(a)
	if err != nil {
		b.Close()
		return nil, nil, err
	}
	right, err := New(b)
	if err != nil {
		left.Close()
		return nil, nil, err
	}
	return left, right, nil
}

func socketpair() (*os.File, *os.File, error) {
	// No process may be started between the making of the descriptors and their
	// marking: it would inherit both ends, and the stream would not end before it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// Start starts cmd, which finds its end of a new connection with Open, and
// returns the other end. The caller waits for cmd as ever. What cmd has in Env
// and ExtraFiles stays as it is. Several goroutines may start at once: each
// child gets its own end, and no other. What cannot be started leaves nothing.
func Start(cmd *exec.Cmd) (*Conn, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	// The child alone may hold its end. With a copy left open here, the stream
	// would never end: the kernel ends it when the last copy is closed.
	defer theirs.Close()
	c, err := New(ours)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", end, 3+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	if err := cmd.Start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Open returns this process's end of the connection to the process that
// started it with Start. It may be called once. There is no connection for a
// second call, for a process that was started otherwise, or for the children of
// this one.
func Open() (*Conn, error) {
	fd, err := strconv.Atoi(os.Getenv(end))
	if err != nil {
		return nil, fmt.Errorf("pipe: this process was not started with a connection: %s is %q", end, os.Getenv(end))
	}
	// The children of this process shall inherit neither the number nor the end, of
	// which New makes a copy that is closed on exec.
	os.Unsetenv(end)
	return New(os.NewFile(uintptr(fd), "pipe"))
}

// Send sends one message, which may be empty, and returns when it is on its
// way. It does not wait for the other side to receive: when both sides send at
// once, both come to an end, however much it is. The messages of several
// goroutines do not mix.
//
// Send fails with io.ErrClosedPipe when the other side has closed or died.
func (c *Conn) Send(message []byte) error {
	if len(message) > MaxMessage {
		return ErrTooLong
	}
	// Header and message in one piece: one write takes both, if there is room.
	frame := make([]byte, headerSize, headerSize+len(message))
	frame[0] = messageKind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(message)))
	return c.send(append(frame, message...), nil)
}

// Recv waits for the next message and returns it. At the end of the stream,
// when the other side has closed or died and everything was received, it
// returns io.EOF; if the stream ends inside of a frame, io.ErrUnexpectedEOF.
//
// A frame may claim any length: Recv never takes more memory than has arrived,
// but for a small factor. After ErrTooLong or ErrCorrupt nothing more can be
// received.
func (c *Conn) Recv() ([]byte, error) {
	message, _, err := c.receive(messageKind)
	return message, err
}

// Poll waits until Recv or RecvFile would return at once, be it with an error,
// and takes nothing. When ctx ends first, it returns the error of ctx. With a
// ctx that has ended already it only looks.
func (c *Conn) Poll(ctx context.Context) error {
	err := c.read(ctx, func() bool { return c.frame() != nil })
	if err == nil || errors.Is(err, ErrClosed) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return nil // Recv would return this error, and at once.
}

// SendFile sends an open file, of whatever sort. The other side gets a
// descriptor of its own of the same open file; f still belongs to the caller. If
// f is closed, SendFile fails and nothing is sent.
func (c *Conn) SendFile(f *os.File) error {
	raw, err := f.SyscallConn() // Fd would make f block, for its owner too.
	if err != nil {
		return err
	}
	// The kernel takes the descriptor along with the bytes of one write.
	controlErr := raw.Control(func(fd uintptr) {
		err = c.send([]byte{fileKind, 0, 0, 0, 0}, syscall.UnixRights(int(fd)))
	})
	return errors.Join(controlErr, err)
}

// RecvFile waits for the next file, as Recv does for a message, and returns it.
// It belongs to the caller.
func (c *Conn) RecvFile() (*os.File, error) {
	_, f, err := c.receive(fileKind)
	return f, err
}

// Close lets go of this end. What was sent still arrives; what was not
// received is lost, and files among it are closed. A Send, Recv or Poll under way returns ErrClosed.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return ErrClosed
	}
	err := c.sock.Close() // It ends every read and write under way.
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.files {
		f.Close()
	}
	return err
}

// Wait waits until at least one of the connections has something to receive,
// or has ended, and returns all for which Poll would return at once, in the
// order of the arguments. When ctx ends first, it returns the error of ctx. It
// fails with ErrClosed if one of the connections is closed.
func Wait(ctx context.Context, conns ...*Conn) ([]*Conn, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	// The first that is ready ends the context of all; each then looks once more.
	errs := make([]error, len(conns))
	var polls sync.WaitGroup
	for i, c := range conns {
		polls.Go(func() {
			if errs[i] = c.Poll(inner); errs[i] == nil || errors.Is(errs[i], ErrClosed) {
				cancel()
			}
		})
	}
	polls.Wait()
	var ready []*Conn
	for i, err := range errs {
		switch {
		case err == nil:
			ready = append(ready, conns[i])
		case errors.Is(err, ErrClosed):
			return nil, err
		}
	}
	if len(ready) == 0 {
		return nil, ctx.Err()
	}
	return ready, nil
}
