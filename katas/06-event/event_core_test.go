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

func TestIsUnsetAtFirst(t *testing.T) {
	harness.Test(t)
	w, _ := open(t)
	assert.False(t, isSet(t, w), "a new event was set")
	child := enter(t, named{"e", w})
	assert.Equal(t, "false nil", child.ask("is-set e"), "a new event was set in a child, or IsSet failed there")
}

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

func TestStaysSetUntilCleared(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	setter, other := enter(t, named{"e", s}), enter(t, named{"e", w})
	setter.do("set e")
	for range 2 {
		require.NoError(t, w.Wait(context.Background()), "Wait failed though the event was set")
		require.True(t, isSet(t, w), "the event was unset after a Wait")
		other.do("wait e")
		require.Equal(t, "true nil", other.ask("is-set e"), "the event was unset after a Wait in another process")
	}
	other.do("clear e")
	assert.False(t, isSet(t, w), "the event was still set after another process had cleared it")
	assert.Equal(t, "false nil", other.ask("is-set e"), "the event was still set after Clear")
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

func TestAllWaitersWake(t *testing.T) {
	harness.Test(t)
	const processes, goroutines = 4, 3
	w, s := open(t)
	var children []*actor
	for range processes {
		child := enter(t, named{"e", w})
		child.tell("all-wait e %d", goroutines)
		children = append(children, child)
	}
	own := make(chan error)
	go func() { own <- w.Wait(context.Background()) }()
	require.NoError(t, s.Set(), "Set failed")
	assert.NoError(t, <-own, "Wait failed though the event was set")
	for i, child := range children {
		assert.Equal(t, "nil", child.answer(), "a Wait in child %d did not see the event", i)
	}
}

// Two events between the same processes keep apart.
func TestTwoEventsKeepApart(t *testing.T) {
	harness.Test(t)
	ready, readySetter := open(t)
	done, doneSetter := open(t)
	child := enter(t, named{"ready", readySetter}, named{"done", doneSetter})
	child.do("set done")
	require.NoError(t, done.Wait(context.Background()), "Wait failed though the event was set")
	assert.False(t, isSet(t, ready), "an event was set though the child had set only the other one")
	child.do("set ready")
	require.NoError(t, ready.Wait(context.Background()), "Wait failed though the event was set")
}
