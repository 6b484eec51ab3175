package gil_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU returns the processor time of the calling thread.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// threadID names the calling thread among those of all processes.
func threadID() int64 { return int64(unix.Gettid()) }

// isRunning says whether the kernel has the thread as running. A thread's ID
// leads to its state, though /proc does not list it.
func isRunning(thread int64) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", thread))
	if err != nil {
		return false
	}
	// "4312 (gil.test) R 1 …": the name may hold anything, even ") R".
	i := bytes.LastIndexByte(stat, ')')
	return i >= 0 && bytes.HasPrefix(stat[i+1:], []byte(" R"))
}
