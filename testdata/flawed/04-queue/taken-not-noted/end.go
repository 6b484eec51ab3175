package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An end is one end of a mailbox or of the room: the files that it is made of.
type end []*os.File

func (e end) close() error {
	var err error
	for _, f := range e {
		err = errors.Join(err, f.Close())
	}
	return err
}

// errWouldWait is what a call that shall not wait returns instead of waiting.
var errWouldWait = errors.New("would wait")

// outcome joins the error of waiting with that of the call in the end.
func outcome(waiting, call error) error {
	err := waiting
	if err == nil {
		err = call
	}
	switch {
	case errors.Is(err, os.ErrClosed):
		return ErrClosed
	case errors.Is(err, syscall.EAGAIN):
		return errWouldWait
	default:
		return err
	}
}

// until calls do, and ends its waiting for f when ctx ends.
func until(ctx context.Context, f *os.File, do func() error) error {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		f.SetDeadline(time.Unix(1, 0)) // in the past: it ends a call under way
	})
	err := do()
	if !stop() {
		<-woken
		f.SetDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// The room is a semaphore between processes: a pipe that holds one byte for each
// free place. To take places is to read bytes, and to wait for a place is to wait
// for a byte; to give them back is to write. The kernel does the counting, the
// waiting and the waking.

// newRoom makes a room with so many free places.
func newRoom(places int) (take, give end, err error) {
	if places > 1<<16 {
		return nil, nil, fmt.Errorf("queue: a capacity of %d is more than a pipe holds", places)
	}
	var fds [2]int
	syscall.ForkLock.RLock()
	err = syscall.Pipe(fds[:])
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	take, give = end{file(fds[0])}, end{file(fds[1])}
	if err := give.free(places); err != nil {
		return nil, nil, errors.Join(err, take.close(), give.close())
	}
	return take, give, nil
}

// occupy takes between 1 and most places. If there is none, it waits, up to the
// read deadline, or returns errWouldWait.
func (e end) occupy(most int, wait bool) (n int, err error) {
	raw, err := e[0].SyscallConn()
	if err != nil {
		return 0, outcome(err, nil)
	}
	places := make([]byte, most)
	waitErr := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), places)
		return !errors.Is(err, syscall.EINTR) && (!wait || !errors.Is(err, syscall.EAGAIN))
	})
	if err := outcome(waitErr, err); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.ErrClosedPipe
	}
	return n, nil
}

func (e end) free(places int) error {
	_, err := e[0].Write(make([]byte, places))
	return err
}

// pack makes one message of several items, which are numbered from first on.
func pack(first uint64, items [][]byte) []byte {
	message := binary.AppendUvarint(nil, first)
	for _, item := range items {
		message = append(binary.AppendUvarint(message, uint64(len(item))), item...)
	}
	return message
}

func unpack(message []byte) (first uint64, items [][]byte, err error) {
	first, n := binary.Uvarint(message)
	for n > 0 {
		if message = message[n:]; len(message) == 0 {
			return first, items, nil
		}
		var length uint64
		if length, n = binary.Uvarint(message); n <= 0 || length > uint64(len(message)-n) {
			break
		}
		items = append(items, message[n:n+int(length):n+int(length)])
		n += int(length)
	}
	return 0, nil, errors.New("queue: a message is damaged")
}

// file makes a file of a descriptor. One that does not block is waited for by the
// runtime's poller, so that Close and a deadline end a call under way. It is set
// before NewFile and not by it: what NewFile has set, exec takes back, and the
// open file is one and the same in all processes.
func file(fd int) *os.File {
	syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "queue")
}

// inherit opens what the variable lists: a number, and the descriptors of each end.
func inherit(variable string) (number int, ends []end, err error) {
	value := os.Getenv(variable)
	if value == "" {
		return 0, nil, fmt.Errorf("queue: this process was not started with an end of the queue: %s is not set", variable)
	}
	// The children of this process shall inherit neither the ends nor their numbers.
	os.Unsetenv(variable)
	first, rest, _ := strings.Cut(value, ";")
	if number, err = strconv.Atoi(first); err != nil {
		return 0, nil, fmt.Errorf("queue: %s is %q: %w", variable, value, err)
	}
	for _, list := range strings.Split(rest, ";") {
		var e end
		for _, word := range strings.Split(list, ",") {
			fd, err := strconv.Atoi(word)
			if err != nil {
				return 0, nil, fmt.Errorf("queue: %s is %q: %w", variable, value, err)
			}
			syscall.CloseOnExec(fd)
			e = append(e, file(fd))
		}
		ends = append(ends, e)
	}
	return number, ends, nil
}
