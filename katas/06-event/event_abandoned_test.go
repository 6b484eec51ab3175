package event_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

func TestSetterEndsWithoutSet(t *testing.T) {
	harness.Test(t)
	for _, way := range []string{"killed", "ended by itself"} {
		t.Run(way, func(t *testing.T) {
			child := cast(t, "setter done")
			w, err := event.Start(child.cmd, "done")
			require.NoError(t, err, "Start failed")
			defer w.Close()
			child.entered()
			waited := make(chan error)
			go func() { waited <- w.Wait(context.Background()) }()
			if way == "killed" {
				child.kill()
			} else {
				child.say.Close()
			}
			require.ErrorIs(t, <-waited, event.ErrAbandoned, "Wait did not tell that the only setter had ended")
			assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "Wait did not tell that the only setter had ended before")
			assert.False(t, isSet(t, w), "the event was set though nobody had set it")
		})
	}
	t.Run("closed in the same process", func(t *testing.T) {
		w, s := open(t)
		waited := make(chan error)
		go func() { waited <- w.Wait(context.Background()) }()
		require.NoError(t, s.Close(), "Close of the only setter failed")
		require.ErrorIs(t, <-waited, event.ErrAbandoned, "Wait did not tell that the only setter was closed")
	})
}

func TestAbandonedOnlyWhenUnset(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", s})
	require.NoError(t, s.Close(), "Close of the setter failed")
	child.do("set e")
	child.kill()
	require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set when its setter ended")
	for range 2 { // there is something to clear, and there is not
		require.NoError(t, w.Clear(), "Clear failed")
	}
	assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "Wait did not tell that the event was cleared and nobody was left to set it")

	// An end that its own process closes takes nothing back either.
	w, s = open(t)
	require.NoError(t, s.Set(), "Set failed")
	require.NoError(t, s.Close(), "Close of the setter failed")
	assert.True(t, isSet(t, w), "the event was unset after its setter was closed")
	assert.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set when its setter was closed")
}

func TestOneOfTwoSettersEnds(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	first, second := enter(t, named{"e", s}), enter(t, named{"e", s})
	require.NoError(t, s.Close(), "Close of the setter failed")
	first.kill()
	soon, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded, "Wait did not wait for the second of two setters, which was alive")
	second.do("set e")
	assert.NoError(t, w.Wait(context.Background()), "Wait failed though the second setter had set the event")
}

func TestSetTwiceIsOneSet(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", s})
	// Twice, and far more often than a pipe holds bytes.
	for _, times := range []int{2, 100_000} {
		require.Equal(t, "nil", child.ask("set e %d", times), "Set failed in the child, when it was called %d times", times)
		require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set")
		require.NoError(t, w.Clear(), "Clear failed")
		require.False(t, isSet(t, w), "the event was still set after %d Sets and one Clear", times)
	}
}

func TestSetWhenNobodyWaits(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", s})
	require.NoError(t, w.Close(), "Close of the waiter failed")
	assert.Equal(t, "nil", child.ask("set e"), "Set failed because the last waiter had gone")
}
