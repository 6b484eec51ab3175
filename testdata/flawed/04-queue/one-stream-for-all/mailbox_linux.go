// Flaw: all consumers read one stream, and what one read returns is taken for a message.
// Why: As long as each item is read before the next is put, it works, with any number of consumers. Then one gets two glued, or each a half.
//
// want wrong TestCloseLeavesWhatWaits TestProducerExitsAtOnce
// // Two messages are glued where the second comes before the first was read.
// may wrong TestEachItemOnce TestFull TestOrder TestPutWaitsForRoom TestSlowConsumerHoldsNobodyUp TestGetBatch TestPutAll TestGetWithContext TestPutWithContext TestMebibyteItems TestItemThatCannotBeEncoded TestProducerKilled TestConsumerKilled TestConsumerKilledWhileItWaits TestConsumerReplaced TestNobodyLeftToTake TestJoin TestDoneTwice TestManyGoroutinesInOneProcess TestSeveralProducers TestEveryConsumerTakesPart TestUseAfterClose TestTryGet TestConsumerKilledBeforeItHears TestChildOfAConsumer TestContextEndsAsRoomComes
// may deadlock
package queue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// inline is the length up to which a message travels in the socket itself. The
// socket holds some 200 KiB, and charges about one KiB for a short message.
const inline = 16 << 10

// newMailbox makes the two ends of a queue of whole messages.
//
// It is a pair of sockets. A message waits in the kernel, so it outlives its sender.
func newMailbox() (in, out end, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return end{os.NewFile(uintptr(fds[0]), "in")}, end{os.NewFile(uintptr(fds[1]), "out")}, nil
}

// send sends one message. If there is no room, it waits, up to the write deadline,
// or returns errWouldWait.
func (e end) send(message []byte, wait bool) error {
	raw, err := e[0].SyscallConn()
	if err != nil {
		return err
	}
	var rights []byte
	if len(message) > inline {
		// Too long for a socket: it travels as an open file without a name. The
		// kernel passes the descriptor with the message, so it is still one message,
		// and the file is gone when nobody holds it any more.
		f, err := memory(message)
		if err != nil {
			return err
		}
		defer f.Close()
		message, rights = []byte{0}, unix.UnixRights(int(f.Fd()))
	} else {
		message = append([]byte{1}, message...)
	}
	waitErr := raw.Write(func(fd uintptr) bool {
		err = ignoreEINTR(func() error { return unix.Sendmsg(int(fd), message, rights, nil, unix.MSG_NOSIGNAL) })
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	return outcome(waitErr, err)
}

// receive takes one message, and returns io.EOF when none is left and no sending
// end is open.
func (e end) receive(wait bool) ([]byte, error) {
	raw, err := e[0].SyscallConn()
	if err != nil {
		return nil, err
	}
	message := make([]byte, 1+inline)
	beside := make([]byte, unix.CmsgSpace(4))
	var n, b int
	waitErr := raw.Read(func(fd uintptr) bool {
		err = ignoreEINTR(func() (err error) {
			n, b, _, _, err = unix.Recvmsg(int(fd), message, beside, unix.MSG_CMSG_CLOEXEC)
			return err
		})
		return !wait || !errors.Is(err, unix.EAGAIN)
	})
	switch err := outcome(waitErr, err); {
	case err != nil:
		return nil, err
	case n == 0: // No message is empty, so this is the end.
		return nil, io.EOF
	case message[0] == 1:
		return message[1:n], nil
	}
	control, err := unix.ParseSocketControlMessage(beside[:b])
	if err != nil || len(control) != 1 {
		return nil, fmt.Errorf("queue: a long message came without its file: %v", err)
	}
	fds, err := unix.ParseUnixRights(&control[0])
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "message")
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, 0, 1<<62))
}

// memory is an open file, in memory and without a name, that holds b.
func memory(b []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("queue", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "queue")
	if _, err := f.Write(b); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func ignoreEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
