//go:build !linux

package queue

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// newMailbox makes the two ends of a queue of whole messages.
//
// Not every Unix has SOCK_SEQPACKET pairs (macOS has none). Here it is a stream,
// with the length before each message and a lock at each end: a lock on a byte of
// a file, since the kernel frees such a lock when its holder dies. What it cannot
// do is put a message together whose reader died half-way: a process killed in
// the few microseconds of a receive takes the rest of the queue along.
func newMailbox() (in, out end, err error) {
	lock, err := os.CreateTemp("", "queue-*")
	if err != nil {
		return nil, nil, err
	}
	os.Remove(lock.Name()) // The open file is all that is needed.
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	copied, err2 := syscall.Dup(int(lock.Fd()))
	if err2 == nil {
		syscall.CloseOnExec(copied)
	}
	syscall.ForkLock.RUnlock()
	if err := errors.Join(os.NewSyscallError("socketpair", err), os.NewSyscallError("dup", err2)); err != nil {
		lock.Close()
		return nil, nil, err
	}
	return end{file(fds[0]), lock}, end{file(fds[1]), os.NewFile(uintptr(copied), lock.Name())}, nil
}

// A lock on a file is between processes; these are between the goroutines of one.
var sending, receiving sync.Mutex

// send sends one message. If there is no room, it waits, up to the write deadline,
// or returns errWouldWait.
func (e end) send(message []byte, wait bool) error {
	raw, err := e[0].SyscallConn()
	if err != nil {
		return err
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
	waitErr := raw.Write(func(fd uintptr) bool {
		err = locked(e[1], 0, &sending, func() error {
			n, err := syscall.Write(int(fd), frame)
			for err == nil && n < len(frame) { // It has begun, so it must come to its end.
				var m int
				if m, err = syscall.Write(int(fd), frame[n:]); m > 0 {
					n += m
				}
				if err == unix.EAGAIN {
					_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
				}
			}
			return err
		})
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	return outcome(waitErr, err)
}

// receive takes one message, and returns io.EOF when none is left and no sending
// end is open.
func (e end) receive(wait bool) (message []byte, err error) {
	raw, err := e[0].SyscallConn()
	if err != nil {
		return nil, err
	}
	waitErr := raw.Read(func(fd uintptr) bool {
		err = locked(e[1], 1, &receiving, func() error {
			header := make([]byte, 4)
			n, err := syscall.Read(int(fd), header)
			if err != nil {
				return err
			}
			if n == 0 {
				return io.EOF
			}
			if err := rest(fd, header[n:]); err != nil {
				return err
			}
			message = make([]byte, binary.BigEndian.Uint32(header))
			return rest(fd, message)
		})
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	return message, outcome(waitErr, err)
}

// rest reads all of b, which somebody has begun to send.
func rest(fd uintptr, b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(int(fd), b)
		switch {
		case err == unix.EAGAIN:
			_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if err != nil && err != unix.EINTR {
				return err
			}
		case err != nil && err != unix.EINTR:
			return err
		case err == nil && n == 0:
			return io.ErrUnexpectedEOF
		case n > 0:
			b = b[n:]
		}
	}
	return nil
}

// locked calls do while this process alone holds the lock of that number.
func locked(f *os.File, number int64, own *sync.Mutex, do func() error) error {
	own.Lock()
	defer own.Unlock()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: number, Len: 1}
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &lock)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return err
		}
	}
	defer func() {
		lock.Type = unix.F_UNLCK
		unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock)
	}()
	return do()
}
