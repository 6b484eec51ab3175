package run

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/evidence"
)

// hold takes a copy of the pipes and sockets of processes that are about to end, so that
// the end of one is seen by none of the others: they are to be found where they stand.
// What cannot be had (another user's, too many) is left out. It returns what lets go.
func hold(processes []evidence.Process) (release func()) {
	const most = 512 // of this process's own descriptors
	var held []int
	for _, p := range processes {
		pidfd, err := unix.PidfdOpen(p.PID, 0)
		if err != nil {
			continue
		}
		dir := "/proc/" + strconv.Itoa(p.PID) + "/fd"
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			target, err := os.Readlink(dir + "/" + e.Name())
			if err != nil || len(held) == most || !strings.HasPrefix(target, "pipe:[") && !strings.HasPrefix(target, "socket:[") {
				continue
			}
			fd, _ := strconv.Atoi(e.Name())
			if own, err := unix.PidfdGetfd(pidfd, fd, 0); err == nil {
				held = append(held, own)
			}
		}
		unix.Close(pidfd)
	}
	return func() {
		for _, fd := range held {
			unix.Close(fd)
		}
	}
}
