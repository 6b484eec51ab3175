package async_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

// A second of work, none of which may lie between call and return.
const long = time.Second

func TestApplyReturnsBeforeTheTaskEnds(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, work, long)
	require.NoError(t, err, "Apply failed")
	assert.False(t, r.Ready(), "Apply returned only after the task had ended")
}

func TestMapReturnsBeforeTheTasksEnd(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Map(p, work, []time.Duration{long / 2, long / 2}, 1)
	require.NoError(t, err, "Map failed")
	assert.False(t, r.Ready(), "Map returned only after the tasks had ended")
}

func TestResultFollowsItsTask(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	player := s.next()

	// The task is on the stage: it has begun and not ended.
	assert.False(t, r.Ready(), "Ready was true before the task had ended")
	ok, err := r.Successful()
	assert.ErrorIs(t, err, async.ErrNotReady, "Successful did not tell that the result was not there yet")
	assert.False(t, ok, "Successful was true before the task had ended")
	player.leave("applause")

	require.NoError(t, r.Wait(background), "Wait failed")
	assert.True(t, r.Ready(), "Ready was false after Wait had returned")
	ok, err = r.Successful()
	require.NoError(t, err, "Successful failed")
	assert.True(t, ok, "Successful was false, but the task had returned no error")
	for range 2 {
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, "applause", got, "Get returned another value than the task")
	}
	finish(t, p)
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
	finish(t, p)
}

func TestResultsOutOfOrderInTime(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 3), newStage(t)
	names := []string{"first", "second", "third"}
	results := map[string]*async.Result[string]{}
	for _, name := range names {
		r, err := async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
		results[name] = r
	}
	players := s.cast(3)
	// They end in the other order, each only when the one before was seen.
	for i := len(names) - 1; i >= 0; i-- {
		name := names[i]
		players[name].leave("value of " + name)
		got, err := results[name].Get(background)
		require.NoError(t, err, "Get failed")
		require.Equal(t, "value of "+name, got, "Get returned another value than the task")
		for _, earlier := range names[:i] {
			require.False(t, results[earlier].Ready(), "the %s task's result was ready before it had ended", earlier)
		}
	}
	finish(t, p)
}

func TestMapKeepsTheOrder(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	for _, c := range []struct{ tasks, chunk int }{
		{1000, 7}, {1000, 1000}, {1000, 5000}, {1000, 0}, {20, 1}, {7, 3}, {1, 0}, {0, 0}, {0, 4},
	} {
		args, want := make([]int, c.tasks), make([]int, c.tasks)
		for i := range args {
			args[i], want[i] = i, 2*i
		}
		r, err := async.Map(p, double, args, c.chunk)
		require.NoError(t, err, "Map failed")
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		require.Equal(t, want, got, "Map returned wrong values, or in another order: %d tasks in chunks of %d", c.tasks, c.chunk)
	}
	finish(t, p)
}

func TestMapSendsWholeChunks(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 2), newStage(t)
	// Chunks of three: "a", a task that returns at once, and "b". While one
	// worker has "a" on the stage, the other is free to take what it gets.
	r, err := async.Map(p, duet, []role{s.role("a"), {}, s.role("b")}, 3)
	require.NoError(t, err, "Map failed")
	a := s.next()
	require.Equal(t, "a", a.name, "a task began before an earlier one of its chunk had ended")
	a.leave("")
	s.next().leave("")
	pids, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, []int{a.pid, a.pid, a.pid}, pids, "the tasks of one chunk ran in different processes")

	// Chunks of two. "a" and "b" meet on the stage.
	r, err = async.Map(p, duet, []role{s.role("a"), {}, s.role("b"), {}}, 2)
	require.NoError(t, err, "Map failed")
	for _, player := range s.cast(2) {
		player.leave("")
	}
	pids, err = r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, pids[0], pids[1], "the tasks of one chunk ran in different processes")
	assert.Equal(t, pids[2], pids[3], "the tasks of one chunk ran in different processes")
	assert.NotEqual(t, pids[0], pids[2], "two chunks met on the stage, but ran in one process")

	// Chunks of one, also when there are many: again "a" and "b" meet.
	many := make([]role, 20)
	many[0], many[1] = s.role("a"), s.role("b")
	r, err = async.Map(p, duet, many, 1)
	require.NoError(t, err, "Map failed")
	for _, player := range s.cast(2) {
		player.leave("")
	}
	require.NoError(t, r.Wait(background), "Wait failed")
	finish(t, p)
}

func TestPoolNeedsAWorker(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1) // one is enough
	r, err := async.Apply(p, double, 21)
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 42, got, "Get returned another value than the task")
	finish(t, p)
	for _, workers := range []int{0, -1} {
		_, err := async.NewPool(workers)
		require.Error(t, err, "NewPool made a pool of %d workers", workers)
	}
}
