package crawl_test

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// interruptSelf sends SIGINT to the thread that it runs on, so that its effect is there
// before it returns, if it returns.
func interruptSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGINT)
}
