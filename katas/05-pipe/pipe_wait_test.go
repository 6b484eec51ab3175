package pipe_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func TestWait(t *testing.T) {
	harness.Test(t)
	a, b, c := start(t, "pipe-echo"), start(t, "pipe-echo"), start(t, "pipe-echo")
	wait := func(ctx context.Context) ([]*pipe.Conn, error) { return pipe.Wait(ctx, a.Conn, b.Conn, c.Conn) }
	_, err := wait(brief(t))
	assert.ErrorIs(t, err, context.DeadlineExceeded, "Wait did not end with its context")
	_, err = wait(ended())
	assert.ErrorIs(t, err, context.Canceled, "Wait did not return at once from a look at nothing")
	require.NoError(t, b.Send([]byte("second")), "Send returned an error")
	ready, err := wait(t.Context())
	require.NoError(t, err, "Wait returned an error")
	assertConns(t, []*child{b}, ready)
	assert.Equal(t, "second", b.hear(), "Wait took the message")

	require.NoError(t, c.Send([]byte("third")), "Send returned an error")
	require.NoError(t, a.Send([]byte("first")), "Send returned an error")
	require.NoError(t, a.Poll(background), "Poll returned an error, though something was there")
	require.NoError(t, c.Poll(background), "Poll returned an error, though something was there")
	ready, err = wait(ended())
	require.NoError(t, err, "Wait did not see what was there")
	assertConns(t, []*child{a, c}, ready)
	ready, err = wait(t.Context())
	require.NoError(t, err, "Wait returned an error")
	assertConns(t, []*child{a, c}, ready)
	assert.Equal(t, "first", a.hear(), "Recv returned another message than the one that was sent")
	assert.Equal(t, "third", c.hear(), "Recv returned another message than the one that was sent")

	b.kill()
	ready, err = wait(t.Context())
	require.NoError(t, err, "Wait returned an error")
	assertConns(t, []*child{b}, ready)
	_, err = b.Recv()
	assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side had ended")
	require.NoError(t, b.Close(), "Close returned an error")
	a.end()
	c.end()
}

func TestWaitOfAClosed(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	idle, _ := pair(t)
	require.NoError(t, a.Close(), "Close returned an error")
	_, err := pipe.Wait(background, b, a)
	assert.ErrorIs(t, err, pipe.ErrClosed, "Wait did not say that a connection is closed")
	_, err = pipe.Wait(background, idle, a)
	assert.ErrorIs(t, err, pipe.ErrClosed, "Wait did not say that a connection is closed")
}

// assertConns expects the connections of just these children, in their order.
func assertConns(t *testing.T, want []*child, got []*pipe.Conn) {
	t.Helper()
	if assert.Equal(t, len(want), len(got), "Wait returned another number of connections than were ready") {
		for i := range want {
			assert.True(t, want[i].Conn == got[i], "Wait did not return the connections that were ready, in the order of its arguments")
		}
	}
}
