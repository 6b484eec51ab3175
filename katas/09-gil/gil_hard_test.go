package gil_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/harness"
	gil "prokata/katas/09-gil"
)

// When the context ends, the workers of this process begin no other unit.
func TestRunCancelled(t *testing.T) {
	harness.Test(t)
	const workers, units = 2, 100_000
	for _, way := range []gil.Way{gil.Sequential, gil.Threads, gil.Goroutines} {
		t.Run(way.String(), func(t *testing.T) {
			r := newRecord(t, workers, workers)
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			f := func() { stop() }
			cancel.Store(&f)
			_, err := gil.Run(ctx, way, gil.Task{Name: "test-cancel", Units: units}, workers)
			require.ErrorIs(t, err, context.Canceled, "Run did not tell that its context had ended")
			assert.Less(t, r.count(done), int64(units), "the workers did all units though the context had ended")
		})
	}
}

// When the context ends, worker processes are killed in the middle of a unit.
func TestProcessesCancelled(t *testing.T) {
	harness.Test(t)
	heardR, heardW, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer heardR.Close()
	gateR, gateW, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer gateW.Close()
	say, hear := inherit(t, heardW), inherit(t, gateR)
	defer unix.Close(hear)
	t.Setenv(gateEnv+"_SAY", strconv.Itoa(say))
	t.Setenv(gateEnv+"_HEAR", strconv.Itoa(hear))

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() {
		_, err := gil.Run(ctx, gil.Processes, gil.Task{Name: "test-blocked", Units: 2}, 2)
		unix.Close(say) // with the workers gone, nobody is left to speak
		ended <- err
	}()
	for range 2 {
		if _, err := heardR.Read(make([]byte, 1)); err != nil {
			require.NoError(t, <-ended, "Run failed before its workers had begun")
			require.NoError(t, err, "Run returned before its workers had begun")
		}
	}
	stop()
	err = <-ended
	require.ErrorIs(t, err, context.Canceled, "Run did not tell that its context had ended")
}

// The system refuses: there are not enough descriptors for all workers. Each round
// allows one more than the round before, so that every step of a start comes to fail
// in one of them. Run says so, and leaves nothing.
func TestStartFails(t *testing.T) {
	harness.Test(t)
	task := gil.Task{Name: "mix", Units: 4}
	var out gil.Outcome
	refused := harness.UntilItFits(t, func() (err error) {
		if out, err = gil.Run(context.Background(), gil.Processes, task, 2); err != nil {
			require.Zero(t, out, "Run returned an error and an outcome")
		}
		return err
	})
	require.Positive(t, refused, "Run started processes though this one could not open a single file")
	require.Equal(t, sumOf(task.Units), out.Sum, "Run made another sum")
}

// A unit that ends its goroutine, as t.FailNow does, is the failure of its worker, in
// every way to run it.
func TestUnitEndsItsGoroutine(t *testing.T) {
	harness.Test(t)
	for _, way := range []gil.Way{gil.Sequential, gil.Threads, gil.Goroutines, gil.Processes} {
		t.Run(way.String(), func(t *testing.T) {
			ended := make(chan error, 1)
			go func() {
				err := errors.New("Run ended the goroutine that had called it")
				defer func() { ended <- err }()
				_, err = gil.Run(context.Background(), way, gil.Task{Name: "test-quits", Units: 100}, 2)
			}()
			err := <-ended
			who := "worker 1"
			if way == gil.Sequential {
				who = "worker 0"
			}
			require.ErrorContains(t, err, who, "Run did not name the worker whose unit 3 ended its goroutine")
			assert.NotErrorIs(t, err, context.Canceled, "Run said that its context had ended, but a worker had failed")
		})
	}
}

// A worker process that dies is an error that names it, and neither a wrong sum
// nor a hang.
func TestWorkerDies(t *testing.T) {
	harness.Test(t)
	t.Setenv(testEnv, strconv.Itoa(os.Getpid()))
	_, err := gil.Run(context.Background(), gil.Processes, gil.Task{Name: "test-dies", Units: 100}, 2)
	require.ErrorContains(t, err, "worker 1", "Run did not name the worker that was killed, which is worker 1: unit 3 is its work")
	assert.ErrorContains(t, err, "killed", "Run did not say what had happened to the worker")
}
