package harness

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// present shows this process to the supervisor, and waits until that has looked: what
// runs here is then counted by the kernel's word, and not by ours. It uses plain system
// calls and leaves nothing open. Without a supervisor nobody counts.
func present(dir, line string) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	path := filepath.Join(dir, wire.StartSocket)
	if len(path) > 107 { // what an address can hold
		at, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		defer unix.Close(at)
		path = fmt.Sprintf("/proc/self/fd/%d/%s", at, wire.StartSocket)
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		return
	}
	if _, err := descriptor(fd).Write([]byte(line)); err == nil {
		_, _ = descriptor(fd).Read(make([]byte, 1)) // the end will do: nobody counts any more
	}
}
