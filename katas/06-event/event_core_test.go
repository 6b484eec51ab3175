package event_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

// The objective: the parent waits until the child says that it is done.
func TestSetInTheChildWakesTheParent(t *testing.T) {
	harness.Test(t)
	result := filepath.Join(t.TempDir(), "result")
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err, "Start failed")
	defer w.Close()
	child.entered()
	child.tell("work done %s", result)
	require.NoError(t, w.Wait(context.Background()), "Wait failed though the child was going to set the event")
	// The child wrote its result before it set the event.
	assert.FileExists(t, result, "Wait returned before the child had set the event")
	assert.Equal(t, "nil", child.answer(), "Set failed in the child")
}

// Whoever waits is told, and the event is as set as before.
func TestWaitTakesNothing(t *testing.T) {
	harness.Test(t)
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err, "Start failed")
	defer w.Close()
	child.entered()
	child.do("set done")
	for range 2 {
		require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set")
	}
	for range 2 {
		require.True(t, isSet(t, w), "the event was unset after a Wait, or after IsSet")
	}
	require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set")
}

func TestIsUnsetAtFirst(t *testing.T) {
	harness.Test(t)
	w, _ := open(t)
	assert.False(t, isSet(t, w), "a new event was set")
}

func TestSetBeforeWaitIsNotLost(t *testing.T) {
	harness.Test(t)
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err, "Start failed")
	defer w.Close()
	child.entered()
	child.do("set done")
	// Everything is over before the first look: the event is set all the same.
	child.kill()
	assert.True(t, isSet(t, w), "the event was unset although the child had set it before it ended")
	assert.NoError(t, w.Wait(context.Background()), "Wait failed though the child had set the event before it ended")
}

func TestClearTakesEverySet(t *testing.T) {
	harness.Test(t)
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err, "Start failed")
	defer w.Close()
	child.entered()
	for _, times := range []int{1, 3, 1} {
		require.Equal(t, "nil", child.ask("set done %d", times), "Set failed in the child")
		require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set")
		require.NoError(t, w.Clear(), "Clear failed")
		require.False(t, isSet(t, w), "the event was still set after %d Sets and one Clear", times)
	}
}

func TestClearOfAnUnsetEvent(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	require.NoError(t, w.Clear(), "Clear of an unset event failed")
	assert.False(t, isSet(t, w), "Clear set the event")
	require.NoError(t, s.Set(), "Set failed")
	assert.True(t, isSet(t, w), "Set had no effect after Clear of an unset event")
}
