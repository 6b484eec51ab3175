package watch

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// words are what a job works on, by way of the table, as in package shm.
type words struct {
	t     *Table
	words *[16]int64
	lock  *os.File
}

func (w words) increment(i int) { w.t.Store(&w.words[i], i, w.t.Load(&w.words[i], i)+1) }

// disciplines are correct ways to share words. Member me of several does one
// round. What the words hold is left to them.
var disciplines = map[string]func(w words, me int){
	"flock": func(w words, _ int) {
		for unix.Flock(int(w.lock.Fd()), unix.LOCK_EX) != nil {
		}
		w.increment(0)
		for unix.Flock(int(w.lock.Fd()), unix.LOCK_UN) != nil {
		}
	},
	"spin lock": func(w words, _ int) {
		for {
			w.t.AtomicWrite(1)
			if atomic.CompareAndSwapInt64(&w.words[1], 0, 1) {
				break
			}
			runtime.Gosched()
		}
		w.increment(0)
		w.t.AtomicWrite(1)
		atomic.StoreInt64(&w.words[1], 0)
	},
	"atomics beside private words": func(w words, me int) {
		w.t.AtomicWrite(0)
		atomic.AddInt64(&w.words[0], 1)
		w.increment(8 + me)
	},
	"read sharing": func(w words, _ int) {
		w.t.Load(&w.words[0], 0)
		w.t.AtomicRead(0)
	},
}

// work lets four members, each with a view of the table like a process of its
// own, do that many rounds, watching every single access, and returns the number
// of watches.
func work(t testing.TB, dir string, rounds int, do func(w words, me int)) int64 {
	t.Helper()
	// Not Go's memory, or the race detector would see the spin lock as one.
	mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	require.NoError(t, err)
	shared := (*[16]int64)(unsafe.Pointer(unsafe.SliceData(mem)))
	var tables []*Table
	var members sync.WaitGroup
	for me := range 4 {
		table, err := openTable(dir, "file", os.Getpid()+me)
		require.NoError(t, err)
		table.eager = true
		tables = append(tables, table)
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		require.NoError(t, err)
		defer f.Close()
		members.Go(func() {
			for range rounds {
				do(words{table, shared, f}, me)
			}
		})
	}
	members.Wait()
	n := tables[0].header.held.Load()
	for _, table := range tables {
		require.NoError(t, table.Close())
	}
	require.NoError(t, unix.Munmap(mem))
	return n
}

func TestNoFalseAlarmIfEveryAccessIsWatched(t *testing.T) {
	for name, do := range disciplines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			n := work(t, dir, 100, do)
			assert.Positive(t, n)
			assert.Empty(t, races(t, dir))
		})
	}
}

// The same, without a lock: the test above could find something.
func TestAlarmIfEveryAccessIsWatched(t *testing.T) {
	dir := t.TempDir()
	work(t, dir, 100, func(w words, _ int) { w.increment(0) })
	assert.NotEmpty(t, races(t, dir))
}

// BenchmarkEveryAccessWatched does that many watches of correct programs, and
// reports the false alarms: -benchtime=200000x.
func BenchmarkEveryAccessWatched(b *testing.B) {
	alarms, watches := 0, int64(0)
	for name, do := range disciplines {
		dir := b.TempDir()
		held := int64(0) // the table counts on
		for held < int64(b.N/len(disciplines)) {
			held = work(b, dir, 500, do)
		}
		watches += held
		found, err := Read(dir, 0, -1)
		require.NoError(b, err)
		for _, r := range found {
			b.Errorf("%s: a false alarm: %+v", name, r)
		}
		alarms += len(found)
	}
	b.ReportMetric(float64(alarms), "false-alarms")
	b.ReportMetric(float64(watches), "watches")
}
