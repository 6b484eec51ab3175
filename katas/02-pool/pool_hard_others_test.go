package pool_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

// One task, or one Map, comes to a bad end, and the others have nothing to do with it.

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

// Two calls of Map have a task under way each, and one of them is cancelled.
func TestCancelledBesideAnother(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 2)
	one, other := newStage(t), newStage(t)
	onePath, _ := one.gate()
	otherPath, otherGate := other.gate()
	one.run(p, []part{{Here: one.here, Name: "one", Gate: onePath}})
	one.arrivals(1)
	other.run(p, []part{{Here: other.here, Name: "other", Gate: otherPath, N: 5}})
	survivor := other.arrivals(1)["other"]
	one.cancel()
	_, err := one.end()
	require.ErrorIs(t, err, context.Canceled, "Map did not return the error of its context, which had been cancelled in the middle of a task")
	otherGate.Close()
	results, err := other.end()
	require.NoError(t, err, "Map returned an error, though only the context of another Map had ended")
	require.Len(t, results, 1, "Map did not return one result for each input")
	assert.Equal(t, 25, results[0].N, "Map returned a wrong result when the context of another Map had ended")
	assert.True(t, workers(t, p, 2)[survivor], "a worker was ended that was not busy with a task of the Map whose context had ended")
}
