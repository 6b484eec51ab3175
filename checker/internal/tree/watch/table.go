package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// slots is the number of watches that a mapping can have at one time. Word i is
// watched in the ways slots of set i%sets alone, so that an access looks at those.
// Several processes may each hold a watch on one word: if all have read it, the first
// one to write meets the watches of the others.
const (
	sets  = 32
	ways  = 4
	slots = sets * ways
)

// seenPairs is how many pairs of lines a table remembers as reported.
const seenPairs = 256

// halfSize is the room for one side of a race, as JSON.
const halfSize = 2000

// A header is the beginning of a table file.
type header struct {
	state [slots]atomic.Uint64 // see state.go
	site  [slots]atomic.Uint64 // the watcher's line of code
	other [slots]atomic.Uint64 // the line of code that met the watch
	since [slots]atomic.Int64  // when the watch began
	held  atomic.Int64         // watches so far
	// see budget.go
	glances, patience budget
	// see patience.go
	attached atomic.Uint64         // participants so far
	patient  [places]atomic.Uint32 // watches by place
	rarely   atomic.Int64          // time of those at rare accesses
	member   [participants]participant
	seen     [seenPairs]atomic.Uint64
	side     [slots][2]half // the watcher's, the other's
}

// A half is one side of a race. It belongs to the process that the slot's
// state names, until that sets the bit that says it is complete.
type half struct {
	length atomic.Int64
	json   [halfSize]byte
}

// A Table is the watch table of one mapped file, shared by every process that
// maps that file, and this process's own counters for it.
type Table struct {
	*header
	bytes []byte
	dir   string
	pid   uint64
	clock func() int64 // nanoseconds, the same for every process
	me    *participant
	// see rare.go
	places  [places]place
	touched [1 << 10]bool // words
	known   uint64        // header.attached, as the places know it
	waited  atomic.Bool   // this process has held a patient watch
	eager   bool          // for tests: watch every access, at any cost
}

// Open returns the watch table for the file with descriptor fd, or nil if this
// process runs outside of a check.
func Open(fd int) (*Table, error) {
	dir := os.Getenv(Env)
	if dir == "" {
		return nil, nil
	}
	name, err := identity(fd)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return openTable(dir, name, os.Getpid())
}

func openTable(dir, name string, pid int) (*Table, error) {
	b, err := mapTable(filepath.Join(dir, name+tableSuffix))
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	t := &Table{
		header: (*header)(unsafe.Pointer(unsafe.SliceData(b))),
		bytes:  b,
		dir:    dir,
		pid:    uint64(pid) & pidMask,
		clock:  monotonic,
	}
	t.attach()
	return t, nil
}

// mapTable maps the table file, which is made by whoever comes first. Setting
// its size again and again to the same value is safe under races: the file
// never shrinks, and what is new in it is zero, which is a table without
// watches.
func mapTable(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int(unsafe.Sizeof(header{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap %s: %w", path, err)
	}
	return b, nil
}

// Close ends the watching by this process. A nil table is closed already.
func (t *Table) Close() error {
	if t == nil {
		return nil
	}
	t.detach()
	b := t.bytes
	t.bytes, t.header = nil, nil
	if err := unix.Munmap(b); err != nil {
		return fmt.Errorf("watch: munmap: %w", err)
	}
	return nil
}

// Watches returns how many watches all processes together have held for the
// file with descriptor fd.
func Watches(dir string, fd int) (int64, error) {
	name, err := identity(fd)
	if err != nil {
		return 0, fmt.Errorf("watch: %w", err)
	}
	b, err := mapTable(filepath.Join(dir, name+tableSuffix))
	if err != nil {
		return 0, fmt.Errorf("watch: %w", err)
	}
	n := (*header)(unsafe.Pointer(unsafe.SliceData(b))).held.Load()
	return n, unix.Munmap(b)
}

// monotonic returns the time since the system started. Unlike package time's
// reading of it, it means the same in every process.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}

// Forget makes every table in dir forget which races it has reported already,
// so that they are reported again.
func Forget(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	var errs []error
	for _, path := range paths {
		b, err := mapTable(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		h := (*header)(unsafe.Pointer(unsafe.SliceData(b)))
		for i := range h.seen {
			h.seen[i].Store(0)
		}
		errs = append(errs, unix.Munmap(b))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("watch: forget: %w", err)
	}
	return nil
}
