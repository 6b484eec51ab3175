package harness

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mostFiles bounds what one start may need.
const mostFiles = 100

// UntilItFits calls f with room for no open file, for one, for two … until it returns
// nil: each step of a start that needs one has failed once by then. It returns how
// often f failed. The test ends when f still does so with room for 100, and when an
// error of f wraps not every one of reasons.
func UntilItFits(t testing.TB, f func() error, reasons ...error) (failed int) {
	t.Helper()
	var err error
	for room := range mostFiles + 1 {
		WithFiles(t, room, func() { err = f() })
		if err == nil {
			return room
		}
		for _, reason := range reasons {
			if !errors.Is(err, reason) {
				t.Fatalf("there was room for %d open files more, which was too few, and the error tells another reason: %v", room, err)
			}
		}
	}
	t.Fatalf("it needed more than %d open files: %v", mostFiles, err)
	return 0
}

// WithFiles calls f while this process can open only room files more than it has: what
// a start does is refused by the system at the step that comes after them.
func WithFiles(t testing.TB, room int, f func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatalf("harness: ask how many files may be open: %v", err)
	}
	few := old
	few.Cur = uint64(freeDescriptor(t, room))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatalf("harness: bound how many files may be open: %v", err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Errorf("harness: allow as many open files as before: %v", err)
		}
	}()
	f()
}

// freeDescriptor returns the lowest descriptor below which n others are free. The
// system bounds the descriptors themselves and not how many there are, and there may
// be gaps between the ones in use.
func freeDescriptor(t testing.TB, n int) (fd int) {
	t.Helper()
	for range n + 1 {
		var err error
		if fd, err = unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, fd+1); err != nil {
			t.Fatalf("harness: find a free descriptor: %v", err)
		}
		_ = unix.Close(fd)
	}
	return fd
}
