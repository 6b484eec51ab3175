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
	assert.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded, "Wait returned something else than the error of its context")

	// Why a context was cancelled is another matter than that it was.
	inner, cancel := context.WithCancelCause(context.Background())
	ctx := &consulted{Context: inner, asked: make(chan struct{})}
	waited := make(chan error, 1)
	go func() { waited <- w.Wait(ctx) }()
	var err error
	select {
	case <-ctx.asked:
		cancel(errors.New("the test's own reason"))
		err = <-waited
	case err = <-waited: // before it was over
		cancel(nil)
	}
	assert.ErrorIs(t, err, context.Canceled, "Wait returned something else than the error of its context")

	// The event has not suffered from it.
	child := enter(t, named{"e", s})
	child.do("set e")
	assert.NoError(t, w.Wait(context.Background()), "Wait did not see the event after an earlier Wait had been cancelled")
}

func TestSetEventWinsOverEndedContext(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, w.Wait(ended), context.Canceled, "Wait did not return the error of its context, which had ended, and the event was unset")
	require.NoError(t, s.Set(), "Set failed")
	for range 1000 { // the choice may be left to chance
		require.NoError(t, w.Wait(ended), "Wait failed though the event was set and there was nothing to wait for")
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
		require.ErrorIs(t, w.Wait(ctx), context.DeadlineExceeded, "Wait returned something else than the error of its context")
		cancel()
		runtime.Gosched() // it is one of the others' turn now, if they take turns
	}
	require.Empty(t, woken, "a Wait returned before the event was set, with the end of another Wait's context")
	require.NoError(t, s.Set(), "Set failed")
	for range n {
		require.NoError(t, <-woken, "a Wait failed though the event was set")
	}
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

func TestClearOfAnUnsetEvent(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", w})
	require.NoError(t, w.Clear(), "Clear of an unset event failed")
	child.do("clear e")
	assert.False(t, isSet(t, w), "Clear set the event")
	require.NoError(t, s.Set(), "Set failed")
	assert.Equal(t, "true nil", child.ask("is-set e"), "Set had no effect after Clear of an unset event")
}

func TestSetWhenNobodyWaits(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", s})
	require.NoError(t, w.Close(), "Close of the waiter failed")
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
	require.ErrorIs(t, w.Wait(soon), context.DeadlineExceeded, "Wait returned something else than the error of its context")
	require.NoError(t, w.Close(), "Close of the waiter failed")
	for range n {
		assert.ErrorIs(t, <-waited, os.ErrClosed, "a Wait that was on its way did not tell that the Waiter was closed")
	}
	assert.ErrorIs(t, w.Wait(context.Background()), os.ErrClosed, "Wait did not tell that the Waiter was closed")
	_, err := w.IsSet()
	assert.ErrorIs(t, err, os.ErrClosed, "IsSet did not tell that the Waiter was closed")
	assert.ErrorIs(t, w.Clear(), os.ErrClosed, "Clear did not tell that the Waiter was closed")
	require.NoError(t, s.Close(), "Close of the setter failed")
	assert.ErrorIs(t, s.Set(), os.ErrClosed, "Set did not tell that the Setter was closed")
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
		require.NoError(t, w.Close(), "Close of the waiter failed")
		return s.Close()
	}, syscall.EMFILE)
	require.Positive(t, refused, "New made an event though the process could not open a single file")

	refused = harness.UntilItFits(t, func() error {
		cmd := reexec.Command("event-bystander")
		w, err := event.Start(cmd, "e")
		if err != nil {
			require.Nil(t, w, "Start returned an error and a Waiter")
			return err
		}
		require.NotNil(t, w, "Start returned neither an error nor a Waiter")
		require.NoError(t, cmd.Wait(), "the child could not be waited for after Start, or failed")
		return w.Close()
	}, syscall.EMFILE)
	require.Positive(t, refused, "Start made an event though the process could not open a single file")

	// A Wait may need one, or not.
	w, _ = open(t)
	harness.UntilItFits(t, func() error {
		soon, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		err := w.Wait(soon)
		require.Error(t, err, "Wait returned nil though nobody had set the event")
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}, syscall.EMFILE)
}
