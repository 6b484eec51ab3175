package async_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
	require.NoError(t, err)
	player := s.next()

	soon, stop := context.WithTimeout(background, 10*time.Millisecond)
	defer stop()
	_, err = r.Get(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	ended, cancel := context.WithCancel(background)
	cancel()
	require.ErrorIs(t, r.Wait(ended), context.Canceled)

	player.leave("late")
	got, err := r.Get(background)
	require.NoError(t, err)
	assert.Equal(t, "late", got, "the value was lost to an earlier Get whose context had ended")
	for range 20 { // a result that is there wins, always
		got, err = r.Get(ended)
		require.NoError(t, err, "the result was there")
		require.Equal(t, "late", got)
	}
	finish(t, p)
}

func TestManyWaitForOneResult(t *testing.T) {
	harness.Test(t)
	const n = 20
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err)
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
		require.Equal(t, "all <nil>", <-got)
	}
	finish(t, p)
}

func TestTaskErrorKeepsItsText(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	before, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err)
	for _, text := range []string{"no such page", "two\nlines, \"quoted\", 日本語 \x00", strings.Repeat("long ", 50_000), ""} {
		r, err := async.Apply(p, fail, text)
		require.NoError(t, err)
		require.NoError(t, r.Wait(background), "Wait returned the task's error; that is for Get")
		_, err = r.Get(background)
		var failed *async.TaskError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, text, failed.Text)
		assert.Zero(t, failed.Index)
		ok, err := r.Successful()
		require.NoError(t, err)
		assert.False(t, ok, "Successful was true, but the task had returned an error")
	}
	after, err := async.Apply(p, pid, struct{}{})
	require.NoError(t, err)
	first, err := before.Get(background)
	require.NoError(t, err)
	second, err := after.Get(background)
	require.NoError(t, err)
	assert.Equal(t, first, second, "an error in a task cost a worker")
	finish(t, p)
}

func TestMapErrorNamesItsIndex(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	args := []int{0, 1, 3, 4, 6, 5, 7, 2, 8} // 5, 2 and 8 fail
	for _, chunk := range []int{1, 2, 4, 9} {
		r, err := async.Map(p, third, args, chunk)
		require.NoError(t, err)
		_, err = r.Get(background)
		var failed *async.TaskError
		require.ErrorAs(t, err, &failed, "chunks of %d", chunk)
		assert.Equal(t, async.TaskError{Index: 5, Text: "5 is not wanted"}, *failed, "chunks of %d", chunk)
		ok, err := r.Successful()
		require.NoError(t, err)
		assert.False(t, ok)
	}
	finish(t, p)
}

func TestPanicIsAnError(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	r, err := async.Apply(p, boom, "out of paper")
	require.NoError(t, err)
	_, err = r.Get(background)
	var failed *async.TaskError
	require.ErrorAs(t, err, &failed)
	assert.Contains(t, failed.Text, "out of paper")
	after, err := async.Apply(p, double, 4)
	require.NoError(t, err)
	got, err := after.Get(background)
	require.NoError(t, err)
	assert.Equal(t, 8, got)
	finish(t, p)
}

func TestCallbackRunsOnceBeforeWaitReturns(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	var calls atomic.Int32
	inside, release := make(chan int), make(chan struct{})
	r, err := async.Apply(p, double, 21, async.Callbacks[int]{
		Value: func(v int) {
			if calls.Add(1) == 1 {
				inside <- v
				<-release
			}
		},
		Error: func(error) { calls.Add(100) },
	}, async.Callbacks[int]{Error: func(error) { calls.Add(100) }}, async.Callbacks[int]{Value: func(int) { calls.Add(10) }})
	require.NoError(t, err)
	assert.Equal(t, 42, <-inside, "the callback did not get the value")
	assert.False(t, r.Ready(), "the result counted as ready while its callback was running")
	close(release)
	require.NoError(t, r.Wait(background))
	finish(t, p)
	assert.EqualValues(t, 11, calls.Load(), "the two callbacks for the value did not run exactly once each, or one for an error did")
}

func TestMapCallbackRunsOnce(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	var values [][]int
	m, err := async.Map(p, double, []int{1, 2, 3, 4, 5}, 2, async.Callbacks[[]int]{
		Value: func(v []int) { values = append(values, v) },
	})
	require.NoError(t, err)
	require.NoError(t, m.Wait(background))
	assert.Equal(t, [][]int{{2, 4, 6, 8, 10}}, values, "the callback did not run once, with all values")
	finish(t, p)
}

func TestErrorCallback(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	var errs []string
	var values int
	r, err := async.Apply(p, fail, "ink is out", async.Callbacks[int]{
		Value: func(int) { values++ },
		Error: func(err error) { errs = append(errs, err.Error()) },
	})
	require.NoError(t, err)
	require.NoError(t, r.Wait(background))
	require.Len(t, errs, 1, "the error callback had not run exactly once when Wait returned")
	assert.Contains(t, errs[0], "ink is out")

	m, err := async.Map(p, third, []int{1, 2, 5, 8}, 1, async.Callbacks[[]int]{
		Value: func([]int) { values++ },
		Error: func(err error) { errs = append(errs, err.Error()) },
	})
	require.NoError(t, err)
	require.NoError(t, m.Wait(background))
	require.Len(t, errs, 2, "Map's error callback had not run exactly once when Wait returned")
	assert.Contains(t, errs[1], "2 is not wanted")
	finish(t, p)
	assert.Zero(t, values, "the value callback ran for a task that had failed")

	// Without an error callback, an error is no matter.
	p = newPool(t, 1)
	r, err = async.Apply(p, fail, "unheard", async.Callbacks[int]{Value: func(int) { values++ }})
	require.NoError(t, err)
	require.NoError(t, r.Wait(background))
	finish(t, p)
}

// Callbacks of different results need no lock of their own.
func TestCallbacksRunOneAtATime(t *testing.T) {
	harness.Test(t)
	const workers, tasks = 3, 150
	p := newPool(t, workers)
	var got []int
	add := async.Callbacks[int]{Value: func(v int) { got = append(got, v) }}
	var want []int
	for i := range tasks {
		_, err := async.Apply(p, double, i, add)
		require.NoError(t, err)
		want = append(want, 2*i)
	}
	finish(t, p)
	slices.Sort(got)
	assert.Equal(t, want, got)
}

func TestCallbackMaySubmit(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	again := make(chan *async.Result[int], 1)
	r, err := async.Apply(p, double, 1, async.Callbacks[int]{Value: func(v int) {
		next, err := async.Apply(p, double, v)
		assert.NoError(t, err)
		p.Close()
		again <- next
	}})
	require.NoError(t, err)
	require.NoError(t, r.Wait(background))
	next := <-again
	require.NotNil(t, next)
	got, err := next.Get(background)
	require.NoError(t, err)
	assert.Equal(t, 4, got)
	require.NoError(t, p.Join())
}

func TestCloseFinishesWhatWasSubmitted(t *testing.T) {
	harness.Test(t)
	const tasks = 50
	p, s := newPool(t, 1), newStage(t)
	blocked, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err)
	player := s.next()
	results := make([]*async.Result[int], tasks)
	for i := range results {
		results[i], err = async.Apply(p, double, i)
		require.NoError(t, err)
	}
	require.ErrorIs(t, p.Join(), async.ErrRunning, "Join of a pool that was neither closed nor terminated")
	joined := make(chan error, 1)
	go func() { joined <- p.Join() }() // at the same time as Close, or after it
	p.Close()
	p.Close() // twice is once
	_, err = async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrClosed, "Apply after Close")
	_, err = async.Map(p, double, []int{1}, 1)
	assert.ErrorIs(t, err, async.ErrClosed, "Map after Close")
	assert.False(t, blocked.Ready(), "Close ended a task")
	player.leave("done")
	require.NoError(t, p.Join())
	if err := <-joined; err != nil { // then it came first
		require.ErrorIs(t, err, async.ErrRunning)
	}
	assertGone(t, player.pid)
	// Results stay readable after Join.
	for i, r := range results {
		require.True(t, r.Ready(), "Join returned before task %d was done", i)
		got, err := r.Get(background)
		require.NoError(t, err)
		require.Equal(t, 2*i, got)
	}
	got, err := blocked.Get(background)
	require.NoError(t, err)
	assert.Equal(t, "done", got)
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
		require.NoError(t, err)
		results = append(results, r)
	}
	players := s.cast(workers) // the workers are in the middle of their tasks
	p.Terminate()
	_, err := async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrTerminated, "Apply after Terminate")
	for i, r := range results {
		_, err := r.Get(background)
		require.ErrorIs(t, err, async.ErrTerminated, "task %d was not done when the pool was terminated", i)
	}
	require.NoError(t, p.Join())
	for _, player := range players {
		assertGone(t, player.pid)
	}
	assert.Len(t, failures, workers+queued, "not every task's error callback ran exactly once")
	p.Terminate() // after the end: nothing to do
	p.Close()     // and nothing to be revived
	require.NoError(t, p.Join())
	_, err = async.Apply(p, double, 1)
	assert.ErrorIs(t, err, async.ErrTerminated, "Apply after Terminate and Close")

	idle := newPool(t, workers)
	idle.Terminate()
	require.NoError(t, idle.Join(), "Join of a pool that had never had a task")
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
		require.NoError(t, err)
		blocked = append(blocked, r)
	}
	players := s.cast(2) // every worker is busy from now on
	results := make([]*async.Result[int], tasks)
	for i := range results {
		var err error
		results[i], err = async.Apply(p, double, i)
		require.NoError(t, err)
	}
	for _, player := range players {
		player.leave("go")
	}
	for i, r := range results {
		got, err := r.Get(background)
		require.NoError(t, err)
		require.Equal(t, 2*i, got)
	}
	for _, r := range blocked {
		require.NoError(t, r.Wait(background))
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
	require.NoError(t, err)
	_, err = r.Get(background)
	var failed *async.TaskError
	assert.ErrorAs(t, err, &failed, "the value cannot be encoded")
	o, err := async.Apply(p, open, 13)
	require.NoError(t, err)
	_, err = o.Get(background)
	assert.ErrorAs(t, err, &failed, "the argument cannot be decoded")
	m, err := async.Map(p, write, []int{0, 1, 2, 13, 4, 5}, 2)
	require.NoError(t, err)
	_, err = m.Get(background)
	if assert.ErrorAs(t, err, &failed, "a value cannot be decoded") {
		assert.Equal(t, 3, failed.Index, "the error named another value")
	}
	r, err = async.Apply(p, async.Task[float64, float64]{}, 4)
	if err == nil {
		_, err = r.Get(background)
	}
	assert.Error(t, err, "a task that nobody had registered was done")
	r, err = async.Apply(p, inverse, 4)
	require.NoError(t, err)
	got, err := r.Get(background)
	require.NoError(t, err)
	assert.Equal(t, 0.25, got)
	finish(t, p)
}

func TestLargeValues(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	large := strings.Repeat("0123456789abcdef", 1<<14) // 256 KiB, far more than a pipe holds
	args := []string{large, "small", large + "!", large}
	r, err := async.Map(p, echo, args, 2)
	require.NoError(t, err)
	got, err := r.Get(background)
	require.NoError(t, err)
	require.Len(t, got, len(args))
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
		require.NoError(t, err)
		got, err := r.Get(background)
		require.NoError(t, err)
		assert.Equal(t, len("(printed by a task)\n"), got)
	}
	finish(t, p)

	printer := reexec.Command("async-printer")
	var out, complaints strings.Builder
	printer.Stdout, printer.Stderr = &out, &complaints
	require.NoError(t, printer.Run())
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
		require.NoError(t, err)
		require.NoError(t, r.Wait(background))
		ticks, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.InDelta(t, 4*workers, len(ticks), float64(workers), "80 tasks for %d workers did not come in about four chunks for each", workers)
		finish(t, p)
	}
}
