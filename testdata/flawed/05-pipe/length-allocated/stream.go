// Flaw: the length that a header claims is allocated before anything of it has arrived.
// Why: make([]byte, length) and io.ReadFull: two lines, and any stranger can take all the memory.
//
// want wrong TestBadFrames
// may timeout TestTooLong
package pipe

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// send writes one frame, with descriptors beside its first byte.
//
// If both sides wrote more than the sockets hold and read nothing meanwhile,
// each would wait for the other for ever. So who has to wait for room reads what
// arrives, and keeps it for a later Recv: then the other side gets on, and makes
// room. It needs no reader in the background, which would have to be ended; and
// while this side does not send, the other cannot fill its memory.
func (c *Conn) send(frame, rights []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	n, err := c.trySend(frame, rights)
	if err != nil || n == len(frame) {
		return outcome(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read(ctx, func() bool { return ctx.Err() != nil })
	}()
	if n == 0 {
		n, _, err = c.sock.WriteMsgUnix(frame, rights, nil)
	}
	if err == nil {
		_, err = c.sock.Write(frame[n:])
	}
	cancel()
	<-done
	return outcome(err)
}

// trySend writes what there is room for now. Most messages are short and fit.
func (c *Conn) trySend(frame, rights []byte) (n int, err error) {
	raw, err := c.sock.SyscallConn()
	if err != nil {
		return 0, err
	}
	err2 := raw.Write(func(fd uintptr) bool {
		n, err = syscall.SendmsgN(int(fd), frame, rights, nil, 0)
		return true // Whatever came of it, do not wait.
	})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, err2
	}
	return n, errors.Join(err, err2)
}

// receive waits for the next frame and takes it if it is of the kind.
func (c *Conn) receive(kind byte) (payload []byte, file *os.File, err error) {
	wrong := false
	err = c.read(context.Background(), func() bool {
		frame := c.frame()
		switch {
		case frame == nil:
			return false
		case frame[0] != kind:
			wrong = true
			return true
		case kind == fileKind:
			file, c.files = c.files[0], c.files[1:]
		}
		// The caller gets this part of the memory for good; it ends where the rest
		// begins, so that nobody's append reaches over.
		payload = frame[headerSize:len(frame):len(frame)]
		c.in = c.in[len(frame):]
		return true
	})
	if wrong {
		err = ErrKind
	}
	return payload, file, err
}

// frame returns the first frame that arrived if it is whole, and else nil.
func (c *Conn) frame() []byte {
	if len(c.in) < headerSize {
		return nil
	}
	kind, length := c.in[0], binary.BigEndian.Uint32(c.in[1:])
	if grow := int64(headerSize) + int64(length) - int64(len(c.in)); grow > 0 && length <= MaxMessage {
		c.in = append(make([]byte, 0, headerSize+int(length)), c.in...)
	}
	switch {
	case kind == messageKind && length > MaxMessage:
		c.in, c.err = nil, ErrTooLong
	case kind > fileKind, kind == fileKind && (length > 0 || len(c.files) == 0):
		c.in, c.err = nil, ErrCorrupt
	case len(c.in) >= headerSize+int(length):
		return c.in[:headerSize+int(length)]
	}
	return nil
}

// read reads what arrives until found, which it calls with mu held, reports true.
// When ctx ends first, it reads what is there already, and then gives up.
func (c *Conn) read(ctx context.Context, found func() bool) error {
	for {
		c.mu.Lock()
		if c.closed.Load() {
			c.mu.Unlock()
			return ErrClosed
		}
		ok, err, reads := found(), c.ended(), c.reads
		c.mu.Unlock()
		if ok {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case c.turn <- struct{}{}: // if it is free, also when ctx has ended
			err = c.fill(ctx, reads)
			<-c.turn
		default:
			select {
			case c.turn <- struct{}{}:
				err = c.fill(ctx, reads)
				<-c.turn
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// ended says why nothing more can arrive, if that is so. It is called with mu held
// and while no whole frame is left.
func (c *Conn) ended() error {
	if c.err == io.EOF && len(c.in) > 0 {
		return io.ErrUnexpectedEOF
	}
	return c.err
}

// fill reads once, unless another has read since the caller looked. It is called
// by who has the turn.
func (c *Conn) fill(ctx context.Context, reads int) error {
	c.mu.Lock()
	read := c.reads != reads
	c.mu.Unlock()
	if read {
		return nil
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		c.sock.SetReadDeadline(time.Unix(1, 0)) // in the past: it ends a read under way
	})
	// What a header claims is never allocated, only what has arrived.
	beside := make([]byte, syscall.CmsgSpace(4))
	n, b, _, _, err := c.sock.ReadMsgUnix(c.chunk, beside)
	if !stop() {
		<-woken
		c.sock.SetReadDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if !c.readable() {
			return ctx.Err()
		}
		n, b, _, _, err = c.sock.ReadMsgUnix(c.chunk, beside)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	if c.err != nil {
		return nil // What arrived before was no frame, so this is none either.
	}
	if n > 0 {
		c.in = append(c.in, c.chunk[:n]...)
		c.keepFiles(beside[:b])
	}
	switch {
	case errors.Is(err, net.ErrClosed):
		return ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		// Reset: the other side ended and had not received all. For us that is the
		// end of the stream, no more and no less.
		c.err = io.EOF
	default:
		c.err = err
	}
	return nil
}

// keepFiles keeps the descriptors that came beside the bytes.
func (c *Conn) keepFiles(beside []byte) {
	messages, err := syscall.ParseSocketControlMessage(beside)
	if err != nil {
		return // The frame will miss its file.
	}
	for _, m := range messages {
		fds, _ := syscall.ParseUnixRights(&m)
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			f := os.NewFile(uintptr(fd), "received")
			if c.closed.Load() { // Close was quicker, and nobody will take it.
				f.Close()
				continue
			}
			c.files = append(c.files, f)
		}
	}
}

// readable reports whether a read would return at once.
func (c *Conn) readable() bool {
	raw, err := c.sock.SyscallConn()
	if err != nil {
		return false
	}
	ready := 0
	raw.Control(func(fd uintptr) {
		ready, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return ready > 0
}

// outcome is the error of a write in the words of Send.
func outcome(err error) error {
	switch {
	case errors.Is(err, net.ErrClosed):
		return ErrClosed
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return io.ErrClosedPipe
	default:
		return err
	}
}
