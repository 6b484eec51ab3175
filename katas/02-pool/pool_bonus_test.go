package pool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

// logged notes who ran it and how long, in a file, and returns its length.
var logged = pool.Register("logged", func(path string) (int, error) {
	start := time.Now()
	burnt, err := pool.Burn.Func(200_000)
	if err != nil || burnt == 0 {
		return 0, errors.New("no work was done")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%d:%d\n", os.Getpid(), time.Since(start))
	return len(path), err
})

// whoami has another result in each process.
var whoami = pool.Register("whoami", func(int) (int, error) { return os.Getpid(), nil })

// abroad fails in the process with this ID, and athome in any other.
var abroad = pool.Register("abroad", func(pid int) (int, error) {
	if os.Getpid() == pid {
		return 0, errors.New("at home")
	}
	return pid, nil
})

var athome = pool.Register("athome", func(pid int) (int, error) {
	if os.Getpid() != pid {
		return 0, errors.New("abroad")
	}
	return pid, nil
})

var errOdd = errors.New("odd")

var evenOnly = pool.Register("even-only", func(n int) (int, error) {
	if n%2 != 0 {
		return 0, fmt.Errorf("%d: %w", n, errOdd)
	}
	return n, nil
})

var oddOnly = pool.Register("odd-only", func(n int) (int, error) {
	if n%2 == 0 {
		return 0, fmt.Errorf("%d is even", n)
	}
	return n, nil
})

// Both runs do the real work, which the tasks themselves write down.
func TestCompare(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600), "the test could not write a file")
	inputs := []string{path, path, path, path, path, path}
	start := time.Now()
	c, err := pool.Compare(t.Context(), p, logged, inputs)
	both := time.Since(start)
	require.NoError(t, err, "Compare returned an error, though no task had failed")

	var here, there int
	var alone time.Duration // in the tasks of the sequential run
	for _, line := range lines(t, path) {
		var pid int
		var took time.Duration
		_, err := fmt.Sscanf(line, "%d:%d", &pid, &took)
		require.NoError(t, err, "a task wrote a damaged line: %q", line)
		if pid == os.Getpid() {
			here++
			alone += took
		} else {
			there++
		}
	}
	assert.Equal(t, 6, here, "Compare did not run each task once in this process")
	assert.Equal(t, 6, there, "Compare did not run each task once in a worker")
	assert.Equal(t, 6, c.Tasks, "Compare told another number of tasks")
	assert.Equal(t, 2, c.Workers, "Compare told another number of workers")
	assert.GreaterOrEqual(t, c.Sequential, alone, "Compare told a shorter time for the sequential run than its tasks took")
	assert.Positive(t, c.Parallel, "Compare told no time for the parallel run")
	assert.LessOrEqual(t, c.Sequential+c.Parallel, both, "Compare told a longer time for the two runs than it took itself")
	assert.InDelta(t, float64(c.Sequential)/float64(c.Parallel), c.Speedup, 1e-9, "Compare told another speedup than the quotient of the two times")
}

func TestCompareErrors(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	c, err := pool.Compare(t.Context(), p, pool.Square, []int{1, 2, 3})
	require.NoError(t, err, "Compare returned an error, though no task had failed")
	assert.Equal(t, 3, c.Tasks, "Compare told another number of tasks")

	_, err = pool.Compare(t.Context(), p, whoami, []int{1, 2, 3})
	require.ErrorIs(t, err, pool.ErrDifferent, "Compare did not return ErrDifferent, though the two runs had different results")

	_, err = pool.Compare(t.Context(), p, evenOnly, []int{0, 2, 5})
	var failed *pool.TaskError
	require.ErrorAs(t, err, &failed, "Compare did not return the *TaskError of a task that had failed")
	assert.Equal(t, 2, failed.Index, "Compare returned the error of another task than the one that had failed")

	self := os.Getpid()
	_, err = pool.Compare(t.Context(), p, abroad, []int{self, self})
	require.ErrorAs(t, err, &failed, "Compare did not return the *TaskError of a task that had failed in the sequential run alone")
	require.ErrorContains(t, err, "at home", "Compare did not return the error of the task")
	_, err = pool.Compare(t.Context(), p, athome, []int{self, self})
	require.ErrorAs(t, err, &failed, "Compare did not return the *TaskError of a task that had failed in the parallel run alone")
	require.ErrorContains(t, err, "abroad", "Compare did not return the error of the task")
}

// A table for a task that is too light for processes and one that is heavy.
func TestSweep(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	sizes := []int{1_000, 1, 1_000_000}
	rows, err := pool.Sweep(t.Context(), p, pool.Burn, 4, sizes...)
	require.NoError(t, err, "Sweep returned an error, though no task had failed")
	require.Len(t, rows, len(sizes), "Sweep did not return one row for each size")
	for i, row := range rows {
		t.Logf("%9s rounds: sequential %10v  parallel %10v  speedup %5.2f", strconv.Itoa(row.Size), row.Sequential, row.Parallel, row.Speedup)
		assert.Equal(t, sizes[i], row.Size, "Sweep returned the rows in another order than that of the sizes, or with other sizes")
		assert.Equal(t, 4, row.Tasks, "Sweep compared another number of tasks of size %d", row.Size)
		assert.Positive(t, row.Sequential, "Sweep told no time for the sequential run of size %d", row.Size)
		assert.Positive(t, row.Parallel, "Sweep told no time for the parallel run of size %d", row.Size)
	}

	rows, err = pool.Sweep(t.Context(), p, oddOnly, 4, 1, 3)
	require.NoError(t, err, "Sweep gave the tasks other inputs than the sizes, which were all odd")
	assert.Len(t, rows, 2, "Sweep did not return one row for each size")

	rows, err = pool.Sweep(t.Context(), p, evenOnly, 4, 2, 4, 5, 6)
	require.Error(t, err, "Sweep returned no error, though the tasks of one size had failed")
	assert.Len(t, rows, 2, "Sweep did not return the rows of the sizes before the one whose tasks had failed")
}

func TestBreakEven(t *testing.T) {
	harness.Test(t)
	row := func(size int, speedup float64) pool.Comparison {
		return pool.Comparison{Size: size, Speedup: speedup}
	}
	for _, test := range []struct {
		name string
		rows []pool.Comparison
		size int
		ok   bool
	}{
		{"no rows", nil, 0, false},
		{"processes never pay", []pool.Comparison{row(1, .1), row(10, .9), row(100, 1)}, 0, false},
		{"processes always pay", []pool.Comparison{row(1, 1.1), row(10, 1.9)}, 1, true},
		{"they pay from a size on", []pool.Comparison{row(1, .1), row(10, .9), row(100, 1.5), row(1000, 1.9)}, 100, true},
		{"a stroke of luck below", []pool.Comparison{row(1, .1), row(10, 1.2), row(100, .9), row(1000, 1.9)}, 1000, true},
		{"in any order", []pool.Comparison{row(1000, 1.9), row(1, .1), row(100, 1.5), row(10, .9)}, 100, true},
	} {
		size, ok := pool.BreakEven(test.rows)
		assert.Equal(t, test.ok, ok, "BreakEven was wrong about whether there is such a size (%s)", test.name)
		assert.Equal(t, test.size, size, "BreakEven did not return the least size from which on the workers were faster (%s)", test.name)
	}
}
