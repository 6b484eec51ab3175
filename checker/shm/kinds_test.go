package shm_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"prokata/checker/shm"
)

// A kind is a way to get sharing wrong, as learners do, and how often each member of
// the crew does it.
type kind struct {
	job    string
	rounds int
}

// kinds are those that a check has to see. Many show for one moment only.
var kinds = []kind{
	{"increment once", 1},
	{"increment", 100},
	{"reader without lock", 100},
	{"early release", 20},
	{"early release once", 1},
	{"double-checked once", 1},
	{"one bare read", 100},
	{"one bare write", 100},
	{"torn pair", 10},
	{"flag before data", 1},
	{"plain flag", 1},
	{"try-lock ignored", 20},
	{"two locks", 50},
	{"stack of indices", 50},
	{"read-write lock for reading", 20},
	{"turn by a plain word", 20},
}

// The words of the kinds beside those of the crew.
const (
	data      = 3
	otherLock = 4
	top       = 5
	next      = 6 // and 7: of two nodes
)

func spinLock(m *shm.Memory, word int) {
	for !m.CompareAndSwap(word, 0, 1) {
		runtime.Gosched()
	}
}

func locked(f *os.File, do func()) {
	flock(f, unix.LOCK_EX)
	do()
	flock(f, unix.LOCK_UN)
}

func get(m *shm.Memory, i int) int64    { return m.Load(i) }
func set(m *shm.Memory, i int, v int64) { m.Store(i, v) }
func increment(m *shm.Memory, i int)    { set(m, i, get(m, i)+1) }

func init() {
	for name, job := range map[string]func(m *shm.Memory, f *os.File, me, round int){
		"increment once": func(m *shm.Memory, _ *os.File, _, _ int) { increment(m, counter) },
		"increment":      func(m *shm.Memory, _ *os.File, _, _ int) { increment(m, counter) },
		"reader without lock": func(m *shm.Memory, f *os.File, me, _ int) {
			if me == 0 {
				get(m, counter)
				return
			}
			locked(f, func() { increment(m, counter) })
		},
		"early release": func(m *shm.Memory, f *os.File, _, _ int) {
			var v int64
			locked(f, func() { v = get(m, counter); set(m, counter, v+1) })
			set(m, flag, v)
		},
		"early release once": func(m *shm.Memory, f *os.File, _, _ int) {
			var v int64
			locked(f, func() { v = get(m, counter) })
			set(m, counter, v+1)
		},
		"double-checked once": func(m *shm.Memory, f *os.File, _, _ int) {
			if get(m, flag) == 0 {
				locked(f, func() {
					if get(m, flag) == 0 {
						set(m, data, 42)
						set(m, flag, 1)
					}
				})
			}
			get(m, data)
		},
		"one bare read": func(m *shm.Memory, f *os.File, me, round int) {
			if me == 0 && round == 50 {
				get(m, counter)
				return
			}
			locked(f, func() { increment(m, counter) })
		},
		"one bare write": func(m *shm.Memory, f *os.File, me, round int) {
			if me == 0 && round == 50 {
				set(m, counter, 0)
				return
			}
			locked(f, func() { increment(m, counter) })
		},
		"torn pair": func(m *shm.Memory, _ *os.File, me, round int) {
			if me == 0 {
				set(m, counter, int64(round))
				set(m, flag, int64(round))
				return
			}
			_ = get(m, counter) == get(m, flag)
		},
		"flag before data": func(m *shm.Memory, _ *os.File, me, _ int) {
			if me == 0 {
				m.AtomicStore(flag, 1)
				set(m, data, 42)
				return
			}
			for m.AtomicLoad(flag) == 0 {
				runtime.Gosched()
			}
			get(m, data)
		},
		"plain flag": func(m *shm.Memory, _ *os.File, me, _ int) {
			if me == 0 {
				set(m, data, 42)
				set(m, flag, 1)
				return
			}
			for get(m, flag) == 0 {
				runtime.Gosched()
			}
			get(m, data)
		},
		"try-lock ignored": func(m *shm.Memory, f *os.File, _, _ int) {
			_ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
			increment(m, counter)
			_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
		},
		"two locks": func(m *shm.Memory, _ *os.File, me, _ int) {
			word := lock
			if me%2 == 1 {
				word = otherLock
			}
			spinLock(m, word)
			increment(m, counter)
			m.AtomicStore(word, 0)
		},
		// A stack of two nodes whose top is a compare-and-swap: the node's next is read
		// while another member may have taken the node and pushes it again.
		"stack of indices": func(m *shm.Memory, _ *os.File, _, _ int) {
			m.CompareAndSwap(top, 0, next) // the first one puts it there
			for {
				n := m.AtomicLoad(top)
				if n == 0 {
					return
				}
				if after := get(m, int(n)); m.CompareAndSwap(top, n, after) {
					old := m.AtomicLoad(top)
					set(m, int(n), old)
					m.CompareAndSwap(top, old, n)
					return
				}
			}
		},
		"read-write lock for reading": func(m *shm.Memory, f *os.File, _, _ int) {
			flock(f, unix.LOCK_SH)
			increment(m, counter)
			flock(f, unix.LOCK_UN)
		},
		"turn by a plain word": func(m *shm.Memory, _ *os.File, me, _ int) {
			if get(m, flag)%4 == int64(me) {
				increment(m, counter)
				increment(m, flag)
			}
		},
		"seqlock": seqlock,
		"futex lock": func(m *shm.Memory, _ *os.File, _, _ int) {
			for m.Swap(lock, 2) != 0 {
				must(m.Wait(context.Background(), lock, 2))
			}
			increment(m, counter)
			m.AtomicStore(lock, 0)
			_, err := m.Wake(lock, 1)
			must(err)
		},
		"double-checked with atomics": func(m *shm.Memory, f *os.File, _, _ int) {
			if m.AtomicLoad(flag) == 0 {
				locked(f, func() {
					if m.AtomicLoad(flag) == 0 {
						set(m, data, 42)
						m.AtomicStore(flag, 1)
					}
				})
			}
			get(m, data)
		},
		"pipe as a semaphore": func(m *shm.Memory, _ *os.File, _, _ int) {
			inTurn(func() { increment(m, counter) })
		},
		"message in a pipe": func(m *shm.Memory, _ *os.File, me, _ int) {
			inTurn(func() {
				if me%2 == 0 {
					set(m, data, get(m, flag))
				} else {
					set(m, flag, get(m, data)+1)
				}
			})
		},
		// Member 0 writes each word once, and then says that it is there.
		"published": func(m *shm.Memory, _ *os.File, me, round int) {
			switch {
			case me != 0:
				for i := range m.AtomicLoad(flag) {
					get(m, private+int(i))
				}
			case round < 8:
				set(m, private+round, int64(round))
				m.AtomicStore(flag, int64(round+1))
			}
		},
	} {
		jobs[name] = job
	}
}

// inTurn does something while it has the only token of the crew's pipe.
func inTurn(do func()) {
	token := make([]byte, 1)
	for n, err := 0, error(unix.EINTR); n == 0; n, err = unix.Read(6, token) {
		if err != nil && err != unix.EINTR {
			must(err)
		}
	}
	do()
	_, err := unix.Write(7, token)
	must(err)
}

// seqlock is one done properly: what it guards is read and written atomically.
func seqlock(m *shm.Memory, f *os.File, me, round int) {
	if me == 0 {
		n := m.Add(flag, 1)
		m.AtomicStore(counter, n)
		m.AtomicStore(data, n)
		m.Add(flag, 1)
		return
	}
	for {
		before := m.AtomicLoad(flag)
		a, b := m.AtomicLoad(counter), m.AtomicLoad(data)
		if before%2 == 0 && m.AtomicLoad(flag) == before {
			if a != b {
				panic("a torn pair")
			}
			return
		}
		runtime.Gosched()
	}
}

// A run is a sample, though nearly every one shows it.
func TestEachKindIsFound(t *testing.T) {
	const most = 10
	for _, k := range kinds {
		t.Run(k.job, func(t *testing.T) {
			found := false
			for n := 0; n < most && !found; n++ {
				found = len(crew{job: k.job, members: 4, rounds: k.rounds, watched: true, asItComes: n%2 == 1}.run(t).races) > 0
			}
			assert.True(t, found, "%d runs showed no race", most)
		})
	}
}

// BenchmarkKinds measures how many runs of each kind are found out, where the crew
// begins together and where each member begins as it comes.
func BenchmarkKinds(b *testing.B) {
	for _, k := range kinds {
		for _, asItComes := range []bool{false, true} {
			name := map[bool]string{false: "together", true: "as-it-comes"}[asItComes]
			b.Run(k.job+"/"+name, func(b *testing.B) {
				found, watches := 0, int64(0)
				for range b.N {
					res := crew{job: k.job, members: 4, rounds: k.rounds, watched: true, asItComes: asItComes}.run(b)
					watches += res.watches
					if len(res.races) > 0 {
						found++
					}
				}
				b.ReportMetric(100*float64(found)/float64(b.N), "found-%")
				b.ReportMetric(float64(watches)/float64(b.N), "watches/op")
			})
		}
	}
}
