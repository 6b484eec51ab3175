package solutions_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	sharedmemory "prokata/solutions/03-shared-memory"
)

func init() {
	// It holds the lock from its word to the end of its input.
	reexec.Register("twin-holder", func() {
		s, err := sharedmemory.Open(os.NewFile(3, "segment"))
		check(err)
		check(s.Lock().Acquire(context.Background()))
		fmt.Println("held")
		io.Copy(io.Discard, os.Stdin)
		check(s.Lock().Release())
	})
}

// sharedMemoryInGo is testdata/python/03_shared_memory.py with the solution of
// kata 3. What Python does with a Value's own lock, an atomic step does here.
func sharedMemoryInGo(t *testing.T) any {
	sum := make(map[sharedmemory.Way]int64)
	for _, way := range []sharedmemory.Way{sharedmemory.Locked, sharedmemory.Atomic, sharedmemory.Unlocked} {
		n, err := sharedmemory.Count(t.Context(), way, 4, 1000)
		require.NoError(t, err)
		sum[way] = n
	}
	squares, err := sharedmemory.Fill(t.Context(), 3, 10)
	require.NoError(t, err)

	s, err := sharedmemory.Create(10)
	require.NoError(t, err)
	defer s.Close()
	array, err := s.Array(0, 10)
	require.NoError(t, err)
	holder := reexec.Command("twin-holder")
	holder.ExtraFiles = []*os.File{s.File()}
	holder.Stderr = os.Stderr
	release, err := holder.StdinPipe()
	require.NoError(t, err)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	held := s.Lock().TryAcquire()
	require.NoError(t, release.Close())
	require.NoError(t, holder.Wait())
	released := s.Lock().TryAcquire()
	return map[string]any{
		"locked":                sum[sharedmemory.Locked],
		"own_lock":              sum[sharedmemory.Atomic],
		"unlocked_at_most_4000": 0 < sum[sharedmemory.Unlocked] && sum[sharedmemory.Unlocked] <= 4000,
		"squares":               squares,
		"zeroed":                slices.Equal(array.Values(), make([]int64, 10)),
		"try_while_held":        held == nil,
		"try_after_release":     released == nil,
	}
}
