package pool_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

// The objective itself: the squares of 1 to 10, by a pool of four workers.
func TestSquares(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 4)
	got, err := pool.Map(t.Context(), p, pool.Square, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	require.NoError(t, err, "Map returned an error, though no task had failed")
	assert.Equal(t, []int{1, 4, 9, 16, 25, 36, 49, 64, 81, 100}, got, "Map did not return the squares of its inputs")
}

// The last task ends first, and the first last.
func TestResultsInOrder(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 3)
	s := newStage(t)
	var parts []part
	for i := range 3 {
		path, _ := s.gate()
		parts = append(parts, part{Here: s.here, Name: fmt.Sprint(i), Gate: path, N: i})
	}
	// One task each for the workers that become free, to know that they have.
	for i := 3; i < 6; i++ {
		parts = append(parts, part{Here: s.here, Name: fmt.Sprint(i), N: i})
	}
	s.run(p, parts)
	s.arrivals(3)
	s.gates[2].Close()
	s.arrivals(3) // one worker did the three others
	s.gates[1].Close()
	s.gates[0].Close()
	results, err := s.end()
	require.NoError(t, err, "Map returned an error, though no task had failed")
	var got []int
	for _, r := range results {
		got = append(got, r.N)
	}
	assert.Equal(t, []int{0, 1, 4, 9, 16, 25}, got, "Map did not return the results in the order of the inputs")
}

func TestNoInputs(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	for _, inputs := range [][]int{nil, {}} {
		got, err := pool.Map(t.Context(), p, pool.Square, inputs)
		require.NoError(t, err, "Map returned an error, though it had no inputs")
		assert.Empty(t, got, "Map returned results, though it had no inputs")
	}
	got, err := pool.Map(t.Context(), p, pool.Square, []int{3, 4}) // and the pool goes on
	require.NoError(t, err, "Map returned an error, though no task had failed")
	assert.Equal(t, []int{9, 16}, got, "Map did not return the squares of its inputs, after one that had no inputs")
}

// who squares a number and says which process did: a task as small as that, since
// most of the time of ten thousand is the way there and back.
var who = pool.Register("who", func(n int) ([]int, error) {
	return []int{n * n, os.Getpid()}, nil
})

func TestTenThousandInputs(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 4)
	pids := map[int]bool{}
	for _, n := range []int{50, 10_000} {
		inputs := make([]int, n)
		for i := range inputs {
			inputs[i] = i
		}
		results, err := pool.Map(t.Context(), p, who, inputs)
		require.NoError(t, err, "Map returned an error, though no task had failed")
		require.Equal(t, n, len(results), "Map did not return one result for each input")
		for i, r := range results {
			if len(r) != 2 || r[0] != i*i {
				require.FailNow(t, "wrong result", "result %d was %v, not %d", i, r, i*i)
			}
			pids[r[1]] = true
		}
		require.LessOrEqual(t, len(pids), 4, "more worker processes took part than a pool of 4 has, in %d tasks", n)
		require.False(t, pids[os.Getpid()], "tasks ran in the parent's own process")
	}
}

// As many tasks as workers: each waits until all have begun. And again, with the
// same workers, which were all there before the first task.
func TestTasksOverlap(t *testing.T) {
	harness.Test(t)
	t.Setenv(born, "in New")
	p := newPool(t, 4)
	t.Setenv(born, "after New") // a process gets the environment of its start
	first := map[int]bool{}
	for _, r := range meet(t, p, 4) {
		first[r.PID] = true
		assert.NotEqual(t, "after New", r.Born, "New returned before it had started worker %d", r.PID)
	}
	second := workers(t, p, 4)
	assert.Equal(t, first, second, "other workers did the second Map than the first")
}

func TestFewInputs(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 4)
	_, err := pool.Map(t.Context(), p, pool.Square, nil)
	require.NoError(t, err, "Map returned an error, though it had no inputs")
	got, err := pool.Map(t.Context(), p, pool.Square, []int{7})
	require.NoError(t, err, "Map returned an error, though no task had failed")
	assert.Equal(t, []int{49}, got, "Map did not return the square of its one input")
	workers(t, p, 4) // none is lost
}

// More workers than anybody has processors, and than a bound of 64 would let in.
func TestManyWorkers(t *testing.T) {
	harness.Test(t)
	const many = 72
	p := newPool(t, many)
	workers(t, p, many)
}

// While one Map waits, another one goes on.
func TestMapsSideBySide(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	s := newStage(t)
	path, gate := s.gate()
	s.run(p, []part{{Here: s.here, Name: "slow", Gate: path, N: 3}})
	s.arrivals(1)
	got, err := pool.Map(t.Context(), p, pool.Square, []int{1, 2, 3, 4})
	require.NoError(t, err, "Map returned an error, though no task had failed")
	assert.Equal(t, []int{1, 4, 9, 16}, got, "Map did not return the squares of its inputs, while another Map waited")
	gate.Close()
	results, err := s.end()
	require.NoError(t, err, "Map returned an error, though no task had failed")
	require.Len(t, results, 1, "Map did not return one result for each input")
	assert.Equal(t, 9, results[0].N, "Map did not return the square of its one input, when another Map had gone on beside it")
}

// The processor time of this process and of its ended children tells who worked.
func TestWorkInChildren(t *testing.T) {
	harness.Test(t)
	p, closePool := newPoolToClose(t, 2)
	self, children := cpu(t, syscall.RUSAGE_SELF), cpu(t, syscall.RUSAGE_CHILDREN)
	const rounds = 20_000_000
	want, err := pool.Burn.Func(1)
	require.NoError(t, err, "the test could not run a task in its own process")
	got, err := pool.Map(t.Context(), p, pool.Burn, []int{1, rounds, rounds, rounds, rounds})
	require.NoError(t, err, "Map returned an error, though no task had failed")
	require.NoError(t, closePool(), "Close returned an error")
	require.Len(t, got, 5, "Map did not return one result for each input")
	assert.Equal(t, want, got[0], "a task had another result in a worker than in this process")
	self, children = cpu(t, syscall.RUSAGE_SELF)-self, cpu(t, syscall.RUSAGE_CHILDREN)-children
	assert.Less(t, self, children/2, "the parent, which had nothing to compute, used more than half as much processor time as its workers")
}

func cpu(t *testing.T, who int) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(who, &u), "the test could not read how much processor time was used")
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestSizeRefused(t *testing.T) {
	harness.Test(t)
	newPool(t, 1)
	for _, opts := range []pool.Options{{}, {Workers: 1, MaxTasks: -1}, {Workers: -1}} {
		p, err := pool.New(opts)
		if p != nil {
			t.Cleanup(func() { _ = p.Close() })
		}
		require.Error(t, err, "New made a pool of %d workers with at most %d tasks", opts.Workers, opts.MaxTasks)
		require.True(t, p == nil, "New returned a pool with an error, for %d workers with at most %d tasks", opts.Workers, opts.MaxTasks)
	}
}

func TestClose(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 3)
	pids := workers(t, p, 3)
	require.NoError(t, p.Close(), "Close returned an error")
	for pid := range pids {
		assert.False(t, exists(pid), "Close returned before worker %d had ended and been waited for", pid)
	}
	require.NoError(t, p.Close(), "the second Close returned an error")
	got, err := pool.Map(t.Context(), p, pool.Square, []int{1})
	require.ErrorIs(t, err, pool.ErrClosed, "Map in a closed pool did not return ErrClosed")
	assert.Empty(t, got, "Map in a closed pool returned results")
}
