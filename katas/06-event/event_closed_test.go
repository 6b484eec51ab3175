package event_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
)

// One who waits, and is on its way for certain.
func TestCloseEndsAWait(t *testing.T) {
	harness.Test(t)
	w, _ := open(t)
	ctx := &consulted{Context: context.Background(), asked: make(chan struct{})}
	waited := make(chan error, 1)
	go func() { waited <- w.Wait(ctx) }()
	var err error
	select {
	case <-ctx.asked:
		require.NoError(t, w.Close(), "Close of the waiter failed")
		err = <-waited
	case err = <-waited: // before it was over
	}
	assert.ErrorIs(t, err, os.ErrClosed, "a Wait that was on its way did not tell that the Waiter was closed")
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

// A Waiter is one process's: what others have is left as it is.
func TestCloseIsForThisProcess(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	first, second := enter(t, named{"e", w}), enter(t, named{"e", w})
	first.tell("wait e")
	require.NoError(t, w.Close(), "Close of the waiter failed")
	require.NoError(t, s.Set(), "Set failed")
	assert.Equal(t, "nil", first.answer(), "a Wait in a child did not see the event after the parent had closed its own Waiter")
	first.do("close e")
	assert.Equal(t, "true nil", second.ask("is-set e"), "the event was unset after another process had closed its Waiter")
}

// Both ends may be used by several goroutines at once, also while they are closed.
func TestEndsAreShared(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	const each, waits = 2, 50
	calls := []struct {
		name string
		call func() error
	}{
		{"Set", s.Set},
		{"Clear", w.Clear},
		{"IsSet", func() error { _, err := w.IsSet(); return err }},
		{"Wait", func() error { return w.Wait(context.Background()) }},
	}
	woken := make(chan struct{}, waits)
	errs := make(chan error, each*len(calls))
	for _, c := range calls {
		for range each {
			go func() {
				var err error
				for err == nil {
					if err = c.call(); err == nil && c.name == "Wait" {
						select {
						case woken <- struct{}{}:
						default: // there were enough
						}
					}
				}
				errs <- err
			}()
		}
	}
	for range waits {
		select {
		case <-woken:
		case err := <-errs:
			require.NoError(t, err, "a call failed beside others")
		}
	}
	require.NoError(t, w.Close(), "Close of the waiter failed")
	require.NoError(t, s.Close(), "Close of the setter failed")
	for range cap(errs) {
		assert.ErrorIs(t, <-errs, os.ErrClosed, "a call beside others did not tell that its end was closed")
	}
}
