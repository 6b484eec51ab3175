package pipe_test

import (
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
)

// The objective: question and answer, both ways over one connection.
func TestRequestAndAnswer(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-answer", "4")
	for _, message := range []string{"hello", "Grüße, 世界", "two\nlines\n", "\x00\xff"} {
		assert.Equal(t, message, c.ask(message), "the answer of the child was not the message that it had got")
	}
	assert.NotEqual(t, os.Getpid(), c.cmd.Process.Pid, "the child was this process")
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

// Many messages are in the stream at one time, and parts of them: first those of the child,
// then those of the test.
func TestBoundaries(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-lengths")
	var messages [][]byte
	for range lengths {
		message, err := c.Recv()
		require.NoError(t, err, "Recv returned an error")
		messages = append(messages, message)
	}
	require.NoError(t, compare(messages), "a message did not keep its boundaries, or changed")
	for i, n := range lengths {
		require.NoError(t, c.Send(pattern(n, byte(i))), "Send returned an error")
	}
	assert.Equal(t, "whole", c.hear(), "the messages that the child received were not those that were sent")
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestEmptyMessages(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-answer", "4")
	for range 3 {
		require.NoError(t, c.Send(nil), "Send refused an empty message")
		message, err := c.Recv()
		require.NoError(t, err, "Recv took an empty message for an error or for the end of the stream")
		assert.Empty(t, message, "Recv did not return the empty message that was sent")
	}
	assert.Equal(t, "more", c.ask("more"), "after empty messages the stream was out of step")
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

func TestSendToNobody(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.Equal(t, "hello", c.ask("hello"), "the answer of the child was not the message that it had got")
	c.kill()
	assert.ErrorIs(t, c.Send([]byte("hello")), io.ErrClosedPipe, "Send did not return io.ErrClosedPipe when the other side had died")
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestDiesBeforeItReceives(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-deaf")
	assert.Equal(t, "here", c.hear(), "Recv returned another message than the one that was sent")
	require.NoError(t, c.Send([]byte("hello")), "Send returned an error")
	c.kill()
	// It had not received all: some systems call that a reset.
	_, err := c.Recv()
	assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side had died with something left to receive")
	require.NoError(t, c.Close(), "Close returned an error")
}
