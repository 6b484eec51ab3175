package event_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

func TestWaitEndsWithItsContext(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	soon, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	assert.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded)

	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	assert.ErrorIs(t, w.Wait(ctx), context.Canceled)

	// The event has not suffered from it.
	child := enter(t, map[string]end{"e": s})
	require.Equal(t, "nil", child.ask("set e"))
	assert.NoError(t, w.Wait(context.Background()), "Wait did not see the event after an earlier Wait had been cancelled")
}

func TestSetEventWinsOverEndedContext(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, w.Wait(ended), context.Canceled, "the event was unset and the context had ended")
	require.NoError(t, s.Set())
	for range 1000 { // the choice may be left to chance
		require.NoError(t, w.Wait(ended), "the event was set: Wait had nothing to wait for")
	}
}

// Each Wait has a context of its own, also beside others in the same process.
func TestWaitsInOneProcessAreIndependent(t *testing.T) {
	harness.Test(t)
	const n = 50
	w, s := open(t)
	woken := make(chan error, n)
	for range n {
		go func() { woken <- w.Wait(context.Background()) }()
	}
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		require.ErrorIs(t, w.Wait(ctx), context.DeadlineExceeded)
		cancel()
		runtime.Gosched() // it is one of the others' turn now, if they take turns
	}
	require.Empty(t, woken, "a Wait returned before the event was set, with the end of another Wait's context")
	require.NoError(t, s.Set())
	for range n {
		require.NoError(t, <-woken)
	}
}

func TestThousandRounds(t *testing.T) {
	harness.Test(t)
	const rounds = 1000
	ping, pingSetter := open(t)
	pong, pongSetter := open(t)
	child := enter(t, map[string]end{"ping": ping, "pong": pongSetter})
	child.tell("rounds ping pong %d", rounds)
	for i := range rounds {
		require.NoError(t, pingSetter.Set())
		require.NoError(t, pong.Wait(context.Background()), "round %d", i)
		require.False(t, isSet(t, ping), "round %d: the child had cleared its event before it answered", i)
		require.NoError(t, pong.Clear())
	}
	assert.Equal(t, "nil", child.answer())
	assert.False(t, isSet(t, pong), "the event was set once more than there were rounds")
}

func TestWaitingCostsNoCPU(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	waiter := enter(t, map[string]end{"e": w})
	waiter.tell("cost e")
	harness.Waiting(t, waiter.cmd.Process.Pid)
	const work = 300 * time.Millisecond
	burn(work) // as long as the other process waits, or somewhat longer
	require.NoError(t, s.Set())
	var cost int
	var err string
	_, scan := fmt.Sscan(waiter.answer(), &cost, &err)
	require.NoError(t, scan)
	require.Equal(t, "nil", err)
	assert.Less(t, cost, int(work.Milliseconds()/3),
		"Wait used %d ms of CPU time while this process worked for %v", cost, work)
}

func TestSetterEndsWithoutSet(t *testing.T) {
	harness.Test(t)
	for _, way := range []string{"killed", "ended by itself"} {
		t.Run(way, func(t *testing.T) {
			child := cast(t, "setter done")
			w, err := event.Start(child.cmd, "done")
			require.NoError(t, err)
			defer w.Close()
			child.entered()
			waited := make(chan error)
			go func() { waited <- w.Wait(context.Background()) }()
			if way == "killed" {
				child.kill()
			} else {
				child.say.Close()
			}
			require.ErrorIs(t, <-waited, event.ErrAbandoned, "the only setter had ended")
			assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "the only setter had ended before Wait")
			assert.False(t, isSet(t, w), "nobody had set the event")
		})
	}
}

func TestAbandonedOnlyWhenUnset(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, map[string]end{"e": s})
	require.NoError(t, s.Close())
	require.Equal(t, "nil", child.ask("set e"))
	child.kill()
	require.NoError(t, w.Wait(context.Background()), "the event was set when its setter ended")
	for range 2 { // there is something to clear, and there is not
		require.NoError(t, w.Clear())
	}
	assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "the event was cleared and nobody was left to set it")
}

func TestOneOfTwoSettersEnds(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	first, second := enter(t, map[string]end{"e": s}), enter(t, map[string]end{"e": s})
	require.NoError(t, s.Close())
	first.kill()
	soon, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded, "a second setter was alive")
	require.Equal(t, "nil", second.ask("set e"))
	assert.NoError(t, w.Wait(context.Background()))
}

// A child of the setter that has nothing to do with the event does not keep it.
func TestGrandchildHoldsNothing(t *testing.T) {
	harness.Test(t)
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err)
	defer w.Close()
	child.entered()
	require.Equal(t, "nil", child.ask("leave-bystander done"))
	assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "the only setter was closed")
	assert.Equal(t, "nil", child.ask("end-bystander"))
}

func TestSetTwiceIsOneSet(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, map[string]end{"e": s})
	// Twice, and far more often than a pipe holds bytes.
	for _, times := range []int{2, 100_000} {
		require.Equal(t, "nil", child.ask("set e %d", times))
		require.NoError(t, w.Wait(context.Background()))
		require.NoError(t, w.Clear())
		require.False(t, isSet(t, w), "the event was still set after %d Sets and one Clear", times)
	}
}

func TestClearOfAnUnsetEvent(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, map[string]end{"e": w})
	require.NoError(t, w.Clear())
	require.Equal(t, "nil", child.ask("clear e"))
	assert.False(t, isSet(t, w), "Clear set the event")
	require.NoError(t, s.Set())
	assert.Equal(t, "true nil", child.ask("is-set e"))
}

func TestSetWhenNobodyWaits(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, map[string]end{"e": s})
	require.NoError(t, w.Close())
	assert.Equal(t, "nil", child.ask("set e"), "Set failed because the last waiter had gone")
}

func TestClosedEnds(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	const n = 10
	waited := make(chan error, n)
	for range n {
		go func() { waited <- w.Wait(context.Background()) }()
	}
	// By the end of this Wait the others are on their way, or most of them.
	soon, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded)
	require.NoError(t, w.Close())
	for range n {
		assert.ErrorIs(t, <-waited, os.ErrClosed, "a Wait was on its way when the Waiter was closed")
	}
	assert.ErrorIs(t, w.Wait(context.Background()), os.ErrClosed)
	_, err := w.IsSet()
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.ErrorIs(t, w.Clear(), os.ErrClosed)
	require.NoError(t, s.Close())
	assert.ErrorIs(t, s.Set(), os.ErrClosed)
}

func TestEndsAreTakenOnce(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, map[string]end{"e": s, "f": w})
	_, err := event.OpenSetter("never-passed")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = event.OpenWaiter("never-passed")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Equal(t, "not-exist not-exist", child.ask("open-again e"), "the child had taken the setter")
	assert.Equal(t, "not-exist not-exist", child.ask("open-again f"), "the child had taken the waiter")
}

// The system refuses: first the program, which is not there, then the descriptors.
// Each round allows one more than the round before, so that every step comes to fail
// in one of them. Whatever failed says so, and leaves nothing.
func TestStartFails(t *testing.T) {
	harness.Test(t)
	w, err := event.Start(exec.Command("/no/such/program"), "e")
	if w != nil {
		defer w.Close()
	}
	require.ErrorIs(t, err, os.ErrNotExist, "Start returned no error, or another one, though there is no such program")
	require.Nil(t, w, "Start returned an error and a Waiter")

	refused := harness.UntilItFits(t, func() error {
		w, s, err := event.New()
		if err != nil {
			require.True(t, w == nil && s == nil, "New returned an error and an end")
			return err
		}
		require.NoError(t, w.Close())
		return s.Close()
	}, syscall.EMFILE)
	require.Positive(t, refused, "an event was made without a single descriptor")

	refused = harness.UntilItFits(t, func() error {
		cmd := reexec.Command("event-bystander")
		w, err := event.Start(cmd, "e")
		if err != nil {
			require.Nil(t, w, "Start returned an error and a Waiter")
			return err
		}
		require.NotNil(t, w, "Start returned neither an error nor a Waiter")
		require.NoError(t, cmd.Wait())
		return w.Close()
	}, syscall.EMFILE)
	require.Positive(t, refused, "a child was started without a single descriptor")

	// A Wait may need one, or not.
	w, _ = open(t)
	harness.UntilItFits(t, func() error {
		soon, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		err := w.Wait(soon)
		require.Error(t, err, "nobody had set the event")
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}, syscall.EMFILE)
}
