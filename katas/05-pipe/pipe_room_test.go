package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func TestBothSendFirst(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-big")
	require.NoError(t, c.Send(pattern(bigLength, 1)), "Send returned an error")
	message, err := c.Recv()
	require.NoError(t, err, "Recv returned an error")
	assert.True(t, bytes.Equal(pattern(bigLength, 2), message), "a message of 16 MiB arrived changed, and %d bytes long", len(message))
	assert.Equal(t, "whole", c.hear(), "a message of 16 MiB arrived changed")
	c.wait()
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestRecvDuringSend(t *testing.T) {
	harness.Test(t)
	c, other := raw(t)
	sent := make(chan error, 1)
	go func() { sent <- c.Send(make([]byte, bigLength)) }()
	// Its Send is under way when the first byte has come, and waits for room from
	// then on.
	header := make([]byte, 5)
	_, err := io.ReadFull(other, header)
	require.NoError(t, err, "the test could not read")
	assert.Equal(t, frame(0, bigLength, ""), string(header), "Send did not begin with the header of the frame")
	assert.ErrorIs(t, c.Poll(brief(t)), context.DeadlineExceeded, "Poll did not end with its context during a Send")
	received := make(chan []byte, 1)
	go func() {
		message, _ := c.Recv()
		received <- message
	}()
	harness.Waiting(t, os.Getpid()) // The Recv waits too.
	_, err = other.WriteString(frame(0, 5, "first"))
	require.NoError(t, err, "the test could not write")
	assert.Equal(t, "first", string(<-received), "Recv returned another message than the one that was sent")
	_, err = other.WriteString(frame(0, 6, "second"))
	require.NoError(t, err, "the test could not write")
	harness.Waiting(t, os.Getpid()) // The Send has read it, if it reads.
	message, err := c.Recv()
	require.NoError(t, err, "Recv returned an error during a Send")
	assert.Equal(t, "second", string(message), "Recv returned another message than the one that was sent")
	for _, bytes := range []string{frame(9, 0, ""), frame(0, 4, "good")} {
		_, err = other.WriteString(bytes)
		require.NoError(t, err, "the test could not write")
		harness.Waiting(t, os.Getpid()) // The Send has read it, if it reads.
		_, err = c.Recv()
		require.ErrorIs(t, err, pipe.ErrCorrupt, "Recv did not refuse an unknown kind, or what came after it")
	}
	_, err = io.CopyN(io.Discard, other, bigLength)
	require.NoError(t, err, "the test could not read")
	require.NoError(t, <-sent, "Send returned an error")
}

func TestDiesWhileWeSend(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-deaf")
	assert.Equal(t, "here", c.hear(), "Recv returned another message than the one that was sent")
	sent := make(chan error, 1)
	go func() { sent <- c.Send(make([]byte, bigLength)) }()
	c.kill()
	assert.ErrorIs(t, <-sent, io.ErrClosedPipe, "Send did not return io.ErrClosedPipe when the other side died meanwhile")
	_, err := c.Recv()
	assert.Equal(t, io.EOF, err, "Recv did not return io.EOF when the other side had died meanwhile")
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestCloseEndsSend(t *testing.T) {
	harness.Test(t)
	c, other := raw(t)
	sent := make(chan error, 1)
	go func() { sent <- c.Send(make([]byte, bigLength)) }()
	// It is under way, and there is no room for all of it.
	_, err := other.Read(make([]byte, 1))
	require.NoError(t, err, "the test could not read")
	require.NoError(t, c.Close(), "Close returned an error")
	assert.ErrorIs(t, <-sent, pipe.ErrClosed, "Send did not return ErrClosed when its own end was closed")
}

// What is sent where there is no room at all waits, and comes whole.
func TestNoRoom(t *testing.T) {
	harness.Test(t)
	mine, other := ends(t)
	socket := second(t, mine)
	a, b := conn(t, mine), conn(t, other)
	before := fill(t, socket)
	sent := make(chan error, 1)
	go func() { sent <- a.Send([]byte("last")) }()
	harness.Waiting(t, os.Getpid())
	drain(t, b, before)
	message, err := b.Recv()
	require.NoError(t, err, "a message that had to wait for room did not arrive")
	assert.Equal(t, "last", string(message), "Recv returned another message than the one that was sent")
	require.NoError(t, <-sent, "a message was not sent when there was room again")
}

// fill sends messages of one byte until the socket has no room, and returns their number.
func fill(t *testing.T, socket int) (n int) {
	t.Helper()
	for one := []byte(frame(0, 1, "x")); ; n++ {
		sent, err := syscall.SendmsgN(socket, one, nil, nil, syscall.MSG_DONTWAIT)
		if errors.Is(err, syscall.EAGAIN) {
			return n
		}
		require.NoError(t, err, "the test could not prepare a socket")
		require.Len(t, one, sent, "the test could not send a whole frame")
	}
}

// drain receives n messages of one byte.
func drain(t *testing.T, c *pipe.Conn, n int) {
	t.Helper()
	for range n {
		message, err := c.Recv()
		require.NoError(t, err, "Recv returned an error")
		require.Equal(t, "x", string(message), "Recv returned another message than the one that was sent")
	}
}
