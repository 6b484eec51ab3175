package pool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pool "prokata/katas/02-pool"
)

// Two tasks are under way and never end, 10,000 are behind them, and the caller gives up.
// The pool goes on.
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
	require.ErrorIs(t, err, context.Canceled, "Map did not return the error of its context, which had been cancelled in the middle of two tasks")
	assert.Empty(t, results, "Map returned results, though its context had ended first")

	after := workers(t, p, 2)
	for _, pid := range pids {
		assert.False(t, after[pid], "a worker that was in the middle of a task when the context ended was not ended, and took another task")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a worker is idle, and the context has ended: the choice may be left to chance
		_, err = pool.Map(ctx, p, pool.Square, []int{1})
		require.ErrorIs(t, err, context.Canceled, "Map did not return the error of its context, which had been cancelled before")
	}
	assert.Equal(t, after, workers(t, p, 2), "Map with a context that had ended before cost a worker")
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

// The context has ended before the first task, or ends in the sequential run.
func TestCompareCancelled(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600), "the test could not write a file")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pool.Compare(ctx, p, logged, []string{path, path})
	require.ErrorIs(t, err, context.Canceled, "Compare did not return the error of its context, which had been cancelled before")
	assert.Empty(t, lines(t, path), "Compare ran a task, though its context had ended")

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	var ran int
	task := pool.Task[int, int]{Name: "square", Func: func(n int) (int, error) {
		if ran++; ran == 2 {
			cancel()
		}
		return n * n, nil
	}}
	_, err = pool.Compare(ctx, p, task, []int{1, 2, 3, 4})
	require.ErrorIs(t, err, context.Canceled, "Compare did not return the error of its context, which had been cancelled in the sequential run")
	assert.Equal(t, 2, ran, "Compare went on with the sequential run after its context had been cancelled in the second task")
}

// The same, but the pool is closed, and more calls of Map wait for a worker.
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
	require.ErrorIs(t, err, context.DeadlineExceeded, "Map did not return the error of its context, which had ended when it was waiting for a worker")
	assert.Empty(t, got, "Map returned results, though its context had ended first")
	require.NoError(t, p.Close(), "Close returned an error")
	require.ErrorIs(t, <-waited, pool.ErrClosed, "Map did not return ErrClosed, though its pool had been closed when it was waiting for a worker")
	results, err := s.end()
	require.ErrorIs(t, err, pool.ErrClosed, "Map did not return ErrClosed, though its pool had been closed in the middle of two tasks")
	assert.Empty(t, results, "Map returned results, though its pool had been closed first")
	for _, pid := range pids {
		assert.False(t, exists(pid), "Close returned before worker %d had ended", pid)
	}
}
