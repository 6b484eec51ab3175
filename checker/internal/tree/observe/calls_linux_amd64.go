package observe

import "golang.org/x/sys/unix"

// Calls that later architectures no longer have.
func init() {
	calls[unix.SYS_PAUSE] = "pause"
	calls[unix.SYS_OPEN] = "open"
	calls[unix.SYS_POLL] = "poll"
	calls[unix.SYS_SELECT] = "select"
	calls[unix.SYS_EPOLL_WAIT] = "epoll_wait"
}
