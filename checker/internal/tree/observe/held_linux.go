package observe

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// HeldMemory is how many bytes of memory files take that are the processes' own and in no
// process's resident set: what they hold open of memfd_create(2), and what lies in the
// folders, each the root of a file system in memory. A file that is mapped, too, counts
// there as well. What is on its way in a socket is not seen.
func HeldMemory(pids []int, folders ...string) (bytes int64) {
	type file struct{ dev, ino uint64 }
	seen := map[file]bool{}
	for _, pid := range pids {
		dir := "/proc/" + strconv.Itoa(pid) + "/fd"
		fds, err := numbers(dir)
		if err != nil {
			continue // it has ended
		}
		for _, fd := range fds {
			path := dir + "/" + strconv.Itoa(fd)
			var s unix.Stat_t
			if link, err := os.Readlink(path); err != nil || !strings.HasPrefix(link, "/memfd:") || unix.Stat(path, &s) != nil {
				continue
			}
			if f := (file{uint64(s.Dev), s.Ino}); !seen[f] {
				seen[f] = true
				bytes += s.Blocks * 512
			}
		}
	}
	for _, folder := range folders {
		var s unix.Statfs_t
		if unix.Statfs(folder, &s) == nil && s.Type == unix.TMPFS_MAGIC {
			bytes += int64(s.Blocks-s.Bfree) * s.Bsize
		}
	}
	return bytes
}
