package event_test

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	event "prokata/katas/06-event"
)

func TestEndsAreTakenOnce(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	child := enter(t, named{"e", s}, named{"f", w})
	_, err := event.OpenSetter("never-passed")
	require.ErrorIs(t, err, os.ErrNotExist, "OpenSetter did not tell that the name was not passed")
	_, err = event.OpenWaiter("never-passed")
	require.ErrorIs(t, err, os.ErrNotExist, "OpenWaiter did not tell that the name was not passed")
	const headline = "OpenSetter or OpenWaiter, in this order, gave what was not passed or was taken already"
	assert.Equal(t, "not-exist not-exist", child.ask("open-again e"), headline)
	assert.Equal(t, "not-exist not-exist", child.ask("open-again f"), headline)
	// A child that gets nothing: what its sibling got is not for it.
	assert.Equal(t, "not-exist not-exist", enter(t).ask("open-again e"), "OpenSetter or OpenWaiter, in this order, gave a child what was passed to another one")
}

// What the child's command has already stays: its environment, that which it would
// have inherited included, and its files.
func TestPassKeepsTheRest(t *testing.T) {
	harness.Test(t)
	t.Setenv("TEST_INHERITED", "from-the-test")
	for _, own := range []bool{false, true} {
		w, s := open(t)
		child := cast(t, "waiter e", "setter e") // both ends may go by one name
		hear, say, err := os.Pipe()
		require.NoError(t, err, "the test could not make a pipe")
		child.ours, child.child = append(child.ours, hear), append(child.child, say)
		child.cmd.ExtraFiles = []*os.File{say} // descriptor 3
		if own {
			child.cmd.Env = append(os.Environ(), "TEST_OWN=of-the-command")
		}
		w.Pass(child.cmd, "e")
		s.Pass(child.cmd, "e")
		child.begin()
		assert.Equal(t, "from-the-test", child.ask("getenv TEST_INHERITED"), "Pass lost the environment that the child would have inherited")
		if own {
			assert.Equal(t, "of-the-command", child.ask("getenv TEST_OWN"), "Pass lost the environment that the command had")
		}
		child.do("write-to 3 hello")
		said, err := io.ReadAll(hear)
		require.NoError(t, err, "the test could not read what the child wrote")
		assert.Equal(t, "hello", string(said), "Pass lost a file that the command had")
		child.do("set e")
		child.do("wait e")
		assert.True(t, isSet(t, w), "the event was unset though the child had set it")
	}
}

// A child of the setter that has nothing to do with the event does not keep it.
func TestGrandchildHoldsNothing(t *testing.T) {
	harness.Test(t)
	child := cast(t, "setter done")
	w, err := event.Start(child.cmd, "done")
	require.NoError(t, err, "Start failed")
	defer w.Close()
	child.entered()
	require.Equal(t, "nil", child.ask("leave-bystander done"), "Close of the setter failed in the child, or its own child could not be started")
	assert.ErrorIs(t, w.Wait(context.Background()), event.ErrAbandoned, "Wait did not tell that the only setter was closed")
	assert.Equal(t, "nil", child.ask("end-bystander"), "the child of the child failed")
}

// What a child has taken goes to a child of its own by Pass, and in no other way.
func TestGrandchildGetsWhatIsPassed(t *testing.T) {
	harness.Test(t)
	w, s := open(t)
	setter, waiter := enter(t, named{"e", s}), enter(t, named{"e", w})
	const headline = "OpenSetter or OpenWaiter gave a grandchild what nobody had passed to it, or it inherited a pipe (two errors, and the number of pipes)"
	assert.Equal(t, "not-exist not-exist 0 nil", setter.ask("child-opens e"), headline)
	assert.Equal(t, "not-exist not-exist 0 nil", waiter.ask("child-opens e"), headline)
	assert.False(t, isSet(t, w), "the event was set though nobody had set it")
	assert.Equal(t, "nil not-exist 0 nil", setter.ask("child-sets e"), "a grandchild could not take and set what its parent had passed on, or got more than that (two errors, and the number of pipes)")
	assert.True(t, isSet(t, w), "the event was unset though a grandchild had set it")
}
