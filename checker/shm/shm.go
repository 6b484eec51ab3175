package shm

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/watch"
)

// WordSize is the size of a word in bytes.
const WordSize = 8

// ErrSize is returned, wrapped, by Map for a file that is shorter than the
// words that it should hold.
var ErrSize = errors.New("the file is too short")

// Memory is a mapping of a file as words of 64 bits. Its methods may be called
// from several goroutines, except for Unmap, which must be the last call.
//
// An index outside of the mapping is a mistake of the program: the methods
// panic with a message that names the index, the mapping and its length.
type Memory struct {
	plain []int64      // words where nothing watches, else nil: the one check of an access
	words []int64      // the mapping; nil after Unmap
	watch *watch.Table // nil where nothing watches
	bytes []byte
	name  string
}

// Map maps the first n words of f, which must be at least n*WordSize bytes
// long, shared with every other process that maps the same file. f may be
// closed afterwards. Nobody may make the file shorter while it is mapped: the
// kernel answers an access to what was cut off with SIGBUS.
func Map(f *os.File, n int) (*Memory, error) {
	if n < 1 {
		return nil, fmt.Errorf("shm: map %s: %d words: need at least 1", f.Name(), n)
	}
	if n > maxWords {
		return nil, fmt.Errorf("shm: map %s: %d words: at most %d", f.Name(), n, maxWords)
	}
	m := &Memory{name: f.Name()}
	if err := control(f, func(fd int) error { return m.open(fd, n) }); err != nil {
		return nil, fmt.Errorf("shm: map %s: %w", f.Name(), err)
	}
	return m, nil
}

// maxWords keeps n*WordSize within an int on every platform.
const maxWords = int(^uint(0)>>1) / WordSize

// control calls g with the descriptor of f, which stays as it is: f.Fd would
// put it into blocking mode.
func control(f *os.File, g func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := c.Control(func(fd uintptr) { inner = g(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func (m *Memory) open(fd, n int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	// Without this check, the mapping would succeed and the first access
	// behind the file's last page would end the process by SIGBUS.
	if want := int64(n) * WordSize; st.Size < want {
		return fmt.Errorf("%w: %d words need %d bytes, it has %d", ErrSize, n, want, st.Size)
	}
	b, err := unix.Mmap(fd, 0, n*WordSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	t, err := watch.Open(fd)
	if err != nil {
		return errors.Join(err, unix.Munmap(b))
	}
	m.watch = t
	m.bytes = b
	// A mapping begins at a page, so every word is aligned as atomics need it.
	m.words = unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(b))), n)
	if t == nil {
		m.plain = m.words
	}
	return nil
}

// Len returns the number of words; it is 0 after Unmap.
func (m *Memory) Len() int { return len(m.words) }

// Load reads word i without any synchronization.
func (m *Memory) Load(i int) int64 {
	if uint(i) < uint(len(m.plain)) {
		return m.plain[i]
	}
	return m.watchedLoad(i)
}

// Store writes word i without any synchronization.
func (m *Memory) Store(i int, v int64) {
	if uint(i) < uint(len(m.plain)) {
		m.plain[i] = v
		return
	}
	m.watchedStore(i, v)
}

// AtomicLoad reads word i atomically.
func (m *Memory) AtomicLoad(i int) int64 {
	if uint(i) >= uint(len(m.plain)) {
		m.atomicRead(i)
	}
	return atomic.LoadInt64(&m.words[i])
}

// AtomicStore writes word i atomically.
func (m *Memory) AtomicStore(i int, v int64) {
	if uint(i) >= uint(len(m.plain)) {
		m.atomicWrite(i)
	}
	atomic.StoreInt64(&m.words[i], v)
}

// Swap sets word i to v atomically and returns what it held before.
func (m *Memory) Swap(i int, v int64) int64 {
	if uint(i) >= uint(len(m.plain)) {
		m.atomicWrite(i)
	}
	return atomic.SwapInt64(&m.words[i], v)
}

// Add adds d to word i atomically and returns the new value.
func (m *Memory) Add(i int, d int64) int64 {
	if uint(i) >= uint(len(m.plain)) {
		m.atomicWrite(i)
	}
	return atomic.AddInt64(&m.words[i], d)
}

// CompareAndSwap sets word i to v atomically if it holds old, and says whether
// it did.
func (m *Memory) CompareAndSwap(i int, old, v int64) bool {
	if uint(i) >= uint(len(m.plain)) {
		m.atomicTry(i, old)
	}
	return atomic.CompareAndSwapInt64(&m.words[i], old, v)
}

// Unmap ends the mapping; what the file holds stays. The words must not be used
// afterwards. A second call is an error.
func (m *Memory) Unmap() error {
	if m.words == nil {
		return fmt.Errorf("shm: unmap %s: not mapped", m.name)
	}
	b, t := m.bytes, m.watch
	m.plain, m.words, m.bytes, m.watch = nil, nil, nil, nil
	if err := errors.Join(unix.Munmap(b), t.Close()); err != nil {
		return fmt.Errorf("shm: unmap %s: %w", m.name, err)
	}
	return nil
}

// What follows is the way of an access that is watched or wrong, kept out of
// line so that the compiler can inline the usual one. It is not for the race
// detector, which knows nothing of the words and would take most of the time: a
// spin lock is slowed down by all that stands before its atomics.

//go:noinline
//go:norace
func (m *Memory) watchedLoad(i int) int64 {
	p := m.at(i)
	return m.watch.Load(p, i)
}

//go:noinline
//go:norace
func (m *Memory) watchedStore(i int, v int64) {
	p := m.at(i)
	m.watch.Store(p, i, v)
}

//go:noinline
//go:norace
func (m *Memory) atomicRead(i int) {
	m.at(i)
	m.watch.AtomicRead(i)
}

//go:noinline
//go:norace
func (m *Memory) atomicWrite(i int) {
	m.at(i)
	m.watch.AtomicWrite(i)
}

// atomicTry counts a compare-and-swap that is going to fail as a read. A plain load
// foresees that as well as any.
//
//go:noinline
//go:norace
func (m *Memory) atomicTry(i int, old int64) {
	if *m.at(i) == old {
		m.watch.AtomicWrite(i)
	} else {
		m.watch.AtomicRead(i)
	}
}

// at returns the address of word i.
func (m *Memory) at(i int) *int64 {
	if uint(i) >= uint(len(m.words)) {
		m.outside(i)
	}
	return &m.words[i]
}

func (m *Memory) outside(i int) {
	if m.words == nil {
		panic(fmt.Sprintf("shm: word %d of %s was used after Unmap", i, m.name))
	}
	panic(fmt.Sprintf("shm: word %d is outside of %s, which has words 0 to %d", i, m.name, len(m.words)-1))
}
