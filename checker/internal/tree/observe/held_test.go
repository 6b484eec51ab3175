//go:build linux

package observe

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A file that lives in memory alone counts once, by what it really takes.
func TestHeldMemory(t *testing.T) {
	me := []int{os.Getpid()}
	before := HeldMemory(me)
	fd, err := unix.MemfdCreate("held", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "held")
	defer f.Close()
	again, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(again)
	require.NoError(t, f.Truncate(1<<30)) // a hole takes nothing
	assert.Equal(t, before, HeldMemory(me))
	_, err = f.Write(make([]byte, 3<<20))
	require.NoError(t, err)
	assert.Equal(t, before+3<<20, HeldMemory(me))
}
