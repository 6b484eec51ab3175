package async_test

import (
	"strings"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestTaskMayPrint(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	for range 2 {
		r, err := async.Apply(p, shout, "(printed by a task)")
		require.NoError(t, err, "Apply failed")
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed, of a task that had printed")
		assert.Equal(t, len("(printed by a task)\n"), got, "Get returned another value than the task")
	}

	printer := reexec.Command("async-printer")
	var out, complaints strings.Builder
	printer.Stdout, printer.Stderr = &out, &complaints
	require.NoError(t, printer.Run(), "Run failed")
	assert.Equal(t, "(printed by a task)\n", out.String(), "what a task printed did not come out where its program prints")
	assert.Contains(t, complaints.String(), "(complained of by a task)\n", "what a task printed did not come out where its program prints")
}

func TestWorkerKilledInMidTask(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 2), newStage(t)
	results := map[string]*async.Result[string]{}
	for _, name := range []string{"victim", "other"} {
		r, err := async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
		results[name] = r
	}
	players := s.cast(2)
	players["victim"].kill()
	_, err := results["victim"].Get(background)
	require.ErrorIs(t, err, async.ErrWorkerDied, "Get did not tell that the worker died during the task")
	assert.False(t, results["other"].Ready(), "the death of one worker settled another one's task")
	players["other"].leave("alive")
	got, err := results["other"].Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "alive", got, "Get returned another value than the task")

	// The pool has two workers again.
	for _, name := range []string{"a", "b"} {
		results[name], err = async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
	}
	players = s.cast(2)
	for _, name := range []string{"a", "b"} {
		players[name].leave(name)
		got, err := results[name].Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, name, got, "a result held another task's value")
	}
}

func TestWorkerKilledWhileIdle(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, attend, s.role("idler"))
	require.NoError(t, err, "Apply failed")
	idler := s.next()
	idler.leave("")
	first, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	idler.kill()
	r, err = async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	second, err := r.Get(background)
	require.NoError(t, err, "a worker that died before it had got the task spoiled it")
	assert.NotEqual(t, first, second, "a dead process ran a task")
}
