package pool_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// waitEnded waits until a child of this process has ended, and leaves it to the
// program to wait for it.
func waitEnded(t *testing.T, pid int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if !errors.Is(err, unix.ECHILD) { // the program was faster
			require.NoError(t, err, "the test could not wait for the end of a worker")
		}
		return
	}
}
