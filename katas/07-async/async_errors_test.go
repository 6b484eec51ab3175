package async_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestTaskErrorKeepsItsText(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	before, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	for _, text := range []string{"no such page", "two\nlines, \"quoted\", 日本語 \x00", strings.Repeat("long ", 50_000), ""} {
		r, err := async.Apply(p, fail, text)
		require.NoError(t, err, "Apply failed")
		require.NoError(t, r.Wait(background), "Wait returned the task's error; that is for Get")
		_, err = r.Get(background)
		var failed *async.TaskError
		require.ErrorAs(t, err, &failed, "the error of a task was no *TaskError")
		assert.Equal(t, text, failed.Text, "the error had another text than in the worker")
		assert.Zero(t, failed.Index, "the error of Apply had an index")
		ok, err := r.Successful()
		require.NoError(t, err, "Successful failed")
		assert.False(t, ok, "Successful was true, but the task had returned an error")
	}
	after, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	first, err := before.Get(background)
	require.NoError(t, err, "Get failed")
	second, err := after.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, first, second, "an error in a task cost a worker")
}

func TestMapErrorNamesItsIndex(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	args := []int{0, 1, 3, 4, 6, 5, 7, 2, 8} // 5, 2 and 8 fail
	for _, chunk := range []int{1, 2, 4, 9} {
		r, err := async.Map(p, third, args, chunk)
		require.NoError(t, err, "Map failed")
		_, err = r.Get(background)
		var failed *async.TaskError
		require.ErrorAs(t, err, &failed, "the error of a task was no *TaskError, in chunks of %d", chunk)
		assert.Equal(t, async.TaskError{Index: 5, Text: "5 is not wanted"}, *failed, "Map did not return the error of the lowest index that failed, in chunks of %d", chunk)
		ok, err := r.Successful()
		require.NoError(t, err, "Successful failed")
		assert.False(t, ok, "Successful was true, but a task had returned an error")
	}
}

func TestPanicIsAnError(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, boom, "out of paper")
	require.NoError(t, err, "Apply failed")
	_, err = r.Get(background)
	var failed *async.TaskError
	require.ErrorAs(t, err, &failed, "a panic in a task was no *TaskError")
	assert.Contains(t, failed.Text, "out of paper", "the error did not say what the panic said")
	after, err := async.Apply(p, double, 4)
	require.NoError(t, err, "Apply failed")
	got, err := after.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 8, got, "Get returned another value than the task")
}

// A task has three ways out: it returns, it panics, or it ends its goroutine, as
// t.FailNow does.
func TestTaskEndsItsGoroutine(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, quit, -1)
	require.NoError(t, err, "Apply failed")
	_, err = r.Get(background)
	var failed *async.TaskError
	require.ErrorAs(t, err, &failed, "a task that ended its goroutine was no *TaskError")
	m, err := async.Map(p, quit, []int{1, 2, -3, 4}, 4)
	require.NoError(t, err, "Map failed")
	_, err = m.Get(background)
	require.ErrorAs(t, err, &failed, "a task that ended its goroutine was no *TaskError")
	assert.Equal(t, 2, failed.Index, "Map did not return the error of the lowest index that failed")
	r, err = async.Apply(p, quit, 5)
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed, of a task after one that ended its goroutine")
	assert.Equal(t, 5, got, "Get returned another value than the task")
}

// Map is not done as long as one of its tasks runs, also when another has failed.
func TestMapWaitsForAllTasks(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 2), newStage(t)
	m, err := async.Map(p, act, []role{s.role("a"), {}}, 1)
	require.NoError(t, err, "Map failed")
	a := s.next()
	// The other worker does this when it has failed with the second task.
	r, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	require.NoError(t, r.Wait(background), "Wait failed")
	assert.False(t, m.Ready(), "Map's result was ready before all tasks had ended, because one of them had failed")
	a.leave("")
	_, err = m.Get(background)
	var failed *async.TaskError
	require.ErrorAs(t, err, &failed, "the error of a task was no *TaskError")
	assert.Equal(t, 1, failed.Index, "Map did not return the error of the lowest index that failed")
}

func TestWhatCannotBeEncoded(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	_, err := async.Apply(p, inverse, nan)
	assert.Error(t, err, "Apply took an argument that cannot be encoded")
	_, err = async.Map(p, inverse, []float64{1, 2, nan}, 1)
	assert.Error(t, err, "Map took an argument that cannot be encoded")
	r, err := async.Apply(p, inverse, 0) // 1/0 is infinite, which JSON has no word for
	require.NoError(t, err, "Apply failed")
	_, err = r.Get(background)
	var failed *async.TaskError
	assert.ErrorAs(t, err, &failed, "a value that cannot be encoded was no *TaskError")
	o, err := async.Apply(p, open, 13)
	require.NoError(t, err, "Apply failed")
	_, err = o.Get(background)
	assert.ErrorAs(t, err, &failed, "an argument that cannot be decoded was no *TaskError")
	m, err := async.Map(p, write, []int{0, 1, 2, 13, 4, 5}, 2)
	require.NoError(t, err, "Map failed")
	_, err = m.Get(background)
	if assert.ErrorAs(t, err, &failed, "a value that cannot be decoded was no *TaskError") {
		assert.Equal(t, 3, failed.Index, "the error named another value")
	}
	r, err = async.Apply(p, async.Task[float64, float64]{}, 4)
	require.NoError(t, err, "Apply failed, of a task that nobody had registered: that is for Get")
	_, err = r.Get(background)
	assert.Error(t, err, "a task that nobody had registered was done")
	r, err = async.Apply(p, inverse, 4)
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 0.25, got, "Get returned another value than the task")
}

// Tasks that fail at once show how many chunks there are: of each, only the first
// is done.
func TestChunkBelowOne(t *testing.T) {
	harness.Test(t)
	for _, workers := range []int{1, 2} {
		p := newPool(t, workers)
		path := filepath.Join(t.TempDir(), "ticks")
		r, err := async.Map(p, tick, slices.Repeat([]string{path}, 80), 0)
		require.NoError(t, err, "Map failed")
		require.NoError(t, r.Wait(background), "Wait failed")
		ticks, err := os.ReadFile(path)
		require.NoError(t, err, "ReadFile failed")
		assert.InDelta(t, 4*workers, len(ticks), float64(workers), "80 tasks for %d workers did not come in about four chunks for each", workers)
	}
}
