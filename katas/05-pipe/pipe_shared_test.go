package pipe_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

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

func TestManySenders(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-judge")
	const senders, messages = 8, 20
	var all []func()
	for i := range senders {
		all = append(all, func() {
			for n := range messages {
				// Longer than the socket holds, now and then: a frame that is written
				// in several pieces is where another could come in between.
				message := bytes.Repeat([]byte{'a' + byte(i)}, 1+n*n*997)
				if !assert.NoError(t, c.Send(message), "Send returned an error") {
					return
				}
			}
		})
	}
	answers := map[string]int{}
	all = append(all, func() {
		for range senders * messages {
			message, err := c.Recv()
			if !assert.NoError(t, err, "the messages of several goroutines got mixed") {
				c.Close() // or else the senders would wait
				return
			}
			answers[string(message)]++
		}
	})
	together(all...)
	for i := range senders {
		assert.Equal(t, messages, answers[string(rune('a'+i))], "not every message of several goroutines arrived exactly once")
	}
	c.Close()
	c.wait()
}

// Each number comes to one of those who receive. Read as a length, no part of it is large.
func TestManyReceive(t *testing.T) {
	harness.Test(t)
	const receivers, messages = 4, 500
	c, other := raw(t)
	go func() {
		for n := range messages {
			other.WriteString(frame(0, 9, bits(n)))
		}
		other.Close()
	}()
	got := make(chan map[string]int)
	for range receivers {
		go func() {
			mine := map[string]int{}
			for message, err := c.Recv(); err == nil; message, err = c.Recv() {
				mine[string(message)]++
			}
			got <- mine
		}()
	}
	all := map[string]int{}
	for range receivers {
		for message, n := range <-got {
			all[message] += n
		}
	}
	for n := range messages {
		require.Equal(t, 1, all[bits(n)], "a message did not come to exactly one of several goroutines that received")
	}
}

// bits returns a number below 512 as 9 bytes, each 0 or 1.
func bits(n int) string {
	b := make([]byte, 9)
	for i := range b {
		b[i] = byte(n>>i) & 1
	}
	return string(b)
}

// What has arrived and was not received is lost.
func TestUseAfterClose(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	for _, text := range []string{"in time", "too late"} {
		require.NoError(t, b.Send([]byte(text)), "Send returned an error")
	}
	message, err := a.Recv()
	require.NoError(t, err, "Recv returned an error")
	assert.Equal(t, "in time", string(message), "Recv returned another message than the one that was sent")
	require.NoError(t, a.Close(), "Close returned an error")
	assert.ErrorIs(t, a.Send([]byte("x")), pipe.ErrClosed, "Send did not say that the connection is closed")
	_, err = a.Recv()
	assert.ErrorIs(t, err, pipe.ErrClosed, "Recv did not say that the connection is closed")
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
	harness.Waiting(t, os.Getpid()) // nobody sends
	require.NoError(t, a.Close(), "Close returned an error")
	for range 2 {
		assert.ErrorIs(t, <-errs, pipe.ErrClosed, "Recv did not return ErrClosed when its own end was closed")
	}
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
