package pipe_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	pipe "prokata/katas/05-pipe"
)

func TestFile(t *testing.T) {
	harness.Test(t)
	c := start(t, "pipe-file")
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	require.NoError(t, err, "the test could not open a file")
	defer f.Close()
	_, err = f.WriteString("begun: ")
	require.NoError(t, err, "the test could not write")
	require.NoError(t, c.Send([]byte("message, ")), "Send returned an error")
	require.NoError(t, c.SendFile(f), "SendFile returned an error")
	_, err = f.Stat()
	require.NoError(t, err, "SendFile closed the file of the caller")
	require.NoError(t, os.Remove(path), "the test could not remove a file") // What was passed is the open file, not its name.
	require.NoError(t, c.Send([]byte("message")), "Send returned an error")
	got, err := c.RecvFile()
	require.NoError(t, err, "RecvFile returned an error")
	defer got.Close()
	c.wait()
	fromChild, err := io.ReadAll(got)
	require.NoError(t, err, "the test could not read")
	assert.Equal(t, "from the child", string(fromChild), "what the child wrote into the pipe that it had passed did not arrive")
	content := make([]byte, 100)
	n, _ := f.ReadAt(content, 0)
	assert.Equal(t, "begun: message, message", string(content[:n]), "the child did not write to the same open file")
	require.NoError(t, c.Close(), "Close returned an error")
}

func TestClosedFile(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	gone := anyFile(t)
	require.NoError(t, gone.Close(), "the test could not close a file")
	assert.Error(t, a.SendFile(gone), "SendFile did not say that the file is closed")
	require.NoError(t, a.Send([]byte("message")), "Send returned an error")
	message, err := b.Recv()
	require.NoError(t, err, "something was sent of the file that SendFile refused")
	assert.Equal(t, "message", string(message), "Recv returned another message than the one that was sent")
}

func TestNoRoomForAFile(t *testing.T) {
	harness.Test(t)
	mine, other := ends(t)
	socket := second(t, mine)
	a, b := conn(t, mine), conn(t, other)
	file := anyFile(t)
	before := fill(t, socket)
	sent := make(chan error, 1)
	go func() { sent <- a.SendFile(file) }()
	harness.Waiting(t, os.Getpid())
	drain(t, b, before)
	f, err := b.RecvFile()
	require.NoError(t, err, "a file that had to wait for room did not arrive")
	require.NoError(t, f.Close(), "the test could not close a file")
	require.NoError(t, <-sent, "a file was not sent when there was room again")
}

func TestFilesAfterClose(t *testing.T) {
	harness.Test(t)
	a, _ := pair(t)
	require.NoError(t, a.Close(), "Close returned an error")
	assert.ErrorIs(t, a.SendFile(anyFile(t)), pipe.ErrClosed, "SendFile did not say that the connection is closed")
	_, err := a.RecvFile()
	assert.ErrorIs(t, err, pipe.ErrClosed, "RecvFile did not say that the connection is closed")
}

func TestKindOfTheNext(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	require.NoError(t, a.Send([]byte("message")), "Send returned an error")
	require.NoError(t, a.SendFile(anyFile(t)), "SendFile returned an error")
	f, err := b.RecvFile()
	assert.ErrorIs(t, err, pipe.ErrKind, "RecvFile did not say that a message is next")
	f.Close() // an error, and no harm, if there is none
	message, err := b.Recv()
	require.NoError(t, err, "Recv returned an error, though RecvFile had left the message where it was")
	assert.Equal(t, "message", string(message), "Recv returned another message than the one that was sent")
	_, err = b.Recv()
	assert.ErrorIs(t, err, pipe.ErrKind, "Recv did not say that a file is next")
	f, err = b.RecvFile()
	require.NoError(t, err, "RecvFile returned an error, though Recv had left the file where it was")
	require.NoError(t, f.Close(), "the test could not close a file")
}

// Of four files two are taken. What becomes of the rest is seen at their other ends.
func TestFileThatNobodyTook(t *testing.T) {
	harness.Test(t)
	a, b := pair(t)
	var readers []*os.File
	for range 4 {
		r, w, err := os.Pipe()
		require.NoError(t, err, "the test could not make a pipe")
		defer r.Close()
		err = a.SendFile(w)
		w.Close()
		require.NoError(t, err, "SendFile returned an error")
		readers = append(readers, r)
	}
	for _, text := range []string{"first", "second"} {
		f, err := b.RecvFile()
		require.NoError(t, err, "RecvFile returned an error")
		_, err = f.WriteString(text)
		f.Close()
		require.NoError(t, err, "a file that was received could not be written to")
	}
	require.NoError(t, b.Poll(background), "Poll returned an error, though something was there") // The third is in this process now,
	sent := make(chan error, 1)
	go func() { sent <- b.Send(make([]byte, bigLength)) }()
	harness.Waiting(t, os.Getpid()) // and the fourth, if the Send reads while it waits for room.
	require.NoError(t, b.Close(), "Close returned an error")
	assert.ErrorIs(t, <-sent, pipe.ErrClosed, "Send did not return ErrClosed when its own end was closed")
	for i, text := range []string{"first", "second", "", ""} {
		rest, err := io.ReadAll(readers[i])
		require.NoError(t, err, "the test could not read")
		assert.Equal(t, text, string(rest), "the files did not arrive in order")
	}
}

func TestBadFileFrames(t *testing.T) {
	harness.Test(t)
	for _, test := range []struct {
		name, bytes string
		want        error
	}{
		{"a file that was not sent", frame(1, 0, ""), pipe.ErrCorrupt},
		{"a file with a message", frame(1, 2, "hi"), pipe.ErrCorrupt},
		{"a claim of one byte too many", frame(0, pipe.MaxMessage+1, "hello"), pipe.ErrTooLong},
		{"an end inside of a header", frame(1, 0, "")[:3], io.ErrUnexpectedEOF},
	} {
		c, other := raw(t)
		_, err := other.WriteString(test.bytes)
		require.NoError(t, err, "the test could not write")
		require.NoError(t, other.Close(), "the test could not close a file")
		_, err = c.RecvFile()
		require.ErrorIs(t, err, test.want, "RecvFile did not refuse %s", test.name)
		_, err = c.Recv()
		require.ErrorIs(t, err, test.want, "Recv did not refuse %s", test.name)
	}
}
