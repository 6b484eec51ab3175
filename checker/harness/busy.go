package harness

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/wire"
)

// Waiting says that the processes have nothing to do from now on but to wait, and
// returns once the supervisor has seen what that costs. A process that does not
// come to rest is the finding "busy-wait". The test process may be one of them: it
// stands still here, apart from goroutines that it has started. Where nothing
// supervises, Waiting returns at once.
func Waiting(t testing.TB, pids ...int) {
	t.Helper()
	if supervisor != nil {
		supervisor.ask(wire.Event{Kind: wire.Waiting, Test: t.Name(), PIDs: pids})
	}
}

// Progress counts one step of a test, in whatever process it is called. Of a test
// that counts its steps the supervisor can tell at the time limit whether all were
// busy and nothing was done, which is the finding "livelock".
func Progress() {
	if n := progress(); n != nil {
		n.Add(1)
	}
}

// progress maps the counter that all processes of a run share.
var progress = sync.OnceValue(func() *atomic.Uint64 {
	dir := os.Getenv(wire.RunEnv)
	if dir == "" {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, wire.ProgressFile), os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return (*atomic.Uint64)(unsafe.Pointer(&b[0]))
})
