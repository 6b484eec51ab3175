package async_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestResultFollowsItsTask(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	player := s.next()

	// The task is on the stage: it has begun and not ended.
	assert.False(t, r.Ready(), "Ready was true before the task had ended")
	ok, err := r.Successful()
	assert.ErrorIs(t, err, async.ErrNotReady, "Successful did not tell that the result was not there yet")
	assert.False(t, ok, "Successful was true before the task had ended")
	player.leave("applause")

	require.NoError(t, r.Wait(background), "Wait failed")
	assert.True(t, r.Ready(), "Ready was false after Wait had returned")
	ok, err = r.Successful()
	require.NoError(t, err, "Successful failed")
	assert.True(t, ok, "Successful was false, but the task had returned no error")
	for range 2 {
		got, err := r.Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, "applause", got, "Get returned another value than the task")
	}
}

func TestResultsOutOfOrderInTime(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 3), newStage(t)
	names := []string{"first", "second", "third"}
	results := map[string]*async.Result[string]{}
	for _, name := range names {
		r, err := async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
		results[name] = r
	}
	players := s.cast(3)
	// They end in the other order, each only when the one before was seen.
	for i := len(names) - 1; i >= 0; i-- {
		name := names[i]
		players[name].leave("value of " + name)
		got, err := results[name].Get(background)
		require.NoError(t, err, "Get failed")
		require.Equal(t, "value of "+name, got, "Get returned another value than the task")
		for _, earlier := range names[:i] {
			require.False(t, results[earlier].Ready(), "the %s task's result was ready before it had ended", earlier)
		}
	}
}

func TestGetWithAContext(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	player := s.next()

	soon, stop := context.WithTimeout(background, 10*time.Millisecond)
	defer stop()
	_, err = r.Get(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded, "Get returned something else than the error of its context")
	ended, cancel := context.WithCancel(background)
	cancel()
	require.ErrorIs(t, r.Wait(ended), context.Canceled, "Wait returned something else than the error of its context")
	why, cancelled := context.WithCancelCause(background)
	cancelled(errors.New("the test's own reason"))
	require.ErrorIs(t, r.Wait(why), context.Canceled, "Wait returned something else than the error of its context")

	player.leave("late")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "late", got, "the value was lost to an earlier Get whose context had ended")
	for range 20 { // a result that is there wins, always
		got, err = r.Get(ended)
		require.NoError(t, err, "Get returned an error of its context though the result was there")
		require.Equal(t, "late", got, "Get returned another value than the task")
	}
}

func TestManyWaitForOneResult(t *testing.T) {
	harness.Test(t)
	const n = 20
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, play, s.role("one"))
	require.NoError(t, err, "Apply failed")
	got := make(chan string)
	for range n {
		go func() {
			value, err := r.Get(background)
			got <- fmt.Sprint(value, " ", err)
		}()
	}
	task := s.next()
	harness.Waiting(t, os.Getpid()) // nothing is to be done before the task ends
	task.leave("all")
	for range n {
		require.Equal(t, "all <nil>", <-got, "Get did not return the same to all who waited")
	}
}
