package watch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// identity names the file behind fd. The number of an inode is used again soon
// after its file is gone; with the time of birth, where the file system has it,
// the name stays unique.
func identity(fd int) (string, error) {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_SYNC_AS_STAT, unix.STATX_INO|unix.STATX_BTIME, &st)
	if err != nil {
		return "", fmt.Errorf("statx: %w", err)
	}
	name := fmt.Sprintf("%d.%d-%d", st.Dev_major, st.Dev_minor, st.Ino)
	if st.Mask&unix.STATX_BTIME != 0 {
		name += fmt.Sprintf("-%x.%x", st.Btime.Sec, st.Btime.Nsec)
	}
	return name, nil
}
