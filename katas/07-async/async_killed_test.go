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

func TestWorkerKilledInMidTask(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 2), newStage(t)
	results := map[string]*async.Result[string]{}
	for _, name := range []string{"victim", "other"} {
		r, err := async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
		results[name] = r
	}
	players := s.cast(2)
	players["victim"].kill()
	_, err := results["victim"].Get(background)
	require.ErrorIs(t, err, async.ErrWorkerDied, "Get did not tell that the worker died during the task")
	assert.False(t, results["other"].Ready(), "the death of one worker settled another one's task")
	players["other"].leave("alive")
	got, err := results["other"].Get(background)
	require.NoError(t, err, "Get failed")
	assert.Equal(t, "alive", got, "Get returned another value than the task")

	// The pool has two workers again.
	for _, name := range []string{"a", "b"} {
		results[name], err = async.Apply(p, play, s.role(name))
		require.NoError(t, err, "Apply failed")
	}
	players = s.cast(2)
	for _, name := range []string{"a", "b"} {
		players[name].leave(name)
		got, err := results[name].Get(background)
		require.NoError(t, err, "Get failed")
		assert.Equal(t, name, got, "a result held another task's value")
	}
	finish(t, p)
}

func TestWorkerKilledWhileIdle(t *testing.T) {
	harness.Test(t)
	p, s := newPool(t, 1), newStage(t)
	r, err := async.Apply(p, attend, s.role("idler"))
	require.NoError(t, err, "Apply failed")
	idler := s.next()
	idler.leave("")
	first, err := r.Get(background)
	require.NoError(t, err, "Get failed")
	idler.kill()
	r, err = async.Apply(p, pid, struct{}{})
	require.NoError(t, err, "Apply failed")
	second, err := r.Get(background)
	require.NoError(t, err, "a worker that died before it had got the task spoiled it")
	assert.NotEqual(t, first, second, "a dead process ran a task")
	finish(t, p)
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
	finish(t, p)
}

// Each step of the start of three workers is refused once: there is no descriptor
// left for it.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	finish(t, newPool(t, 1))
	var p *async.Pool
	refused := harness.UntilItFits(t, func() (err error) {
		if p, err = async.NewPool(3); err != nil {
			require.Nil(t, p, "NewPool returned an error and a pool")
		}
		return err
	})
	finish(t, p)
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
	finish(t, p)
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
