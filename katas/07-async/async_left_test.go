package async_test

import (
	"os"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	async "prokata/katas/07-async"
)

func TestPoolNeedsAWorker(t *testing.T) {
	harness.Test(t)
	p, finish := newPoolToFinish(t, 1) // one is enough
	r, err := async.Apply(p, double, 21)
	require.NoError(t, err, "Apply failed")
	got, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, 42, got, "Get returned another value than the task")
	finish()
	for _, workers := range []int{0, -1} {
		_, err := async.NewPool(workers)
		require.Error(t, err, "NewPool made a pool of %d workers", workers)
	}
}

// Each step of the start of three workers is refused once: there is no descriptor
// left for it.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	_, finish := newPoolToFinish(t, 1)
	finish()
	var p *async.Pool
	refused := harness.UntilItFits(t, func() (err error) {
		if p, err = async.NewPool(3); err != nil {
			require.Nil(t, p, "NewPool returned an error and a pool")
		}
		return err
	})
	p.Close()
	require.NoError(t, p.Join(), "Join failed")
	require.Positive(t, refused, "NewPool made a pool though the process could not open a single file")
}

// There is no worker, and each step of the start of a new one is refused once.
func TestReplacementFails(t *testing.T) {
	harness.Test(t)
	p := newPool(t, 1)
	newStage(t).killWorker(p)
	var got int
	harness.UntilItFits(t, func() error {
		r, err := async.Apply(p, double, 21)
		if err == nil {
			got, err = r.Get(background)
		}
		return err
	})
	require.Equal(t, 42, got, "Get returned another value than the task")
}

// A task leaves a child of its own behind, which lives on when the worker dies.
func TestChildOfATask(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, leave, s.role("worker"))
	require.NoError(t, err, "Apply failed")
	players := s.cast(2)
	players["worker"].kill()
	_, err = r.Get(background)
	require.ErrorIs(t, err, async.ErrWorkerDied, "Get did not tell that the worker died during the task")
	players["bystander"].leave("")
	players["bystander"].ended()
}

func TestWorkersEndWithTheirParent(t *testing.T) {
	harness.Test(t)
	newPool(t, 1) // says here what is missing, if anything
	s := newStage(t)
	owner := reexec.Command("async-owner", s.listener.Addr().String())
	in, err := owner.StdinPipe()
	require.NoError(t, err, "StdinPipe failed")
	defer in.Close()
	owner.Stderr = os.Stderr
	require.NoError(t, owner.Start(), "Start failed")
	players := s.cast(2) // the owner's two workers
	for _, player := range players {
		player.leave("") // idle from now on
	}
	require.NoError(t, owner.Process.Kill(), "Kill failed")
	owner.Wait()
	for _, player := range players {
		player.ended()
	}
}
