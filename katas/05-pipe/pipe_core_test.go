package pipe_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func TestRequestAndAnswer(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	for _, message := range []string{"hello", "Grüße, 世界", "two\nlines\n", "\x00\xff"} {
		assert.Equal(t, message, c.ask(message), "the answer of the child was not the message that it had got")
	}
	assert.NotEqual(t, os.Getpid(), c.cmd.Process.Pid, "the child was this process")
	c.end()
}

func TestBoundaries(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	// All are sent before the first answer is received: so the stream holds many
	// messages at one time, and parts of them.
	lengths := []int{1, 4, 5, 1, 0, 4095, 4096, 4097, 65535, 65536, 65537, 3, 0, 0, 1 << 20, 2}
	var messages [][]byte
	together(func() {
		for i, n := range lengths {
			assert.NoError(t, c.Send(pattern(n, byte(i))), "Send returned an error")
		}
	}, func() {
		for range lengths {
			message, err := c.Recv()
			if !assert.NoError(t, err, "Recv returned an error") {
				c.Close() // or else the sending would wait for ever
				return
			}
			messages = append(messages, message)
		}
	})
	require.Len(t, messages, len(lengths), "not every message arrived")
	// Compared in the end: a message must not change when the next is received.
	for i, n := range lengths {
		assert.Equal(t, n, len(messages[i]), "message %d did not keep its boundaries", i)
		assert.True(t, bytes.Equal(pattern(n, byte(i)), messages[i]), "message %d of %d bytes arrived changed, or changed later", i, n)
	}
	c.end()
}

func TestEmptyMessages(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	for range 3 {
		require.NoError(t, c.Send(nil), "Send refused an empty message")
		message, err := c.Recv()
		require.NoError(t, err, "Recv took an empty message for an error or for the end of the stream")
		assert.Empty(t, message, "Recv did not return the empty message that was sent")
	}
	assert.Equal(t, "more", c.ask("more"), "after empty messages the stream was out of step")
	c.end()
}

func TestBothWaysAtOnce(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-count")
	together(
		func() { assert.NoError(t, sendNumbers(c.Conn), "Send returned an error") },
		func() { assert.NoError(t, recvNumbers(c.Conn), "what the child sent did not arrive in order") },
	)
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestEndOfStream(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-burst")
	c.wait() // It has ended before the first message is received.
	for _, want := range []string{"one", "two", "three"} {
		require.Equal(t, want, c.hear(), "a message that was sent before the end did not arrive")
	}
	for range 2 {
		_, err := c.Recv()
		assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side had ended")
	}
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestChildKilled(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.Equal(t, "hello", c.ask("hello"), "the answer of the child was not the message that it had got")
	recv := make(chan error, 1)
	go func() {
		_, err := c.Recv()
		recv <- err
	}()
	c.kill()
	assert.Equal(t, io.EOF, <-recv, "Recv did not return io.EOF when the other side was killed")
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestChildHoldsItsEndAlone(t *testing.T) {
	harness.Test(t)
	// A child whose stream ends ends too, though others that were started before
	// and after it still run: nobody but this process holds a copy of this end.
	var children []*child
	for i := range 3 {
		c := start(t, "pipe-echo")
		require.Equal(t, strconv.Itoa(i), c.ask(strconv.Itoa(i)), "the answer of the child was not the message that it had got")
		children = append(children, c)
	}
	for _, i := range []int{1, 0, 2} {
		children[i].end()
	}
}

func TestPipeWithinOneProcess(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	for _, way := range []struct{ from, to *pipe.Conn }{{a, b}, {b, a}} {
		require.NoError(t, way.from.Send([]byte("hello")), "Send returned an error")
		message, err := way.to.Recv()
		require.NoError(t, err, "Recv returned an error")
		assert.Equal(t, "hello", string(message), "Recv returned another message than the one that was sent")
	}
	require.NoError(t, a.Send([]byte("first")), "Send returned an error")
	require.NoError(t, a.Send([]byte("last")), "Send returned an error")
	require.NoError(t, a.Close(), "Close returned an error")
	message, err := b.Recv()
	require.NoError(t, err, "a message that was sent before Close did not arrive")
	assert.Equal(t, "first", string(message), "Recv returned another message than the one that was sent")
	_ = append(message, "one that is longer than all of them"...)
	message, err = b.Recv()
	require.NoError(t, err, "a message that was sent before Close did not arrive")
	assert.Equal(t, "last", string(message), "an append to a message reached over to the next one")
	_, err = b.Recv()
	assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side had closed")
}

func TestUseAfterClose(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	require.NoError(t, b.Send([]byte("too late")), "Send returned an error")
	require.NoError(t, a.Poll(t.Context()), "Poll returned an error") // It has arrived, and is never received.
	require.NoError(t, a.Close(), "Close returned an error")
	assert.ErrorIs(t, a.Send([]byte("x")), pipe.ErrClosed, "Send did not say that the connection is closed")
	_, err := a.Recv()
	assert.ErrorIs(t, err, pipe.ErrClosed, "Recv did not say that the connection is closed")
	assert.ErrorIs(t, a.SendFile(anyFile(t)), pipe.ErrClosed, "SendFile did not say that the connection is closed")
	_, err = a.RecvFile()
	assert.ErrorIs(t, err, pipe.ErrClosed, "RecvFile did not say that the connection is closed")
	assert.ErrorIs(t, a.Poll(t.Context()), pipe.ErrClosed, "Poll did not say that the connection is closed")
	assert.ErrorIs(t, a.Poll(ended()), pipe.ErrClosed, "Poll did not say that the connection is closed")
	_, err = pipe.Wait(t.Context(), b, a)
	assert.ErrorIs(t, err, pipe.ErrClosed, "Wait did not say that a connection is closed")
	idle, _ := pair(t)
	_, err = pipe.Wait(t.Context(), idle, a)
	assert.ErrorIs(t, err, pipe.ErrClosed, "Wait did not say that a connection is closed")
	assert.ErrorIs(t, a.Close(), pipe.ErrClosed, "the second Close returned no error")
}

func TestCloseEndsRecv(t *testing.T) {
	harness.Test(t)
	a, b := raw(t)
	errs := make(chan error, 2)
	recv := func() {
		_, err := a.Recv()
		errs <- err
	}
	go recv()
	go recv()
	harness.Waiting(t, os.Getpid()) // nobody has sent yet
	_, err := b.WriteString(frame(0, 3, "one") + frame(0, 3, "two"))
	require.NoError(t, err, "the test could not write")
	for range 2 {
		require.NoError(t, <-errs, "Recv returned an error")
	}
	go recv()
	go recv()
	// They have this long to begin to wait, and Poll waits in vain beside them.
	assert.ErrorIs(t, a.Poll(brief(t)), context.DeadlineExceeded, "Poll did not end with its context while another goroutine received")
	harness.Waiting(t, os.Getpid()) // nobody sends
	require.NoError(t, a.Close(), "Close returned an error")
	for range 2 {
		assert.ErrorIs(t, <-errs, pipe.ErrClosed, "Recv did not return ErrClosed when its own end was closed")
	}
}

func TestSendToNobody(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.Equal(t, "hello", c.ask("hello"), "the answer of the child was not the message that it had got")
	c.kill()
	assert.ErrorIs(t, c.Send([]byte("hello")), io.ErrClosedPipe, "Send did not return io.ErrClosedPipe when the other side had died")
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestWaitingCostsNothing(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	harness.Waiting(t, c.cmd.Process.Pid)
	assert.Equal(t, "hello", c.ask("hello"), "the answer of the child was not the message that it had got")
	received := make(chan []byte, 1)
	go func() {
		message, _ := c.Recv()
		received <- message
	}()
	harness.Waiting(t, os.Getpid(), c.cmd.Process.Pid)
	require.NoError(t, c.Send([]byte("again")), "Send returned an error")
	assert.Equal(t, "again", string(<-received), "Recv returned another message than the one that was sent")
	c.end()
}
