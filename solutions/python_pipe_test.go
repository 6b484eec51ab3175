package solutions_test

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	pipe "prokata/solutions/05-pipe"
)

func init() {
	reexec.Register("twin-reverse", func() {
		conn, err := pipe.Open()
		check(err)
		for {
			message, err := conn.Recv()
			if err == io.EOF {
				check(conn.Close())
				return
			}
			check(err)
			slices.Reverse(message)
			check(conn.Send(message))
		}
	})
	reexec.Register("twin-burst", func() {
		conn, err := pipe.Open()
		check(err)
		check(conn.Send([]byte("last words")))
		check(conn.Close())
	})
}

// pipeInGo is testdata/python/05_pipe.py with the solution of kata 5.
func pipeInGo(t *testing.T) any {
	child := reexec.Command("twin-reverse")
	child.Stderr = os.Stderr
	conn, err := pipe.Start(child)
	require.NoError(t, err)
	messages := []string{"hello", "", "a", "two line\nmessage"}
	for _, m := range messages {
		require.NoError(t, conn.Send([]byte(m)))
	}
	var answers []string
	var lengths []int
	for range messages {
		answer, err := conn.Recv()
		require.NoError(t, err)
		answers, lengths = append(answers, string(answer)), append(lengths, len(answer))
	}
	long := make([]byte, 65537)
	for i := range long {
		long[i] = byte(i % 251)
	}
	require.NoError(t, conn.Send(long))
	answer, err := conn.Recv()
	require.NoError(t, err)
	slices.Reverse(long)
	require.NoError(t, conn.Close())
	require.NoError(t, child.Wait())
	late := conn.Send([]byte("too late"))

	burst := reexec.Command("twin-burst")
	burst.Stderr = os.Stderr
	other, err := pipe.Start(burst)
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, burst.Wait())
	words, err := other.Recv()
	require.NoError(t, err)
	_, end := other.Recv()
	return map[string]any{
		"answers":         answers,
		"lengths":         lengths,
		"long":            len(answer),
		"long_intact":     bytes.Equal(answer, long),
		"end_of_stream":   string(words) == "last words" && end == io.EOF,
		"exit":            child.ProcessState.ExitCode(),
		"closed_is_error": late != nil,
	}
}
