package event_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

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
