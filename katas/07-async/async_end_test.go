package async_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestClosedPoolTakesNoTasks(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, double, 21)
	require.NoError(t, err, "Apply failed")
	p.Close()
	p.Close() // twice is once
	_, err = async.Apply(p, double, 1)
	require.ErrorIs(t, err, async.ErrClosed, "Apply did not tell that the pool was closed")
	_, err = async.Map(p, double, []int{1}, 1)
	require.ErrorIs(t, err, async.ErrClosed, "Map did not tell that the pool was closed")
	_, err = async.Map(p, double, nil, 1)
	require.ErrorIs(t, err, async.ErrClosed, "Map of no arguments did not tell that the pool was closed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed, of a task that was submitted before the pool was closed")
	assert.Equal(t, 42, got, "Get returned another value than the task")
}

func TestJoinOfARunningPool(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	require.ErrorIs(t, p.Join(), async.ErrRunning, "Join did not tell that the pool was neither closed nor terminated")
	r, err := async.Apply(p, double, 21)
	require.NoError(t, err, "Apply failed, after Join had said that the pool was running")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 42, got, "Get returned another value than the task")
}

func TestCloseFinishesWhatWasSubmitted(t *testing.T) {
	harness.Test(t)
	const tasks = 50
	p, s := newPool(t, 1), newStage(t)
	blocked, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	player := s.next()
	results := make([]*async.Result[int], tasks)
	for i := range results {
		results[i], err = async.Apply(p, double, i)
		require.NoError(t, err, "Apply failed")
	}
	joined := make(chan error, 1)
	go func() { joined <- p.Join() }() // at the same time as Close, or after it
	p.Close()
	assert.False(t, blocked.Ready(), "Close ended a task")
	player.leave("done")
	require.NoError(t, p.Join(), "Join failed")
	if err := <-joined; err != nil { // then it came first
		require.ErrorIs(t, err, async.ErrRunning, "Join failed")
	}
	assertGone(t, player.pid)
	// Results stay readable after Join.
	for i, r := range results {
		require.True(t, r.Ready(), "Join returned before task %d was done", i)
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		require.Equal(t, 2*i, got, "a result held another task's value")
	}
	got, err := blocked.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "done", got, "Get returned another value than the task")
}

func TestTerminateEndsEverything(t *testing.T) {
	harness.Test(t)
	const workers, queued = 2, 20
	p, s := newPool(t, workers), newStage(t)
	var failures []error
	note := async.Callbacks[string]{Error: func(err error) { failures = append(failures, err) }}
	var results []*async.Result[string]
	for i := range workers + queued {
		r, err := async.Apply(p, play, s.role(fmt.Sprint(i)), note)
		require.NoError(t, err, "Apply failed")
		results = append(results, r)
	}
	players := s.cast(workers) // the workers are in the middle of their tasks
	p.Terminate()
	_, err := async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrTerminated, "Apply did not tell that the pool was terminated")
	for i, r := range results {
		_, err := r.Get(background)
		require.ErrorIs(t, err, async.ErrTerminated, "Get did not tell that task %d was not done when the pool was terminated", i)
	}
	require.NoError(t, p.Join(), "Join failed")
	for _, player := range players {
		assertGone(t, player.pid)
	}
	assert.Len(t, failures, workers+queued, "not every task's error callback ran exactly once")
	p.Terminate() // after the end: nothing to do
	p.Close()     // and nothing to be revived
	require.NoError(t, p.Join(), "Join failed")
	_, err = async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrTerminated, "Apply did not tell, after Terminate and Close, that the pool was terminated")

	idle := newPool(t, workers)
	idle.Terminate()
	require.NoError(t, idle.Join(), "Join failed of a pool that had never had a task")
}

// Terminate does not wait: a callback that called it would wait for itself.
func TestCallbackMayTerminate(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, double, 1, async.Callbacks[int]{Value: func(int) { p.Terminate() }})
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed, of a result that was there before its callback terminated the pool")
	assert.Equal(t, 2, got, "Get returned another value than the task")
	require.NoError(t, p.Join(), "Join failed")
}
