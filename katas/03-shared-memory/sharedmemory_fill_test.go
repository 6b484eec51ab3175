package sharedmemory_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	sharedmemory "prokata/katas/03-shared-memory"
)

// Who fills what? Of two children one stops as soon as the first element is there.
// When the other one has ended, its part is filled, and nothing else need be.

// fillEnv names the variable with the folder in which the children of Fill meet.
const fillEnv = "SHARED_MEMORY_FILL"

// fillSize is so large that a child is seldom done before it has stopped.
const fillSize = 1 << 21

func init() {
	if dir := os.Getenv(fillEnv); dir != "" {
		if err := watchFill(dir); err != nil {
			fmt.Fprintln(os.Stderr, "watch Fill:", err)
			os.Exit(1)
		}
	}
}

// fillHere stays open for as long as a child of Fill lives.
var fillHere *os.File

// watchFill is the child's side: the first to come will stop, and the other one says
// so by the FIFO that it holds.
func watchFill(dir string) error {
	name := "other"
	taken, err := os.OpenFile(filepath.Join(dir, "taken"), os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		taken.Close()
		name = "stops"
	}
	if fillHere, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0); err != nil {
		return err
	}
	if _, err = fmt.Fprintln(fillHere, os.Getpid()); err != nil || name == "other" {
		return err
	}
	if numbers := sharedNumbers(); numbers != nil {
		go func() {
			unset := func(i int) bool { return atomic.LoadInt64(&numbers[i]) == 0 }
			for unset(1) && unset(2) && unset(fillSize/2) && unset(fillSize/2+1) {
				runtime.Gosched()
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}()
	}
	return nil
}

// sharedNumbers maps, to look at them, the numbers of the one open file of this
// process that has room for so many and for little else. It returns nil if there is
// none.
func sharedNumbers() []int64 {
	for fd := 3; fd < 256; fd++ {
		var s unix.Stat_t
		if unix.Fstat(fd, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFREG || s.Size < 8*fillSize || s.Size > 8*fillSize+1<<16 {
			continue
		}
		b, err := unix.Mmap(fd, 0, 8*fillSize, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			continue
		}
		return unsafe.Slice((*int64)(unsafe.Pointer(&b[0])), fillSize)
	}
	return nil
}

func TestFillSharesOut(t *testing.T) {
	harness.Test(t)
	for range 5 { // now and then a child is done before it has stopped
		even, odd := fillAndStopOne(t)
		if even && odd {
			continue
		}
		assert.True(t, even || odd, "when one of two children of Fill had ended, neither all elements with an even index nor all with an odd one were filled: its part was another one")
		return
	}
}

// fillAndStopOne tells of which elements all were filled when one child had ended,
// and the other one had stopped. Both is the answer, too, where that cannot be seen.
func fillAndStopOne(t *testing.T) (even, odd bool) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(fillEnv, dir)
	var fifos [2]*os.File
	for i, name := range []string{"stops", "other"} {
		path := filepath.Join(dir, name)
		require.NoError(t, syscall.Mkfifo(path, 0o600), "the test could not make a FIFO")
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err, "the test could not open a FIFO")
		defer f.Close()
		fifos[i] = f
	}
	filled := make(chan error, 1)
	go func() {
		_, err := sharedmemory.Fill(context.Background(), 2, fillSize)
		for _, f := range fifos {
			_, _ = f.WriteString("0\n") // nobody will come any more
		}
		filled <- err
	}()
	var pids [2]int
	for i, f := range fifos {
		line, err := bufio.NewReader(f).ReadString('\n')
		require.NoError(t, err, "the test could not read from a FIFO")
		_, err = fmt.Sscan(line, &pids[i])
		require.NoError(t, err, "the test could not read a process ID")
	}
	even, odd = true, true
	if numbers := sharedNumbers(); numbers != nil && pids[0] > 0 && pids[1] > 0 {
		defer func() {
			_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), 8*fillSize))
		}()
		if waitForOther(t, filepath.Join(dir, "other"), fifos[1], numbers) {
			even, odd = allFilled(numbers, 2), allFilled(numbers, 1)
		}
	}
	// Again and again: it may stop only now.
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if pids[0] > 0 {
			_ = syscall.Kill(pids[0], syscall.SIGCONT)
		}
		select {
		case err := <-filled:
			require.NoError(t, err, "Fill returned an error, though no child had failed")
			return even, odd
		case <-again.C:
		}
	}
}

func allFilled(numbers []int64, from int) bool {
	for i := from; i < len(numbers); i += 2 {
		if numbers[i] != int64(i)*int64(i) {
			return false
		}
	}
	return true
}

// waitForOther waits until the child that does not stop has ended. It returns false
// if nothing has changed for many looks: then that child waits for the one that has
// stopped, as it well may.
func waitForOther(t *testing.T, path string, f *os.File, numbers []int64) bool {
	t.Helper()
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err, "the test could not open a FIFO")
	f.Close() // it was open for writing, too
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, r)
	}()
	defer func() { r.Close(); <-ended }()
	before, still := -1, 0
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for still < 200 {
		select {
		case <-ended:
			return true
		case <-look.C:
		}
		now := 0
		for i := 0; i < len(numbers); i += 512 {
			if numbers[i] != 0 || numbers[i+1] != 0 {
				now++
			}
		}
		if still++; now != before {
			before, still = now, 0
		}
	}
	return false
}
