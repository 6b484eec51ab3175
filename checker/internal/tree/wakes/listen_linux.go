package wakes

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Start calls start, which starts a process, so that the process, and all that it
// starts, tells of every wake that it sets. ErrUnsupported means that start was not
// called; any other error is its own. The ledger is to be closed when the tree has ended.
func Start(start func() error) (*Ledger, error) {
	if !listens {
		return nil, ErrUnsupported
	}
	l, err := newLedger()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	started := make(chan error)
	go func() {
		// Never unlocked: the thread, with its filter, ends with this goroutine.
		// The runtime starts no other thread from a locked one.
		runtime.LockOSThread()
		l.listener, err = install()
		if err == nil {
			if err = start(); err != nil {
				unix.Close(l.listener)
			}
		}
		started <- err
	}()
	if err := <-started; err != nil {
		unix.Close(l.stop)
		return nil, err
	}
	go l.listen()
	return l, nil
}

// install puts the filter on this thread and returns the descriptor at which the
// kernel tells of calls.
func install() (listener int, err error) {
	p := program()
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	// The last flag: a call that we know of is no longer interrupted by the signals with
	// which the Go runtime makes its goroutines take turns, or it would be told again,
	// perhaps for ever. Kernels before 5.19 lack it, and count as those that tell nothing.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	try := func() (int, unix.Errno) {
		fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
		return int(fd), errno
	}
	fd, errno := try()
	if errno == unix.EACCES { // not the superuser
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		fd, errno = try()
	}
	runtime.KeepAlive(p)
	if errno == 0 {
		unix.CloseOnExec(fd)
		return fd, nil
	}
	// EBUSY: somebody listens already, such as a container's own supervisor.
	return -1, fmt.Errorf("%w: seccomp: %w", ErrUnsupported, errno)
}

// A notice is struct seccomp_notif: one call that is about to be made.
type notice struct {
	ID    uint64
	PID   uint32 // of the thread
	Flags uint32
	Call  int32
	Arch  uint32
	IP    uint64
	Args  [6]uint64
}

// An answer is struct seccomp_notif_resp.
type answer struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// listen notes one call after the other until the tree has ended or the ledger is
// closed.
func (l *Ledger) listen() {
	defer close(l.done)
	defer unix.Close(l.listener)
	for {
		fds := []unix.PollFd{{Fd: int32(l.listener), Events: unix.POLLIN}, {Fd: int32(l.stop), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return // nobody is left who could call
		}
		var n notice // the kernel refuses one that is not empty
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l.listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n))); errno != 0 {
			if errno == unix.EINTR || errno == unix.ENOENT { // ENOENT: the caller was killed
				continue
			}
			return
		}
		l.note(n)
		a := answer{ID: n.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		// It fails for a caller that was killed meanwhile.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(l.listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}
