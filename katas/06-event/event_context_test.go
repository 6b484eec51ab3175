package event_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
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
	require.Zero(t, len(woken), "a Wait returned before the event was set, with the end of another Wait's context")
	require.NoError(t, s.Set(), "Set failed")
	for range n {
		require.NoError(t, <-woken, "a Wait failed though the event was set")
	}
}
