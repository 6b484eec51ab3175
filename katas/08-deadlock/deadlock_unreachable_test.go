package deadlock_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	deadlock "prokata/katas/08-deadlock"
)

// collectEnv holds two descriptors, as in "100 101", in the children of a test that has
// them collect their garbage.
const collectEnv = "TEST_COLLECT"

// collectWhenTold makes this process, if it is such a child, collect its garbage when it
// is told to by a byte on the first descriptor, and say so on the second.
func collectWhenTold() {
	var told, say int
	if n, _ := fmt.Sscan(os.Getenv(collectEnv), &told, &say); n != 2 {
		return
	}
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := unix.Read(told, b); err != unix.EINTR {
				break
			}
		}
		for range 2 {
			// Files are closed one after the other, in the order in which they were
			// found to be garbage: at the latest before what is found only now.
			closed := make(chan struct{})
			last := new([16]int)
			runtime.SetFinalizer(last, func(*[16]int) { close(closed) })
			last = nil
			runtime.GC()
			<-closed
		}
		unix.Write(say, b)
	}()
}

// The garbage collector closes files that nothing in the program can reach any more. The
// lock that a process holds must not be one of them.
func TestSimulationOutlivesACollection(t *testing.T) {
	harness.Test(t)
	const n = 3
	theirs, tell, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer tell.Close()
	hear, say, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer hear.Close()
	told, said := inherit(t, theirs), inherit(t, say)
	defer unix.Close(told)
	t.Setenv(collectEnv, fmt.Sprint(told, " ", said))
	dir := t.TempDir()
	sim, err := deadlock.Simulate(dir, n)
	unix.Close(said) // but for the children's copies
	require.NoError(t, err, "Simulate failed")
	defer sim.End()
	_, err = tell.Write(make([]byte, n))
	require.NoError(t, err, "the test could not tell the processes to collect their garbage")
	_, err = io.ReadFull(hear, make([]byte, n))
	require.NoError(t, err, "a process of the circle ended, because a lock was released when garbage was collected")
	for i := range n {
		assert.True(t, isHeld(t, deadlock.LockPath(dir, i)), "lock %d was released when its process collected garbage", i)
	}
}
