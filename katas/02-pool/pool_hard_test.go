package pool_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

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
	require.Len(t, errs, 3, "tasks that failed")
	for _, i := range []int{1, 3, 5} {
		assert.EqualError(t, errs[i], fmt.Sprintf("%d: odd", i), "error of task %d", i)
	}
	require.Len(t, got, 7)
	for _, i := range []int{0, 2, 4, 6} {
		assert.Equal(t, i, got[i], "result of task %d, which did not fail", i)
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
	require.Len(t, errs, 2, "tasks that panicked")
	for i, want := range map[int]string{2: "three is too many", 4: "index out of range"} {
		var panicked *pool.PanicError
		require.ErrorAs(t, errs[i], &panicked, "error of task %d, which panicked", i)
		assert.Contains(t, panicked.Value, want)
		assert.Contains(t, panicked.Stack, "pool_hard_test.go", "the stack of the panic")
	}
	require.Len(t, got, 6)
	for _, i := range []int{0, 1, 3, 5} {
		assert.Equal(t, i+1, got[i], "result of task %d, which did not panic", i)
	}
	assert.Equal(t, before, workers(t, p, 2), "a panic was to cost no worker")
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
	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	results, err := s.end()
	errs := failures(t, err)
	require.Len(t, errs, 1, "tasks that failed")
	require.ErrorIs(t, errs[4], pool.ErrWorkerLost, "error of the task whose worker was killed")
	require.Len(t, results, 10)
	for i, r := range results {
		if i != 4 {
			assert.Equal(t, i*i, r.N, "result of task %d", i)
		}
	}
	assert.False(t, exists(victim), "Map returned, and nobody had waited for the worker that was killed")

	after := workers(t, p, 3) // another one has come in its place
	assert.NotContains(t, after, victim)
	kept := 0
	for pid := range after {
		if before[pid] {
			kept++
		}
	}
	assert.Equal(t, 2, kept, "workers that nobody had killed and that went on")
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
	require.NoError(t, err)

	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	waitEnded(t, victim)
	got, err := pool.Map(t.Context(), p, pool.Square, []int{1, 2, 3, 4})
	require.NoError(t, err, "a worker that had no task was killed, and a later task failed")
	assert.Equal(t, []int{1, 4, 9, 16}, got)
	after := workers(t, p, 2)
	assert.NotContains(t, after, victim)
	assert.Contains(t, after, survivor, "the worker that nobody had killed")
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
	require.ErrorIs(t, err, pool.ErrWorkerLost, "two tasks ended their workers")
	errs := failures(t, err)
	require.Len(t, errs, 2, "tasks that failed")
	assert.ErrorIs(t, errs[1], pool.ErrWorkerLost)
	assert.ErrorIs(t, errs[3], pool.ErrWorkerLost)
	assert.Equal(t, []int{-1, 0, -2, 0, -3}, got)
	workers(t, p, 2)
}

// Two tasks are under way and never end, 10,000 are behind them, and more calls of
// Map wait for a worker.
func TestCloseWithQueue(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	s := newStage(t)
	path, _ := s.gate()
	parts := plain(0, 10_001)
	for i := range 2 {
		parts[i] = part{Here: s.here, Name: fmt.Sprint(i), Gate: path}
	}
	s.run(p, parts)
	pids := s.arrivals(2)
	waited := make(chan error, 1)
	go func() {
		_, err := pool.Map(context.Background(), p, pool.Square, []int{1})
		waited <- err
	}()
	// By the end of this call the one before is on its way, or nearly.
	soon, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	got, err := pool.Map(soon, p, pool.Square, []int{1})
	require.ErrorIs(t, err, context.DeadlineExceeded, "Map's context ended when it was waiting for a worker")
	assert.Nil(t, got)
	require.NoError(t, p.Close())
	require.ErrorIs(t, <-waited, pool.ErrClosed, "the pool was closed when Map was waiting for a worker")
	results, err := s.end()
	require.ErrorIs(t, err, pool.ErrClosed, "Map's error after its pool was closed")
	assert.Nil(t, results)
	for _, pid := range pids {
		assert.False(t, exists(pid), "Close returned before worker %d had ended", pid)
	}
}

// The same, but the caller gives up, and the pool goes on.
func TestCancelled(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	s := newStage(t)
	path, _ := s.gate()
	parts := plain(0, 10_001)
	for i := range 2 {
		parts[i] = part{Here: s.here, Name: fmt.Sprint(i), Gate: path}
	}
	s.run(p, parts)
	pids := s.arrivals(2)
	s.cancel()
	results, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Map's error after its context was cancelled")
	assert.Nil(t, results)

	after := workers(t, p, 2)
	for _, pid := range pids {
		assert.NotContains(t, after, pid, "a worker that is in the middle of a task cannot take another one")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a worker is idle, and the context has ended: the choice may be left to chance
		_, err = pool.Map(ctx, p, pool.Square, []int{1})
		require.ErrorIs(t, err, context.Canceled, "Map with a context that had ended before")
	}
	assert.Equal(t, after, workers(t, p, 2), "nothing was begun, so no worker was to be lost")
}

func TestTwoHundredWorkers(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 200)
	workers(t, p, 200)
}

func TestWorkersReplaced(t *testing.T) {
	harness.Test(t)
	p := newPoolWith(t, pool.Options{Workers: 2, MaxTasks: 3})
	results, err := pool.Map(t.Context(), p, act, plain(0, 11))
	require.NoError(t, err)
	tasks := map[int]int{}
	for i, r := range results {
		require.Equal(t, i*i, r.N, "result %d", i)
		tasks[r.PID]++
	}
	for pid, n := range tasks {
		assert.LessOrEqual(t, n, 3, "worker %d was to be replaced after 3 tasks", pid)
	}
	assert.GreaterOrEqual(t, len(tasks), 4, "workers for 12 tasks, 3 each")
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
		require.Nil(t, three, "New returned an error and a pool")
		return err
	}, syscall.EMFILE)
	require.Positive(t, failed, "New had no room for a single descriptor, and returned no error")

	square := func() error {
		got, err := pool.Map(t.Context(), p, pool.Square, []int{2, 3})
		if err == nil {
			assert.Equal(t, []int{4, 9}, got)
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
	require.NoError(t, cmd.Start())
	s.play(func() ([]squared, error) { return nil, cmd.Wait() })
	pids := s.arrivals(2)
	assert.NotContains(t, pids, cmd.Process.Pid)
	require.NoError(t, cmd.Process.Kill())
	_, _ = s.end()
	s.lastWords() // of both, in the middle of their tasks
}
