package harness

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ownSharedMemory gives this process and all that it starts an empty /dev/shm, if
// the supervisor has started it with mounts of its own: every object that is left
// there is then its own.
func ownSharedMemory() {
	mine, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return
	}
	if parents, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid())); err != nil || mine == parents {
		return
	}
	if unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil {
		_ = unix.Mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
	}
}
