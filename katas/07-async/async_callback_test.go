package async_test

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestCallbackRunsOnceBeforeWaitReturns(t *testing.T) {
	harness.Test(t)
	p, finish := newPoolToFinish(t, 2)
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
	require.NoError(t, err, "Apply failed")
	ready := make(chan error, 1)
	go func() { ready <- r.Wait(background) }()
	select {
	case v := <-inside:
		assert.Equal(t, 42, v, "the callback did not get the value")
		assert.False(t, r.Ready(), "the result counted as ready while its callback was running")
		close(release)
		require.NoError(t, <-ready, "Wait failed")
	case err := <-ready:
		close(release)
		require.NoError(t, err, "Wait failed")
		require.Fail(t, "Wait returned before a callback had run")
	}
	finish()
	assert.EqualValues(t, 11, calls.Load(), "the two callbacks for the value did not run exactly once each, or one for an error did")
}

func TestMapCallbackRunsOnce(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	var values [][]int
	m, err := async.Map(p, double, []int{1, 2, 3, 4, 5}, 2, async.Callbacks[[]int]{
		Value: func(v []int) { values = append(values, v) },
	})
	require.NoError(t, err, "Map failed")
	require.NoError(t, m.Wait(background), "Wait failed")
	assert.Equal(t, [][]int{{2, 4, 6, 8, 10}}, values, "the callback did not run once, with all values")
}

func TestErrorCallback(t *testing.T) {
	harness.Test(t)
	p, finish := newPoolToFinish(t, 2)
	var errs []string
	var values int
	r, err := async.Apply(p, fail, "ink is out", async.Callbacks[int]{
		Value: func(int) { values++ },
		Error: func(err error) { errs = append(errs, err.Error()) },
	})
	require.NoError(t, err, "Apply failed")
	require.NoError(t, r.Wait(background), "Wait failed")
	require.Len(t, errs, 1, "the error callback had not run exactly once when Wait returned")
	assert.Contains(t, errs[0], "ink is out", "the error callback got another error")

	m, err := async.Map(p, third, []int{1, 2, 5, 8}, 1, async.Callbacks[[]int]{
		Value: func([]int) { values++ },
		Error: func(err error) { errs = append(errs, err.Error()) },
	})
	require.NoError(t, err, "Map failed")
	require.NoError(t, m.Wait(background), "Wait failed")
	require.Len(t, errs, 2, "Map's error callback had not run exactly once when Wait returned")
	assert.Contains(t, errs[1], "2 is not wanted", "Map's error callback got another error")
	finish()
	assert.Zero(t, values, "the value callback ran for a task that had failed")

	// Without an error callback, an error is no matter.
	p = newPool(t, 1)
	r, err = async.Apply(p, fail, "unheard", async.Callbacks[int]{Value: func(int) { values++ }})
	require.NoError(t, err, "Apply failed")
	require.NoError(t, r.Wait(background), "Wait failed")
}

// Callbacks of different results need no lock of their own.
func TestCallbacksRunOneAtATime(t *testing.T) {
	harness.Test(t)
	const workers, tasks = 3, 150
	p, finish := newPoolToFinish(t, workers)
	var got []int
	add := async.Callbacks[int]{Value: func(v int) { got = append(got, v) }}
	var want []int
	for i := range tasks {
		_, err := async.Apply(p, double, i, add)
		require.NoError(t, err, "Apply failed")
		want = append(want, 2*i)
	}
	finish()
	slices.Sort(got)
	assert.Equal(t, want, got, "the callbacks of several results did not run once each")
}

func TestCallbackMaySubmit(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	again := make(chan *async.Result[int], 1)
	r, err := async.Apply(p, double, 1, async.Callbacks[int]{Value: func(v int) {
		next, err := async.Apply(p, double, v)
		assert.NoError(t, err, "Apply failed")
		p.Close()
		again <- next
	}})
	require.NoError(t, err, "Apply failed")
	require.NoError(t, r.Wait(background), "Wait failed")
	next := <-again
	require.NotNil(t, next, "Apply in a callback returned no result")
	got, err := next.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 4, got, "Get returned another value than the task")
	require.NoError(t, p.Join(), "Join failed")
}

// A callback that ends its goroutine, as t.FailNow does, is over, and nothing else is.
func TestCallbackEndsItsGoroutine(t *testing.T) {
	harness.Test(t)
	p, finish := newPoolToFinish(t, 1)
	var after int
	quits := async.Callbacks[int]{Value: func(int) { runtime.Goexit() }}
	counts := async.Callbacks[int]{Value: func(int) { after++ }}
	for i := range 2 {
		r, err := async.Apply(p, double, i, quits, counts)
		require.NoError(t, err, "Apply failed")
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed, after a callback had ended its goroutine")
		assert.Equal(t, 2*i, got, "Get returned another value than the task")
	}
	finish()
	assert.Equal(t, 2, after, "a callback did not run once for each result, because the one before it had ended its goroutine")
}
