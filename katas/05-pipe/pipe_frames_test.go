package pipe_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

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
	} {
		// What holds for one will hold for the others: nobody needs to read ten times why not.
		if !t.Run(test.name, func(t *testing.T) { refuses(t, test.name, test.bytes, test.want) }) {
			break
		}
	}
}

// refuses expects that a connection receives what is good, and refuses what comes after it.
func refuses(t *testing.T, name, bytes string, want error) {
	c, other := raw(t)
	_, err := other.WriteString(frame(0, 4, "good") + bytes)
	require.NoError(t, err, "the test could not write")
	require.NoError(t, other.Close(), "the test could not close a file")
	message, err := c.Recv()
	require.NoError(t, err, "a good message before %s was not received", name)
	assert.Equal(t, "good", string(message), "Recv returned another message than the one that was sent")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 {
		_, err = c.Recv()
		assert.ErrorIs(t, err, want, "Recv did not refuse %s", name)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "memory was taken for what a header had claimed")
}

func TestTooLong(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-echo")
	assert.ErrorIs(t, c.Send(make([]byte, pipe.MaxMessage+1)), pipe.ErrTooLong, "Send did not refuse a message that is too long")
	assert.Equal(t, "hello", c.ask("hello"), "a part of the message that was refused was sent")
	c.end()
	a, b := pair(t)
	together(func() {
		if !assert.NoError(t, a.Send(make([]byte, pipe.MaxMessage)), "Send refused a message of the highest length") {
			a.Close() // or else the Recv would wait
		}
	}, func() {
		message, err := b.Recv()
		assert.NoError(t, err, "Recv refused a message of the highest length")
		assert.Equal(t, pipe.MaxMessage, len(message), "a message of the highest length arrived with another one")
		b.Close() // or else the Send would wait
	})
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
