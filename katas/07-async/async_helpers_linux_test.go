package async_test

import "golang.org/x/sys/unix"

// awaitDeath waits until this process's child has ended and closed all that it
// had open, and leaves it for the pool to reap. (A killed process's files are
// not closed in any order: the end of one says nothing about the others.)
func awaitDeath(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
