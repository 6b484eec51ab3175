package gil_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/shm"
	gil "prokata/katas/09-gil"
)

func init() {
	if os.Getenv(recordEnv) != "" && os.Getenv(testEnv) != strconv.Itoa(os.Getpid()) {
		theRecord().add(begun, 1)
	}
	gil.Register("test-watched", watched)
	gil.Register("test-burn", func(i int) uint64 { burn(unitCPU); return mix(i) })
	gil.Register("test-cancel", cancelling)
	gil.Register("test-blocked", blocked)
	gil.Register("test-dies", dies)
	gil.Register("test-heavy", heavy)
	gil.Register("test-quits", quits)
	gil.Register("test-together", together)
	gil.Register("test-uneven", uneven)
	gil.Register("test-own", func(int) uint64 { return uint64(os.Getpid()) })
}

// mix is the work as this file knows it, independent of the code under test.
func mix(i int) uint64 {
	x := uint64(i)
	for range 1000 {
		x = (x*1103515245 + 12345) & 0x7fffffff
	}
	return x
}

func sumOf(units int) (sum uint64) {
	for i := range units {
		sum += mix(i)
	}
	return sum
}

// quits is work of which unit 3 ends its goroutine.
func quits(i int) uint64 {
	if i == 3 {
		runtime.Goexit()
	}
	return mix(i)
}

// The ways that have workers.
var parallel = []gil.Way{gil.Threads, gil.Goroutines, gil.Processes}

// unitCPU is the processor time that a unit of "test-burn" takes, and the most
// that one of "test-watched" takes.
const unitCPU = time.Millisecond

// burn keeps this thread busy until it has had d of processor time: on a crowded
// machine that takes longer, and is still the same work.
func burn(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for begin := threadCPU(); threadCPU()-begin < d; {
	}
}

// A record is a mapping in which all workers, of whatever kind, note what they do:
// the thread on which each worker is, by number, after these the counts below, and
// then the thread on which each worker was at its first unit.
type record struct {
	*shm.Memory
	workers, goal int
}

const (
	done      = iota // units
	foreign          // units done by the process of the test
	active           // workers at work now
	most             // workers at work at one moment, at most
	running          // the same, as far as the kernel had them all running
	last             // the worker that did the last unit, plus one
	turns            // how often another worker did a unit than the one before
	moved            // how often a worker was on another thread than before
	begun            // worker processes
	early            // units that began before all of them had
	numCounts = iota
)

const (
	recordEnv  = "GIL_TEST_RECORD"
	workersEnv = "GIL_TEST_WORKERS"
	goalEnv    = "GIL_TEST_GOAL"
	testEnv    = "GIL_TEST_PID"
)

// current is the record of this process: the workers of a process share it.
var current atomic.Pointer[record]

// newRecord makes a record that the workers, processes too, find for the time of
// the test. Units are long until the count says that the goal is reached.
func newRecord(t testing.TB, workers, goal int) *record {
	t.Helper()
	path := filepath.Join(t.TempDir(), "record")
	f, err := os.Create(path)
	require.NoError(t, err, "Create failed")
	require.NoError(t, f.Truncate(int64((2*workers+numCounts)*shm.WordSize)), "Truncate failed")
	require.NoError(t, f.Close(), "Close failed")
	for name, value := range map[string]string{
		recordEnv: path, workersEnv: strconv.Itoa(workers), goalEnv: strconv.Itoa(goal), testEnv: strconv.Itoa(os.Getpid()),
	} {
		t.Setenv(name, value)
	}
	r, err := openRecord()
	require.NoError(t, err, "openRecord failed")
	current.Store(r)
	t.Cleanup(func() {
		current.Store(nil)
		r.Unmap()
	})
	return r
}

func openRecord() (*record, error) {
	workers, err := strconv.Atoi(os.Getenv(workersEnv))
	if err != nil {
		return nil, err
	}
	goal, err := strconv.Atoi(os.Getenv(goalEnv))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(os.Getenv(recordEnv), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := shm.Map(f, 2*workers+numCounts)
	if err != nil {
		return nil, err
	}
	return &record{m, workers, goal}, nil
}

// theRecord returns the record of this process, opened at first use in a child.
func theRecord() *record {
	if r := current.Load(); r != nil {
		return r
	}
	r, err := openRecord()
	if err != nil {
		panic(errors.Join(errors.New("a worker did not get the environment of its parent"), err))
	}
	if !current.CompareAndSwap(nil, r) {
		r.Unmap()
	}
	return current.Load()
}

func (r *record) count(what int) int64 { return r.AtomicLoad(r.workers + what) }

func (r *record) add(what int, d int64) int64 { return r.Add(r.workers+what, d) }

func (r *record) raise(what int, v int64) {
	for i := r.workers + what; ; {
		old := r.AtomicLoad(i)
		if old >= v || r.CompareAndSwap(i, old, v) {
			return
		}
	}
}

// watched notes who is at work. Until as many workers as the goal were seen at
// work at one moment, or one after the other, its units are long.
func watched(i int) uint64 {
	r := theRecord()
	r.add(done, 1)
	if strconv.Itoa(os.Getpid()) == os.Getenv(testEnv) {
		r.add(foreign, 1)
	}
	w := i % r.workers
	if before := r.swap(last, int64(w+1)); before != 0 && before != int64(w+1) {
		r.add(turns, 1)
	}
	here := threadID()
	r.AtomicStore(w, here)
	if home := r.workers + numCounts + w; !r.CompareAndSwap(home, 0, here) && r.AtomicLoad(home) != here {
		r.add(moved, 1)
	}
	r.raise(most, r.add(active, 1))
	for begin := threadCPU(); r.open() && threadCPU()-begin < unitCPU; {
		r.raise(most, r.count(active))
		if r.count(active) >= int64(r.goal) {
			r.raise(running, r.nowRunning())
		}
	}
	r.add(active, -1)
	r.AtomicStore(w, 0)
	return mix(i)
}

// open says whether the goal is still to be reached.
func (r *record) open() bool {
	return r.count(running) < int64(r.goal) && r.count(turns) < int64(4*r.goal)
}

func (r *record) swap(what int, v int64) int64 {
	for i := r.workers + what; ; {
		if old := r.AtomicLoad(i); r.CompareAndSwap(i, old, v) {
			return old
		}
	}
}

// nowRunning counts the workers at work whose threads, all different ones, the
// kernel has as running.
func (r *record) nowRunning() (n int64) {
	threads := map[int64]bool{}
	for w := range r.workers {
		if id := r.AtomicLoad(w); id != 0 && !threads[id] && isRunning(id) {
			threads[id] = true
			n++
		}
	}
	return n
}

// cancel is what "test-cancel" calls in unit 10.
var cancel atomic.Pointer[func()]

func cancelling(i int) uint64 {
	theRecord().add(done, 1)
	if i == 10 {
		(*cancel.Load())()
	}
	return mix(i)
}

const gateEnv = "GIL_TEST_GATE"

// blocked says a byte and waits until the test lets it go.
func blocked(i int) uint64 {
	var fd [2]int
	for j, name := range []string{gateEnv + "_SAY", gateEnv + "_HEAR"} {
		fd[j], _ = strconv.Atoi(os.Getenv(name))
	}
	unix.Write(fd[0], []byte{'.'})
	for b := make([]byte, 1); ; {
		if _, err := unix.Read(fd[1], b); !errors.Is(err, unix.EINTR) {
			return mix(i)
		}
	}
}

// dies kills the process in which unit 3 is, unless it is that of the test.
func dies(i int) uint64 {
	if i == 3 && strconv.Itoa(os.Getpid()) != os.Getenv(testEnv) {
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	return mix(i)
}

func together(i int) uint64 {
	if r := theRecord(); r.count(begun) < int64(r.workers) {
		r.add(early, 1)
	}
	return mix(i)
}

// heavyBytes is what a unit of "test-heavy" has in memory.
const heavyBytes = 24 << 20

func heavy(i int) uint64 {
	// Memory of the garbage collector's would have the race detector's beside it.
	all, err := unix.Mmap(-1, 0, heavyBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	for j := 0; j < len(all); j += 4096 {
		all[j] = 1
	}
	if err := unix.Munmap(all); err != nil {
		panic(err)
	}
	return mix(i)
}

// slowCPU is what a unit of "test-uneven" takes in the test's own process, in all of
// the first three runs but the fastest.
const slowCPU = 50 * time.Millisecond

var runs, fastest atomic.Int64

func uneven(i int) uint64 {
	if strconv.Itoa(os.Getpid()) == os.Getenv(testEnv) {
		if run := runs.Add(1) - 1; run < 3 && run != fastest.Load() {
			burn(slowCPU)
		}
	}
	return mix(i)
}

// inherit makes a copy of f that every process started from now on inherits
// under the same number.
func inherit(t testing.TB, f *os.File) int {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD, 100) // Fd also makes the end a blocking one
	require.NoError(t, err, "the test could not copy a descriptor")
	require.NoError(t, f.Close(), "Close failed")
	return fd
}
