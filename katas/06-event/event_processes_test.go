package event_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

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

func TestUnknownName(t *testing.T) {
	harness.Test(t)
	_, err := event.OpenSetter("never-passed")
	assert.ErrorIs(t, err, os.ErrNotExist, "OpenSetter did not tell that the name was not passed")
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

// What one process does to the flag, another sees.
func TestChildLooksAndClears(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", w})
	assert.Equal(t, "false nil", child.ask("is-set e"), "a new event was set in a child, or IsSet failed there")
	child.do("clear e")
	assert.False(t, isSet(t, w), "Clear set the event")
	require.NoError(t, s.Set(), "Set failed")
	assert.Equal(t, "true nil", child.ask("is-set e"), "Set had no effect after Clear of an unset event")
}

func TestThousandRounds(t *testing.T) {
	harness.Test(t)
	const rounds = 1000
	ping, pingSetter := open(t)
	pong, pongSetter := open(t)
	child := enter(t, named{"ping", ping}, named{"pong", pongSetter})
	child.tell("rounds ping pong %d", rounds)
	for i := range rounds {
		require.NoError(t, pingSetter.Set(), "Set failed in round %d", i)
		require.NoError(t, pong.Wait(context.Background()), "Wait failed in round %d", i)
		require.False(t, isSet(t, ping), "the event was set in round %d though the child had cleared it", i)
		require.NoError(t, pong.Clear(), "Clear failed in round %d", i)
	}
	assert.Equal(t, "nil", child.answer(), "Wait, Clear or Set failed in the child")
	assert.False(t, isSet(t, pong), "the event was set once more than there were rounds")
}

func TestWaitingCostsNoCPU(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	waiter := enter(t, named{"e", w})
	waiter.tell("cost e")
	harness.Waiting(t, waiter.cmd.Process.Pid)
	const work = 300 * time.Millisecond
	burn(work) // as long as the other process waits, or somewhat longer
	require.NoError(t, s.Set(), "Set failed")
	var cost int
	var err string
	_, scan := fmt.Sscan(waiter.answer(), &cost, &err)
	require.NoError(t, scan, "the child did not tell what its Wait had cost")
	require.Equal(t, "nil", err, "Wait failed in the child")
	assert.Less(t, cost, int(work.Milliseconds()/3),
		"Wait used %d ms of CPU time while this process worked for %v", cost, work)
}
