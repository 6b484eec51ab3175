package async_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

// The objective: tasks are handed over, the program goes on, and collects the results.
func TestSquaresInTheBackground(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 3)
	var results []*async.Result[int]
	for n := range 10 {
		r, err := async.Apply(p, square, n)
		require.NoError(t, err, "Apply failed")
		results = append(results, r)
	}
	for n, r := range results {
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, n*n, got, "Get returned another value than the task")
	}
}

// The task does not end before the test has met it, and the test meets it when Apply has
// returned.
func TestApplyReturnsBeforeTheTaskEnds(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	s.next().leave("applause")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "applause", got, "Get returned another value than the task")
}

func TestWorkersEndWithThePool(t *testing.T) {
	harness.Test(t)
	p, finish := newPoolToFinish(t, 2)
	r, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	worker, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	require.NotEqual(t, os.Getpid(), worker, "the task ran in the parent's own process")
	finish()
	assertGone(t, worker)
}

// assertGone checks that the process has ended and was waited for.
func assertGone(t *testing.T, pid int) {
	t.Helper()
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "Join returned, but worker %d had not been waited for", pid)
}

func TestTasksOverlap(t *testing.T) {
	harness.Test(t)
	const workers = 3
	p, s := newPool(t, workers), newStage(t)
	var results []*async.Result[string]
	for i := range 2 * workers {
		r, err := async.Apply(p, play, s.role(fmt.Sprint(i)))
		require.NoError(t, err, "Apply failed")
		results = append(results, r)
	}
	pids := map[int]bool{}
	for range 2 { // twice as many tasks as workers: each worker plays twice
		players := s.cast(workers)
		for _, name := range slices.Sorted(maps.Keys(players)) {
			pids[players[name].pid] = true
			players[name].leave(name)
		}
	}
	for i, r := range results {
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, fmt.Sprint(i), got, "a result held another task's value")
	}
	assert.Len(t, pids, workers, "the tasks did not run in exactly %d processes", workers)
}

func TestTenThousandOutstanding(t *testing.T) {
	harness.Test(t)
	const tasks = 10_000
	p, s := newPool(t, 2), newStage(t)
	var blocked []*async.Result[string]
	for _, name := range []string{"a", "b"} {
		r, err := async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
		blocked = append(blocked, r)
	}
	players := s.cast(2) // every worker is busy from now on
	results := make([]*async.Result[int], tasks)
	for i := range results {
		var err error
		results[i], err = async.Apply(p, double, i)
		require.NoError(t, err, "Apply failed")
	}
	for _, player := range players {
		player.leave("go")
	}
	for i, r := range results {
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		require.Equal(t, 2*i, got, "a result held another task's value")
	}
	for _, r := range blocked {
		_, err := r.Get(background)
		require.NoError(t, err, "Get failed")
	}
}
