package pipe_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
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

func TestPoll(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.ErrorIs(t, c.Poll(brief(t)), context.DeadlineExceeded, "Poll did not end with its context")
	assert.ErrorIs(t, c.Poll(ended()), context.Canceled, "Poll did not return at once from a look at nothing")
	require.NoError(t, c.Send([]byte("hello")), "Send returned an error")
	require.NoError(t, c.Poll(t.Context()), "Poll returned an error, and a message was there")
	require.NoError(t, c.Poll(ended()), "Poll did not see the message that was there")
	assert.Equal(t, "hello", c.hear(), "Poll took the message")
	assert.Equal(t, "again", c.ask("again"), "a context that ended before has spoiled the connection")
	c.kill()
	for _, ctx := range []context.Context{t.Context(), ended()} {
		require.NoError(t, c.Poll(ctx), "Poll did not return nil at the end of the stream: Recv would not wait there")
	}
	require.NoError(t, c.Close(), "Close returned an error")
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

func TestByteByByte(t *testing.T) {
	harness.Test(t)
	mine, other := ends(t)
	look := second(t, mine)
	c := conn(t, mine)
	received := make(chan string, 4)
	go func() {
		defer close(received)
		for {
			message, err := c.Recv()
			if err != nil {
				received <- err.Error()
				return
			}
			received <- string(message)
		}
	}()
	// Each byte is to be read alone. A Recv that reads no more must not hold up the
	// test for ever: it gets the rest at once.
	rest := []byte(frame(0, 5, "hello") + frame(0, 0, "") + frame(0, 300, string(pattern(300, 7))))
	for len(rest) > 0 && taken(look) {
		_, err := other.Write(rest[:1])
		require.NoError(t, err, "the test could not write")
		rest = rest[1:]
	}
	_, err := other.Write(rest)
	require.NoError(t, err, "the test could not write")
	assert.Equal(t, "hello", <-received, "a message whose bytes came one by one was not put together")
	assert.Empty(t, <-received, "Recv did not return the empty message that was sent")
	assert.Equal(t, string(pattern(300, 7)), <-received, "Recv returned another message than the one that was sent")
	require.NoError(t, other.Close(), "the test could not close a file")
	assert.Equal(t, io.EOF.Error(), <-received, "Recv returned another message than the one that was sent")
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

func TestBadFrames(t *testing.T) {
	harness.Test(t)
	for _, test := range []struct {
		name, bytes string
		want        error
	}{
		{"an end inside of a header", frame(0, 5, "")[:3], io.ErrUnexpectedEOF},
		{"an end right after a header", frame(0, 5, ""), io.ErrUnexpectedEOF},
		{"an end inside of a message", frame(0, 5, "hell"), io.ErrUnexpectedEOF},
		{"a claim of 4 GiB", frame(0, 1<<32-1, "hello"), pipe.ErrTooLong},
		{"a claim of one byte too many", frame(0, pipe.MaxMessage+1, "hello"), pipe.ErrTooLong},
		{"a claim of the highest length, and an end", frame(0, pipe.MaxMessage, "hello"), io.ErrUnexpectedEOF},
		{"an unknown kind", frame(2, 5, "hello"), pipe.ErrCorrupt},
		{"a kind of 255", "\xff\xff\xff\xff\xff\xff\xff", pipe.ErrCorrupt},
		{"a file that was not sent", frame(1, 0, ""), pipe.ErrCorrupt},
		{"a file with a message", frame(1, 2, "hi"), pipe.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, other := raw(t)
			_, err := other.WriteString(frame(0, 4, "good") + test.bytes)
			require.NoError(t, err, "the test could not write")
			require.NoError(t, other.Close(), "the test could not close a file")
			message, err := c.Recv()
			require.NoError(t, err, "a good message before %s was not received", test.name)
			assert.Equal(t, "good", string(message), "Recv returned another message than the one that was sent")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 2 {
				_, err = c.Recv()
				assert.ErrorIs(t, err, test.want, "Recv did not refuse %s", test.name)
				_, err = c.RecvFile()
				assert.ErrorIs(t, err, test.want, "RecvFile did not refuse %s", test.name)
			}
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "memory was taken for what a header had claimed")
			for _, ctx := range []context.Context{t.Context(), ended()} {
				assert.NoError(t, c.Poll(ctx), "Poll did not return nil where Recv would return an error at once")
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.ErrorIs(t, c.Send(make([]byte, pipe.MaxMessage+1)), pipe.ErrTooLong, "Send did not refuse a message that is too long")
	assert.Equal(t, "hello", c.ask("hello"), "a part of the message that was refused was sent")
	c.end()
	a, b := pair(t)
	together(func() {
		assert.NoError(t, a.Send(make([]byte, pipe.MaxMessage)), "Send refused a message of the highest length")
	}, func() {
		message, err := b.Recv()
		assert.NoError(t, err, "Recv refused a message of the highest length")
		assert.Equal(t, pipe.MaxMessage, len(message), "a message of the highest length arrived with another one")
		b.Close() // or else the Send would wait
	})
}

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
	require.NoError(t, a.Poll(t.Context()), "Poll returned an error, though something was there")
	require.NoError(t, c.Poll(t.Context()), "Poll returned an error, though something was there")
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

// assertConns expects the connections of just these children, in their order.
func assertConns(t *testing.T, want []*child, got []*pipe.Conn) {
	t.Helper()
	if assert.Equal(t, len(want), len(got), "Wait returned another number of connections than were ready") {
		for i := range want {
			assert.True(t, want[i].Conn == got[i], "Wait did not return the connections that were ready, in the order of its arguments")
		}
	}
}
