// Package shm gives a program words in memory that it shares with other
// processes.
package shm

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WordSize is the size of a word in bytes.
const WordSize = 8

// Memory is a mapping of a file as words of 64 bits.
type Memory struct {
	bytes []byte
	words []int64
}

// Map maps the first n words of f, which must be at least n*WordSize bytes
// long, shared with every other process that maps the same file. f may be
// closed afterwards.
func Map(f *os.File, n int) (*Memory, error) {
	if n < 1 {
		return nil, fmt.Errorf("shm: map %d words: need at least 1", n)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, n*WordSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("shm: map %s: %w", f.Name(), err)
	}
	return &Memory{bytes: b, words: unsafe.Slice((*int64)(unsafe.Pointer(&b[0])), n)}, nil
}

// Len returns the number of words.
func (m *Memory) Len() int { return len(m.words) }

// Load reads word i without any synchronization.
func (m *Memory) Load(i int) int64 { return m.words[i] }

// Store writes word i without any synchronization.
func (m *Memory) Store(i int, v int64) { m.words[i] = v }

// AtomicLoad reads word i atomically.
func (m *Memory) AtomicLoad(i int) int64 { return atomic.LoadInt64(&m.words[i]) }

// AtomicStore writes word i atomically.
func (m *Memory) AtomicStore(i int, v int64) { atomic.StoreInt64(&m.words[i], v) }

// Add adds d to word i atomically and returns the new value.
func (m *Memory) Add(i int, d int64) int64 { return atomic.AddInt64(&m.words[i], d) }

// CompareAndSwap sets word i to v atomically if it holds old.
func (m *Memory) CompareAndSwap(i int, old, v int64) bool {
	return atomic.CompareAndSwapInt64(&m.words[i], old, v)
}

// Unmap ends the mapping. The words must not be used afterwards.
func (m *Memory) Unmap() error { return unix.Munmap(m.bytes) }
