package shm_test

import (
	"os"

	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

func init() {
	correct = append(correct, "ofd lock")
	jobs["ofd lock"] = func(m *shm.Memory, f *os.File, _, _ int) {
		must(unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLKW, &unix.Flock_t{Type: unix.F_WRLCK}))
		increment(m, counter)
		must(unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLKW, &unix.Flock_t{Type: unix.F_UNLCK}))
	}
}
