//go:build !linux

package crawl_test

import "syscall"

// interruptSelf sends SIGINT to this process, and waits for its effect, which may come
// by way of another thread.
func interruptSelf() {
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGINT)
	select {}
}
