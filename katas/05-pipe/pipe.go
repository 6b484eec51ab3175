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
	"errors"
	"os"
	"os/exec"

	"prokata/checker/todo"
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

// A Conn is one end of a connection. It may be used by several goroutines at
// once.
type Conn struct {
	// TODO: what an end has to remember.
}

// New makes an end of the open stream socket f, which then belongs to the
// Conn, also when New fails: then f is closed. A file that is no socket is refused.
func New(f *os.File) (*Conn, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: New")
}

// Pipe returns the two ends of a new connection, both in this process.
func Pipe() (*Conn, *Conn, error) {
	// TODO: write me.
	return nil, nil, todo.Err("pipe: Pipe")
}

// Start starts cmd, which finds its end of a new connection with Open, and
// returns the other end. The caller waits for cmd as ever. What cmd has in Env
// and ExtraFiles stays as it is. Several goroutines may start at once: each
// child gets its own end, and no other. What cannot be started leaves nothing.
func Start(cmd *exec.Cmd) (*Conn, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: Start")
}

// Open returns this process's end of the connection to the process that
// started it with Start. It may be called once. There is no connection for a
// second call, for a process that was started otherwise, or for the children of
// this one.
func Open() (*Conn, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: Open")
}

// Send sends one message, which may be empty, and returns when it is on its
// way. It does not wait for the other side to receive: when both sides send at
// once, both come to an end, however much it is. The messages of several
// goroutines do not mix.
//
// Send fails with io.ErrClosedPipe when the other side has closed or died.
func (c *Conn) Send(message []byte) error {
	// TODO: write me.
	return todo.Err("pipe: Send")
}

// Recv waits for the next message and returns it. At the end of the stream,
// when the other side has closed or died and everything was received, it
// returns io.EOF; if the stream ends inside of a frame, io.ErrUnexpectedEOF.
//
// A frame may claim any length: Recv never takes more memory than has arrived,
// but for a small factor. After ErrTooLong or ErrCorrupt nothing more can be
// received.
func (c *Conn) Recv() ([]byte, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: Recv")
}

// Poll waits until Recv or RecvFile would return at once, be it with an error,
// and takes nothing. When ctx ends first, it returns the error of ctx. With a
// ctx that has ended already it only looks.
func (c *Conn) Poll(ctx context.Context) error {
	// TODO: write me.
	return todo.Err("pipe: Poll")
}

// SendFile sends an open file, of whatever sort. The other side gets a
// descriptor of its own of the same open file; f still belongs to the caller. If
// f is closed, SendFile fails and nothing is sent.
func (c *Conn) SendFile(f *os.File) error {
	// TODO: write me.
	return todo.Err("pipe: SendFile")
}

// RecvFile waits for the next file, as Recv does for a message, and returns it.
// It belongs to the caller.
func (c *Conn) RecvFile() (*os.File, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: RecvFile")
}

// Close lets go of this end. What was sent still arrives; what was not
// received is lost, and files among it are closed. A Send, Recv or Poll under way returns ErrClosed.
func (c *Conn) Close() error {
	// TODO: write me.
	return todo.Err("pipe: Close")
}

// Wait waits until at least one of the connections has something to receive,
// or has ended, and returns all for which Poll would return at once, in the
// order of the arguments. When ctx ends first, it returns the error of ctx. It
// fails with ErrClosed if one of the connections is closed.
func Wait(ctx context.Context, conns ...*Conn) ([]*Conn, error) {
	// TODO: write me.
	return nil, todo.Err("pipe: Wait")
}
