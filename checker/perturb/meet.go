package perturb

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Siblings that do the same work wait for each other at the points of their first
// passages: both have looked before either acts. It is what a check followed by an
// act, a read followed by a write, or two locks one after the other must meet to go
// wrong, and no delay that is fixed beforehand is sure to outlast the time by which
// one of the two is late.
const (
	meetings = 2                      // passages of a site at which one waits
	patience = 10 * time.Millisecond  // for the other
	glance   = 100 * time.Microsecond // between two looks
	vain     = 2                      // waits in vain, of a process or at one spot, after which there are no more
)

// A table of spots is shared by all processes of a check. A spot is where two of
// them meet: at one passage of one site, as children of one parent. Its lower 8 bits
// count the waits in vain, above them is the process that waits, or 0. A process
// that was killed there stays; then the next one does not wait.
type table [1 << 12]uint64

const vainMask = 1<<8 - 1

// spots is set once, before the program's own code, and only read after that. Like
// the other state it lies outside of the Go heap.
var spots *table

// MeetAt lets this process meet others at the points that it passes, if the seed
// says so: in every second run. The file holds the table; who comes first makes it.
func MeetAt(path string) {
	if stream == 0 || seed%2 == 0 {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	size := int(unsafe.Sizeof(table{}))
	if f.Truncate(int64(size)) != nil {
		return
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err == nil {
		spots = (*table)(unsafe.Pointer(&b[0]))
	}
}

// meet waits for another process at passage n of a site.
func meet(site, n uint32) {
	if spots == nil || n > meetings || atomic.LoadInt32(&shared.vain) >= vain {
		return
	}
	key := mix(uint64(os.Getppid()) ^ mix(uint64(site)<<32|uint64(n)))
	if !spots.meet(key, uint64(os.Getpid()), patience) {
		atomic.AddInt32(&shared.vain, 1)
	}
}

// meet waits at a spot, or ends the wait of who is there. It reports false if
// nobody came.
func (t *table) meet(key, me uint64, patience time.Duration) bool {
	here := &t[key%uint64(len(t))]
	before := atomic.LoadUint64(here)
	for before > vainMask {
		if atomic.CompareAndSwapUint64(here, before, before&vainMask) {
			return true
		}
		before = atomic.LoadUint64(here)
	}
	waiting := me<<8 | before
	if before >= vain || !atomic.CompareAndSwapUint64(here, before, waiting) {
		return true // it is hopeless, or too lively, to wait here
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		time.Sleep(glance)
		if atomic.LoadUint64(here) != waiting {
			return true
		}
	}
	return !atomic.CompareAndSwapUint64(here, waiting, before+1)
}
