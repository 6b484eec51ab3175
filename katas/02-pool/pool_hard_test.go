package pool_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

func init() { reexec.Register("pool-test-parent", parent) }

func TestTaskErrors(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	got, err := pool.Map(t.Context(), p, evenOnly, []int{0, 1, 2, 3, 4, 5, 6})
	errs := failures(t, err)
	require.Len(t, errs, 3, "Map did not return one error for each of three tasks that had failed")
	for _, i := range []int{1, 3, 5} {
		assert.EqualError(t, errs[i], fmt.Sprintf("%d: odd", i), "Map returned another error for task %d than that of the task", i)
	}
	require.Len(t, got, 7, "Map did not return one result for each input")
	for _, i := range []int{0, 2, 4, 6} {
		assert.Equal(t, i, got[i], "Map returned a wrong result for task %d, which had not failed", i)
	}
}

var panicky = pool.Register("panicky", func(n int) (int, error) {
	switch n {
	case 3:
		panic("three is too many")
	case 5:
		var none []int
		return none[n], nil
	}
	return n, nil
})

func TestTaskPanics(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	before := workers(t, p, 2)
	got, err := pool.Map(t.Context(), p, panicky, []int{1, 2, 3, 4, 5, 6})
	errs := failures(t, err)
	require.Len(t, errs, 2, "Map did not return one error for each of two tasks that had panicked")
	for _, c := range []struct {
		i    int
		want string
	}{{2, "three is too many"}, {4, "index out of range"}} {
		var panicked *pool.PanicError
		require.ErrorAs(t, errs[c.i], &panicked, "Map returned no *PanicError for task %d, which had panicked", c.i)
		assert.Contains(t, panicked.Value, c.want, "the *PanicError of task %d did not tell what it had panicked with", c.i)
		assert.Contains(t, panicked.Stack, "pool_hard_test.go", "the *PanicError of task %d did not tell where it had panicked", c.i)
	}
	require.Len(t, got, 6, "Map did not return one result for each input")
	for _, i := range []int{0, 1, 3, 5} {
		assert.Equal(t, i+1, got[i], "Map returned a wrong result for task %d, which had not panicked", i)
	}
	assert.Equal(t, before, workers(t, p, 2), "a panic cost a worker")
}

var leaver = pool.Register("leaver", func(n int) (int, error) {
	if n%2 != 0 {
		runtime.Goexit()
	}
	return os.Getpid(), nil
})

// The third way out of a function: its goroutine ends, as after t.FailNow.
func TestTaskEndsGoroutine(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	before := workers(t, p, 2)
	got, err := pool.Map(t.Context(), p, leaver, []int{0, 1, 2, 3, 4, 6})
	errs := failures(t, err)
	require.Len(t, errs, 2, "Map did not return one error for each of two tasks that had ended their goroutine")
	for _, i := range []int{1, 3} {
		assert.ErrorIs(t, errs[i], pool.ErrGoexit, "Map did not return ErrGoexit for task %d, which had ended its goroutine", i)
	}
	require.Len(t, got, 6, "Map did not return one result for each input")
	for _, i := range []int{0, 2, 4, 5} {
		assert.True(t, before[got[i]], "Map returned a wrong result for task %d, which had ended well", i)
	}
	assert.Equal(t, before, workers(t, p, 2), "a task that had ended its goroutine cost a worker")
}

func TestWorkersReplaced(t *testing.T) {
	harness.Test(t)
	p := newPoolWith(t, pool.Options{Workers: 2, MaxTasks: 3})
	results, err := pool.Map(t.Context(), p, act, plain(0, 11))
	require.NoError(t, err, "Map returned an error, though no task had failed")
	tasks := map[int]int{}
	for i, r := range results {
		require.Equal(t, i*i, r.N, "Map returned a wrong result for task %d", i)
		tasks[r.PID]++
	}
	for pid, n := range tasks {
		assert.LessOrEqual(t, n, 3, "worker %d was not replaced after 3 tasks", pid)
	}
	assert.GreaterOrEqual(t, len(tasks), 4, "fewer workers did 11 tasks than it takes with 3 each")

	// Of one worker it is known which tasks it does, in whichever Map.
	alone := newPoolWith(t, pool.Options{Workers: 1, MaxTasks: 3})
	var pids []int
	for _, n := range []int{2, 5} {
		results, err := pool.Map(t.Context(), alone, act, plain(1, n))
		require.NoError(t, err, "Map returned an error, though no task had failed")
		for _, r := range results {
			pids = append(pids, r.PID)
		}
	}
	require.Len(t, pids, 7, "Map did not return one result for each input")
	var runs []int // tasks in a row of one process
	for i, pid := range pids {
		if i == 0 || pid != pids[i-1] {
			runs = append(runs, 0)
		}
		runs[len(runs)-1]++
	}
	assert.Equal(t, []int{3, 3, 1}, runs, "a worker that is to be replaced after 3 tasks did another number of 7")
}

// A worker is killed in the middle of its task, which no other task notices. What the
// task had started lives on.
func TestWorkerKilled(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 3)
	before := workers(t, p, 3)
	s := newStage(t)
	path, _ := s.gate()
	parts := plain(0, 9)
	parts[4].Here, parts[4].Name, parts[4].Gate = s.here, "victim", path
	var there, gone func()
	parts[4].Left, there, gone = s.bystander()
	s.run(p, parts)
	victim := s.arrivals(1)["victim"]
	there()
	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL), "the test could not kill a worker")
	results, err := s.end()
	errs := failures(t, err)
	require.Len(t, errs, 1, "Map did not return one error, for the one task whose worker had been killed")
	require.ErrorIs(t, errs[4], pool.ErrWorkerLost, "Map did not return ErrWorkerLost for the task whose worker had been killed")
	require.Len(t, results, 10, "Map did not return one result for each input")
	for i, r := range results {
		if i != 4 {
			assert.Equal(t, i*i, r.N, "Map returned a wrong result for task %d, whose worker nobody had killed", i)
		}
	}
	assert.False(t, exists(victim), "Map returned, and nobody had waited for the worker that was killed")

	after := workers(t, p, 3) // another one has come in its place
	assert.False(t, after[victim], "a worker that had been killed took a task")
	kept := 0
	for pid := range after {
		if before[pid] {
			kept++
		}
	}
	assert.Equal(t, 2, kept, "a worker that nobody had killed did not go on")
	gone()
}

// Nobody is hurt when a worker dies that has no task, not even if a process lives
// on that an earlier task had started.
func TestIdleWorkerKilled(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	s := newStage(t)
	path, gate := s.gate()
	other := newStage(t) // its FIFO is for the worker that shall live
	left, there, gone := s.bystander()
	s.run(p, []part{
		{Here: s.here, Name: "victim", Gate: path, Left: left},
		{Here: other.here, Name: "other", Gate: path},
	})
	victim, survivor := s.arrivals(1)["victim"], other.arrivals(1)["other"]
	there()
	gate.Close()
	_, err := s.end()
	require.NoError(t, err, "Map returned an error, though no task had failed")

	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL), "the test could not kill a worker")
	waitEnded(t, victim)
	got, err := pool.Map(t.Context(), p, pool.Square, []int{1, 2, 3, 4})
	require.NoError(t, err, "a worker that had no task was killed, and a later task failed")
	assert.Equal(t, []int{1, 4, 9, 16}, got, "Map did not return the squares of its inputs after a worker that had no task was killed")
	after := workers(t, p, 2)
	assert.False(t, after[victim], "a worker that had been killed took a task")
	assert.True(t, after[survivor], "a worker that nobody had killed did not go on")
	gone()
}

var exit = pool.Register("exit", func(code int) (int, error) {
	if code >= 0 {
		os.Exit(code)
	}
	return code, nil
})

// A task ends its own process, even with the code of success.
func TestTaskEndsWorker(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	got, err := pool.Map(t.Context(), p, exit, []int{-1, 0, -2, 3, -3})
	require.ErrorIs(t, err, pool.ErrWorkerLost, "Map did not return ErrWorkerLost, though two tasks had ended their workers")
	errs := failures(t, err)
	require.Len(t, errs, 2, "Map did not return one error for each of two tasks that had ended their workers")
	assert.ErrorIs(t, errs[1], pool.ErrWorkerLost, "Map did not return ErrWorkerLost for a task that had ended its worker with 0")
	assert.ErrorIs(t, errs[3], pool.ErrWorkerLost, "Map did not return ErrWorkerLost for a task that had ended its worker with 3")
	assert.Equal(t, []int{-1, 0, -2, 0, -3}, got, "Map did not return the results of the tasks that had ended well")
	workers(t, p, 2)
}

// The system refuses in the middle: there are not enough descriptors for all
// workers, or for one that is to take the place of another.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	p := newPoolWith(t, pool.Options{Workers: 1, MaxTasks: 1})
	failed := harness.UntilItFits(t, func() error {
		three, err := pool.New(pool.Options{Workers: 3})
		if err == nil {
			return three.Close()
		}
		require.True(t, three == nil, "New returned an error and a pool")
		return err
	}, syscall.EMFILE)
	require.Positive(t, failed, "New had no room for a single descriptor, and returned no error")

	square := func() error {
		got, err := pool.Map(t.Context(), p, pool.Square, []int{2, 3})
		if err == nil {
			assert.Equal(t, []int{4, 9}, got, "Map did not return the squares of its inputs")
		}
		return err
	}
	harness.UntilItFits(t, square, syscall.EMFILE)
	require.NoError(t, square(), "there was room again, but the pool did not recover")
}

// parent is a process that has a pool of two workers, both in the middle of a task.
func parent() {
	parts := make([]part, 2)
	for i := range parts {
		parts[i] = part{Here: os.Args[1], Keep: true, Name: fmt.Sprint(i), Gate: os.Args[2]}
	}
	p, err := pool.New(pool.Options{Workers: 2})
	if err == nil {
		_, err = pool.Map(context.Background(), p, act, parts)
	}
	fmt.Fprintln(os.Stderr, "the parent that was to be killed ended:", err)
	os.Exit(1)
}

func TestParentKilled(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	path, _ := s.gate()
	cmd := exec.Command(reexec.Self())
	cmd.Args = []string{"pool-test-parent", s.here, path}
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start(), "the test could not start a process")
	s.play(func() ([]squared, error) { return nil, cmd.Wait() })
	pids := s.arrivals(2)
	for _, pid := range pids {
		assert.NotEqual(t, cmd.Process.Pid, pid, "a task ran in the process that made the pool")
	}
	require.NoError(t, cmd.Process.Kill(), "the test could not kill a process")
	_, _ = s.end()
	s.lastWords() // of both, in the middle of their tasks
}
