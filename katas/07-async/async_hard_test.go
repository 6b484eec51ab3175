package async_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestGetWithAContext(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	player := s.next()

	soon, stop := context.WithTimeout(background, 10*time.Millisecond)
	defer stop()
	_, err = r.Get(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded, "Get returned something else than the error of its context")
	ended, cancel := context.WithCancel(background)
	cancel()
	require.ErrorIs(t, r.Wait(ended), context.Canceled, "Wait returned something else than the error of its context")
	why, cancelled := context.WithCancelCause(background)
	cancelled(errors.New("the test's own reason"))
	require.ErrorIs(t, r.Wait(why), context.Canceled, "Wait returned something else than the error of its context")

	player.leave("late")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "late", got, "the value was lost to an earlier Get whose context had ended")
	for range 20 { // a result that is there wins, always
		got, err = r.Get(ended)
		require.NoError(t, err, "Get returned an error of its context though the result was there")
		require.Equal(t, "late", got, "Get returned another value than the task")
	}
	finish(t, p)
}

func TestManyWaitForOneResult(t *testing.T) {
	harness.Test(t)
	const n = 20
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	got := make(chan string)
	for range n {
		go func() {
			value, err := r.Get(background)
			got <- fmt.Sprint(value, " ", err)
		}()
	}
	task := s.next()
	harness.Waiting(t, os.Getpid()) // nothing is to be done before the task ends
	task.leave("all")
	for range n {
		require.Equal(t, "all <nil>", <-got, "Get did not return the same to all who waited")
	}
	finish(t, p)
}

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
	finish(t, p)
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
	finish(t, p)
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
	finish(t, p)
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
	finish(t, p)
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
	finish(t, p)
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
	require.ErrorIs(t, p.Join(), async.ErrRunning, "Join did not tell that the pool was neither closed nor terminated")
	joined := make(chan error, 1)
	go func() { joined <- p.Join() }() // at the same time as Close, or after it
	p.Close()
	p.Close() // twice is once
	_, err = async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrClosed, "Apply did not tell that the pool was closed")
	_, err = async.Map(p, double, []int{1}, 1)
	assert.ErrorIs(t, err, async.ErrClosed, "Map did not tell that the pool was closed")
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

// assertGone checks that the process has ended and was waited for.
func assertGone(t *testing.T, pid int) {
	t.Helper()
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "Join returned, but worker %d had not been waited for", pid)
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
		require.NoError(t, r.Wait(background), "Wait failed")
	}
	finish(t, p)
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
	if err == nil {
		_, err = r.Get(background)
	}
	assert.Error(t, err, "a task that nobody had registered was done")
	r, err = async.Apply(p, inverse, 4)
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 0.25, got, "Get returned another value than the task")
	finish(t, p)
}

func TestLargeValues(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	large := strings.Repeat("0123456789abcdef", 1<<14) // 256 KiB, far more than a pipe holds
	args := []string{large, "small", large + "!", large}
	r, err := async.Map(p, echo, args, 2)
	require.NoError(t, err, "Map failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	require.Len(t, got, len(args), "Map returned another number of values than it got arguments")
	for i := range args {
		assert.True(t, args[i] == got[i], "value %d came back changed: %d bytes became %d", i, len(args[i]), len(got[i]))
	}
	finish(t, p)
}

func TestTaskMayPrint(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	for range 2 {
		r, err := async.Apply(p, shout, "(printed by a task)")
		require.NoError(t, err, "Apply failed")
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, len("(printed by a task)\n"), got, "Get returned another value than the task")
	}
	finish(t, p)

	printer := reexec.Command("async-printer")
	var out, complaints strings.Builder
	printer.Stdout, printer.Stderr = &out, &complaints
	require.NoError(t, printer.Run(), "Run failed")
	assert.Equal(t, "(printed by a task)\n", out.String(), "what a task printed did not come out where its program prints")
	assert.Contains(t, complaints.String(), "(complained of by a task)\n", "what a task printed did not come out where its program prints")
}

// Tasks that fail at once show how many chunks there are: of each, only the first
// is done.
func TestChunkBelowOne(t *testing.T) {
	harness.Test(t)
	for _, workers := range []int{1, 2} {
		p := newPool(t, workers)
		if workers == 1 {
			s := newStage(t)
			for range 3 { // who has died does not count
				s.killWorker(p)
			}
		}
		path := filepath.Join(t.TempDir(), "ticks")
		r, err := async.Map(p, tick, slices.Repeat([]string{path}, 80), 0)
		require.NoError(t, err, "Map failed")
		require.NoError(t, r.Wait(background), "Wait failed")
		ticks, err := os.ReadFile(path)
		require.NoError(t, err, "ReadFile failed")
		assert.InDelta(t, 4*workers, len(ticks), float64(workers), "80 tasks for %d workers did not come in about four chunks for each", workers)
		finish(t, p)
	}
}
