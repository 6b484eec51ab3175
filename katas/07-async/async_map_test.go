package async_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

// The tasks do not end before the test has met them, and the test meets them when Map has
// returned.
func TestMapReturnsBeforeTheTasksEnd(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 2), newStage(t)
	r, err := async.Map(p, play, []role{s.role("a"), s.role("b")}, 1)
	require.NoError(t, err, "Map failed")
	for name, player := range s.cast(2) {
		assert.False(t, r.Ready(), "Map's result was ready before the tasks had ended")
		player.leave("value of " + name)
	}
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, []string{"value of a", "value of b"}, got, "Map returned wrong values, or in another order")
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
		if c.tasks == 0 {
			require.Empty(t, got, "Map returned values, though it had no arguments")
			continue
		}
		require.Equal(t, want, got, "Map returned wrong values, or in another order: %d tasks in chunks of %d", c.tasks, c.chunk)
	}
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
}
