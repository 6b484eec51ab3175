package spawn_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	spawn "prokata/katas/01-spawn"
)

// ample is a Grace that does not run out for a child that ends when it is asked to.
const ample = time.Hour

func TestCancelTerminates(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	one, _ := s.job("stay", "one")
	two, _ := s.job("stay", "two")
	s.run(spawn.Group{Out: newOut(), Grace: ample}, one, two)
	pids := s.arrivals(2)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	if diff := cmp.Diff([]spawn.Exit{
		{PID: pids["one"], Code: -1, Signal: syscall.SIGTERM},
		{PID: pids["two"], Code: -1, Signal: syscall.SIGTERM},
	}, exits); diff != "" {
		t.Errorf("the children were not ended by SIGTERM alone when the context was cancelled (-want +got):\n%s", diff)
	}
}

// The child hears SIGTERM, says a last word, and returns.
func TestLastWords(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("polite", "")
	o := newOut()
	s.run(spawn.Group{Out: o, Grace: ample}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	assert.Equal(t, []spawn.Exit{{PID: pids[""], Code: 3}}, exits, "a child that returned when it was asked to end was not told to have ended with its own code")
	assert.Equal(t, []string{"goodbye\n"}, o.all(), "Out did not get what a child printed after it was asked to end")
}

// The child hears SIGTERM and goes on.
func TestCancelKills(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut(), Grace: 200 * time.Millisecond}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	require.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits, "a child that did not end when it was asked to was not killed after the Grace")
}

func TestNoGrace(t *testing.T) {
	harness.Test(t)
	s := newStage(t)
	job, _ := s.job("stubborn", "")
	s.run(spawn.Group{Out: newOut()}, job)
	pids := s.arrivals(1)
	s.cancel()
	exits, err := s.end()
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled")
	assert.Equal(t, []spawn.Exit{{PID: pids[""], Code: -1, Signal: syscall.SIGKILL}}, exits, "a child that did not end when it was asked to was not killed, though there was no Grace")
}

func TestCancelledBefore(t *testing.T) {
	harness.Test(t)
	o := newOut()
	runAndWait(t, spawn.Group{Out: o}, spawn.Job{Func: "report"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	exits, err := spawn.Group{Out: o}.Run(ctx, spawn.Job{Func: "report"})
	require.ErrorIs(t, err, context.Canceled, "Run did not return the error of its context, which had been cancelled before")
	assert.Empty(t, exits, "a child was started though the context had ended")
	assert.Equal(t, 1, len(o.all()), "a child printed though the context had ended")

	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err = spawn.Group{Out: o}.Run(late, spawn.Job{Func: "report"})
	require.ErrorIs(t, err, context.DeadlineExceeded, "Run did not return the error of its context, whose deadline had passed")
}
