package kernels_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/harness"
	kernels "prokata/katas/01-kernels"
)

func TestCaptured(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, 2, kernels.Captured(3))
}

func TestMap(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, 2, kernels.Map())
}

func TestDoubleClose(t *testing.T) {
	harness.Test(t)
	kernels.DoubleClose()
}

func TestAddInside(t *testing.T) {
	harness.Test(t)
	assert.EqualValues(t, 3, kernels.AddInside(3))
}

func TestCheckThenAct(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, 1, kernels.CheckThenAct())
}

func TestSendOnClosed(t *testing.T) {
	harness.Test(t)
	assert.NoError(t, kernels.SendOnClosed())
}

func TestLateError(t *testing.T) {
	harness.Test(t)
	assert.Error(t, kernels.LateError())
}

func TestTimedOut(t *testing.T) {
	harness.Test(t)
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	assert.LessOrEqual(t, kernels.TimedOut(ctx), 1)
}

func TestReadLocked(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, 2, kernels.ReadLocked())
}

func TestOnce(t *testing.T) {
	harness.Test(t)
	assert.NotNil(t, kernels.Once())
}

func TestStopped(t *testing.T) {
	harness.Test(t)
	kernels.Stopped()
}

func TestAtomicThenPlain(t *testing.T) {
	harness.Test(t)
	assert.LessOrEqual(t, kernels.AtomicThenPlain(), int64(1))
}

func TestOrder(t *testing.T) {
	harness.Test(t)
	assert.Equal(t, []int{0, 1}, kernels.Order())
}
