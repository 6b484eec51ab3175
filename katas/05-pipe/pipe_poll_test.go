package pipe_test

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func TestPollTakesNothing(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	require.NoError(t, c.Send([]byte("hello")), "Send returned an error")
	for range 2 {
		require.NoError(t, c.Poll(background), "Poll returned an error, and a message was there")
	}
	assert.Equal(t, "hello", c.hear(), "Poll took the message")
	assert.Equal(t, "again", c.ask("again"), "the answer of the child was not the message that it had got")
	c.kill()
	require.NoError(t, c.Poll(background), "Poll did not return nil at the end of the stream: Recv would not wait there")
	_, err := c.Recv()
	assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side was killed")
	require.NoError(t, c.Close(), "Close returned an error")
}

// Poll waits as long as Recv would: here for the last byte of a message.
func TestPollWaits(t *testing.T) {
	harness.Test(t)
	c, other := raw(t)
	whole := frame(0, 5, "hello")
	polled := make(chan error, 1)
	go func() { polled <- c.Poll(background) }()
	for _, part := range []string{whole[:3], whole[3:8], whole[8:]} {
		harness.Waiting(t, os.Getpid()) // for more
		require.Empty(t, polled, "Poll took a part of a message for a message")
		_, err := other.WriteString(part)
		require.NoError(t, err, "the test could not write")
	}
	require.NoError(t, <-polled, "Poll returned an error, and a message was there")
	message, err := c.Recv()
	require.NoError(t, err, "Recv returned an error")
	assert.Equal(t, "hello", string(message), "Recv returned another message than the one that was sent")
}

// Where Recv returns an error at once, it would not wait.
func TestPollOfAnError(t *testing.T) {
	harness.Test(t)
	c, other := raw(t)
	_, err := other.WriteString(frame(9, 0, ""))
	require.NoError(t, err, "the test could not write")
	require.NoError(t, c.Poll(background), "Poll did not return nil where Recv would return an error at once")
	_, err = c.Recv()
	require.ErrorIs(t, err, pipe.ErrCorrupt, "Recv did not refuse an unknown kind, after Poll")
	require.NoError(t, c.Poll(background), "Poll did not return nil where Recv would return an error at once")
	require.NoError(t, c.Close(), "Close returned an error")
	assert.ErrorIs(t, c.Poll(background), pipe.ErrClosed, "Poll did not say that the connection is closed")
}

// Where there is nothing, and the context has ended, Poll has returned before a message
// comes.
func TestPollOnlyLooks(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	polled := make(chan error, 1)
	go func() { polled <- a.Poll(ended()) }()
	harness.Waiting(t, os.Getpid())
	require.NoError(t, b.Send([]byte("hello")), "Send returned an error")
	require.ErrorIs(t, <-polled, context.Canceled, "Poll waited for a message though its context had ended")
	require.NoError(t, a.Poll(ended()), "Poll did not see the message that was there")
}

func TestPollWithAContext(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.ErrorIs(t, c.Poll(brief(t)), context.DeadlineExceeded, "Poll did not end with its context")
	assert.ErrorIs(t, c.Poll(ended()), context.Canceled, "Poll did not return at once from a look at nothing")
	require.NoError(t, c.Send([]byte("hello")), "Send returned an error")
	require.NoError(t, c.Poll(background), "Poll returned an error, and a message was there")
	require.NoError(t, c.Poll(ended()), "Poll did not see the message that was there")
	assert.Equal(t, "hello", c.hear(), "Poll took the message")
	assert.Equal(t, "again", c.ask("again"), "a context that ended before has spoiled the connection")
	c.kill()
	require.NoError(t, c.Poll(ended()), "Poll did not see the end of the stream: Recv would not wait there")
	require.NoError(t, c.Close(), "Close returned an error")
	assert.ErrorIs(t, c.Poll(ended()), pipe.ErrClosed, "Poll did not say that the connection is closed")
}

func TestPollWaitsForAWholeMessage(t *testing.T) {
	harness.Test(t)
	c, other := raw(t)
	write := func(s string) {
		t.Helper()
		_, err := other.WriteString(s)
		require.NoError(t, err, "the test could not write")
	}
	whole := frame(0, 5, "hello")
	write(whole[:3])
	assert.ErrorIs(t, c.Poll(ended()), context.Canceled, "Poll took a part of a header for a message")
	write(whole[3:8])
	assert.ErrorIs(t, c.Poll(ended()), context.Canceled, "Poll took a part of a message for a message")
	write(whole[8:] + whole[:6])
	assert.NoError(t, c.Poll(ended()), "Poll did not see the message that was there")
	message, err := c.Recv()
	require.NoError(t, err, "Recv returned an error")
	assert.Equal(t, "hello", string(message), "Recv returned another message than the one that was sent")
	assert.ErrorIs(t, c.Poll(ended()), context.Canceled, "Poll took a part of a message for a message")
	write(whole[6:])
	assert.NoError(t, c.Poll(ended()), "Poll did not see the message that was there")
	message, err = c.Recv()
	require.NoError(t, err, "Recv returned an error")
	assert.Equal(t, "hello", string(message), "Recv returned another message than the one that was sent")
}

// The context ends while a message comes: Poll may see the one or the other.
func TestPollAtTheLastMoment(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		polled := make(chan error, 1)
		go func() { polled <- a.Poll(ctx) }()
		go cancel()
		require.NoError(t, b.Send([]byte("message")), "Send returned an error")
		if err := <-polled; err != nil {
			require.ErrorIs(t, err, context.Canceled, "Poll returned another error than that of its context")
		}
		message, err := a.Recv()
		require.NoError(t, err, "Recv returned an error")
		require.Equal(t, "message", string(message), "Recv returned another message than the one that was sent")
	}
	received := make(chan error, 1)
	go func() {
		_, err := a.Recv()
		received <- err
	}()
	harness.Waiting(t, os.Getpid()) // No context that has ended holds it up, or drives it.
	require.NoError(t, b.Close(), "Close returned an error")
	assert.Equal(t, io.EOF, <-received, "Recv returned another message than the one that was sent")
}

// Others wait on the same end, and the end of one context is nothing to them.
func TestPollBesideOthers(t *testing.T) {
	harness.Test(t)
	a, b := raw(t)
	errs := make(chan error, 3)
	for range 2 {
		go func() {
			_, err := a.Recv()
			errs <- err
		}()
	}
	harness.Waiting(t, os.Getpid()) // nobody sends
	assert.ErrorIs(t, a.Poll(brief(t)), context.DeadlineExceeded, "Poll did not end with its context while another goroutine received")
	require.Empty(t, errs, "Recv ended with the context of a Poll")
	_, err := b.WriteString(frame(0, 3, "one") + frame(0, 3, "two"))
	require.NoError(t, err, "the test could not write")
	for range 2 {
		require.NoError(t, <-errs, "Recv returned an error")
	}
	go func() { errs <- a.Poll(background) }()
	harness.Waiting(t, os.Getpid()) // nobody sends
	require.NoError(t, a.Close(), "Close returned an error")
	assert.ErrorIs(t, <-errs, pipe.ErrClosed, "Poll did not return ErrClosed when its own end was closed")
}
