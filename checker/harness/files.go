package harness

import (
	"syscall"
	"testing"
)

// WithFiles calls f while this process can open only room files more: what a start
// does is refused by the system at the step that comes after them. A test that calls
// it with 0, 1, 2 … until f succeeds has seen each step fail once.
func WithFiles(t testing.TB, room int, f func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatalf("harness: ask how many files may be open: %v", err)
	}
	lowest, err := syscall.Dup(0) // the lowest descriptor that is free
	if err != nil {
		t.Fatalf("harness: find a free descriptor: %v", err)
	}
	_ = syscall.Close(lowest)
	few := old
	few.Cur = uint64(lowest + room)
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
