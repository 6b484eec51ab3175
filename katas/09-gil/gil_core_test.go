package gil_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	gil "prokata/katas/09-gil"
)

// The lock is held by one at a time, also where it changes hands as often as it can.
func TestLockExcludes(t *testing.T) {
	harness.Test(t)
	g := gil.NewGIL(50 * time.Microsecond)
	require.NotNil(t, g, "NewGIL returned no lock")
	var inside, together, count atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				g.Acquire()
				burn(200 * time.Microsecond) // long enough for the others to ask for it
				for range 50 {
					if inside.Add(1) > 1 {
						together.Add(1)
					}
					runtime.Gosched() // whoever can come in, comes in now
					count.Add(1)
					inside.Add(-1)
					g.Checkpoint()
				}
				g.Release()
			}
		})
	}
	wg.Wait()
	require.Zero(t, together.Load(), "the lock let in a second one while somebody held it")
	assert.EqualValues(t, 4*20*50, count.Load(), "not everybody got through its turns")
}

// contend has another goroutine take the lock once; it is on its way when contend
// returns. It notes when it had the lock, and ends when it has let go of it.
func contend(g *gil.GIL) (had *atomic.Bool, ended <-chan bool) {
	had = new(atomic.Bool)
	waiting, end := make(chan bool), make(chan bool)
	go func() {
		defer close(end)
		close(waiting)
		g.Acquire()
		had.Store(true)
		g.Release()
	}()
	<-waiting
	return had, end
}

// Acquire waits for Release, and Release lets in one that waits.
func TestReleaseLetsIn(t *testing.T) {
	harness.Test(t)
	g := gil.NewGIL(time.Hour)
	require.NotNil(t, g, "NewGIL returned no lock")
	for range 3 {
		g.Acquire()
		had, ended := contend(g)
		for range 100 {
			burn(50 * time.Microsecond)
			runtime.Gosched()
		}
		early := had.Load()
		g.Release()
		<-ended
		require.False(t, early, "Acquire returned while the lock was held")
	}
}

// A holder that only ever calls Checkpoint loses the lock to one that has waited
// for the switch interval, and gets it back.
func TestCheckpointHandsOver(t *testing.T) {
	harness.Test(t)
	g := gil.NewGIL(time.Millisecond)
	require.NotNil(t, g, "NewGIL returned no lock")
	g.Acquire()
	had, ended := contend(g)
	for i := 0; i < 5_000 && !had.Load(); i++ {
		burn(100 * time.Microsecond)
		g.Checkpoint()
	}
	handedOver, switches := had.Load(), g.Switches()
	g.Release()
	<-ended
	require.True(t, handedOver, "the holder of the lock called Checkpoint again and again, and nobody else got the lock")
	assert.Positive(t, switches, "Switches did not count that the lock changed hands")
	assert.LessOrEqual(t, switches, 2, "the lock went to the other one and back, and Switches counted more")
}

// Before the switch interval is over, Checkpoint keeps the lock.
func TestCheckpointKeeps(t *testing.T) {
	harness.Test(t)
	g := gil.NewGIL(time.Hour)
	require.NotNil(t, g, "NewGIL returned no lock")
	g.Acquire()
	had, ended := contend(g)
	for range 500 {
		burn(50 * time.Microsecond)
		g.Checkpoint()
	}
	early := had.Load()
	g.Release()
	<-ended
	require.False(t, early, "Checkpoint handed the lock over before the other one had waited for the switch interval")
}

// All ways come to the same result.
func TestSameSum(t *testing.T) {
	harness.Test(t)
	random := harness.Rand(t)
	for _, units := range []int{0, 1, 2, 100 + random.IntN(400)} {
		for _, way := range []gil.Way{gil.Sequential, gil.Threads, gil.Goroutines, gil.Processes} {
			for _, workers := range []int{1, 3} {
				out, err := gil.Run(context.Background(), way, gil.Task{Name: "mix", Units: units}, workers)
				require.NoError(t, err, "Run failed")
				assert.Equal(t, sumOf(units), out.Sum, "%d %v made another sum of %d units", workers, way, units)
			}
		}
	}
}

// Under the lock no two threads are at work at one moment, though each of them
// gets its turns.
func TestThreadsTakeTurns(t *testing.T) {
	harness.Test(t)
	const workers, units = 2, 1000
	r := newRecord(t, workers, workers)
	out, err := gil.Run(context.Background(), gil.Threads, gil.Task{Name: "test-watched", Units: units}, workers)
	require.NoError(t, err, "Run failed")
	assert.Equal(t, sumOf(units), out.Sum, "Run made another sum")
	assert.EqualValues(t, units, r.count(done), "units were done twice, or not at all")
	require.EqualValues(t, 1, r.count(most), "two threads were at work at one moment, in spite of the lock")
	assert.GreaterOrEqual(t, r.count(turns), int64(4), "one thread did all its units before the next one got the lock")
	assert.Positive(t, out.Switches, "the outcome did not count that the lock changed hands")
	assert.Zero(t, r.count(moved), "a worker changed the thread that it was on: a thread of the operating system is always the same one")
	// Between two switches one thread waits for an interval; at its end each gives the
	// lock away.
	assert.LessOrEqual(t, out.Switches, int(out.Wall/gil.SwitchInterval)+workers, "the lock changed hands more often than once in a switch interval, in %v", out.Wall)
}

// Without the lock as many are at work as there are processors.
func TestGoroutinesRunTogether(t *testing.T) {
	harness.Test(t)
	workers := max(2, min(4, runtime.NumCPU()))
	goal := min(workers, runtime.NumCPU(), runtime.GOMAXPROCS(0))
	r := newRecord(t, workers, goal)
	out := runTogether(t, gil.Goroutines, r)
	assert.Zero(t, out.Switches, "goroutines without the lock switched it")
}

// So are processes, and all the work is theirs.
func TestProcessesRunTogether(t *testing.T) {
	harness.Test(t)
	workers := max(2, min(4, runtime.NumCPU()))
	r := newRecord(t, workers, min(workers, runtime.NumCPU()))
	runTogether(t, gil.Processes, r)
	assert.Zero(t, r.count(foreign), "the test's own process did units that were the processes' work")
}

// No process begins a unit before the last of them is there.
func TestBeginTogether(t *testing.T) {
	harness.Test(t)
	const workers = 8
	r := newRecord(t, workers, workers)
	out, err := gil.Run(context.Background(), gil.Processes, gil.Task{Name: "test-together", Units: workers}, workers)
	require.NoError(t, err, "Run failed")
	assert.Equal(t, sumOf(workers), out.Sum, "Run made another sum")
	require.EqualValues(t, workers, r.count(begun), "another number of processes did units than was asked for")
	assert.Zero(t, r.count(early), "units were begun while not all processes had been")
}

// runTogether asserts that as many workers as the goal of r were at work at one
// moment, by the word of the kernel where it can be had.
func runTogether(t *testing.T, way gil.Way, r *record) gil.Outcome {
	t.Helper()
	units := r.workers * 400
	out, err := gil.Run(context.Background(), way, gil.Task{Name: "test-watched", Units: units}, r.workers)
	require.NoError(t, err, "Run failed")
	assert.Equal(t, sumOf(units), out.Sum, "Run made another sum")
	assert.EqualValues(t, units, r.count(done), "units were done twice, or not at all")
	require.GreaterOrEqual(t, r.count(running), int64(r.goal), "fewer than %d workers were running at one moment (at work: %d)", r.goal, r.count(most))
	return out
}

// Processor time is burnt where the outcome says, and where the kernel says.
func TestCPU(t *testing.T) {
	harness.Test(t)
	const workers, units = 2, 100
	const work = units * unitCPU
	for _, way := range []gil.Way{gil.Sequential, gil.Threads, gil.Goroutines, gil.Processes} {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			self, children := usage(t, unix.RUSAGE_SELF), usage(t, unix.RUSAGE_CHILDREN)
			out, err := gil.Run(context.Background(), way, gil.Task{Name: "test-burn", Units: units}, workers)
			require.NoError(t, err, "Run failed")
			self, children = usage(t, unix.RUSAGE_SELF)-self, usage(t, unix.RUSAGE_CHILDREN)-children
			// The kernel may round a process's time to its ticks of 10 ms.
			const slack = work / 5
			if way == gil.Processes {
				assert.GreaterOrEqual(t, children+slack, work, "the processes did not do the work")
				assert.InDelta(t, children, out.ChildCPU, float64(slack), "ChildCPU was not what the kernel had counted")
			} else {
				assert.GreaterOrEqual(t, self+slack, work, "this process did not do the work")
				assert.Zero(t, out.ChildCPU, "there were no worker processes to burn any time")
			}
			assert.InDelta(t, self, out.CPU, float64(slack), "CPU was not what the kernel had counted")
		})
	}
}

// Memory is what the workers had at most, all of them together.
func TestMemory(t *testing.T) {
	harness.Test(t)
	const workers = 3
	task := gil.Task{Name: "mix", Units: workers}
	light, err := gil.Run(context.Background(), gil.Processes, task, workers)
	require.NoError(t, err, "Run failed")
	task.Name = "test-heavy"
	heavy, err := gil.Run(context.Background(), gil.Processes, task, workers)
	require.NoError(t, err, "Run failed")
	assert.InEpsilon(t, workers*heavyBytes, heavy.Memory-light.Memory, 0.5, "%d workers needed %d bytes, and %d with %d more in each", workers, light.Memory, heavy.Memory, heavyBytes)
}

func usage(t *testing.T, who int) time.Duration {
	t.Helper()
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(who, &u), "Getrusage failed")
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What nobody can do is refused.
func TestRunRefuses(t *testing.T) {
	harness.Test(t)
	good := gil.Task{Name: "mix", Units: 3}
	for _, way := range parallel {
		_, err := gil.Run(context.Background(), way, good, 5)
		require.NoError(t, err, "Run refused more workers than units")
		_, err = gil.Run(context.Background(), way, good, 0)
		assert.Error(t, err, "Run accepted to have no worker")
		_, err = gil.Run(context.Background(), way, gil.Task{Name: "mix", Units: -1}, 1)
		assert.Error(t, err, "Run accepted less than no units")
		_, err = gil.Run(context.Background(), way, gil.Task{Name: "nobody's", Units: 1}, 1)
		assert.Error(t, err, "Run accepted work that is not registered")
	}
	_, err := gil.Run(context.Background(), gil.PythonThreads, good, 1)
	assert.Error(t, err, "Run accepted a way that it does not have")
}
