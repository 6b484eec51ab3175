package solutions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	queue "prokata/solutions/04-queue"
)

func init() {
	// It prints what it took.
	reexec.Register("twin-consumer", func() {
		c, err := queue.OpenConsumer[int]()
		check(err)
		var took []int
		for {
			task, err := c.Get(context.Background())
			if errors.Is(err, queue.ErrClosed) {
				break
			}
			check(err)
			took = append(took, task.Value)
			check(c.Done(task))
		}
		check(c.Close())
		check(json.NewEncoder(os.Stdout).Encode(took))
	})
}

// queueInGo is testdata/python/04_queue.py with the solution of kata 4.
func queueInGo(t *testing.T) any {
	q, err := queue.New[int](8)
	require.NoError(t, err)
	reports := consumers(t, q, 3)
	_, err = q.PutAll(t.Context(), numbers(1, 100))
	require.NoError(t, err)
	var took []int
	sum, squares, inOrder := 0, 0, true
	lists := reports()
	for _, list := range lists {
		took = append(took, list...)
		inOrder = inOrder && slices.IsSorted(list)
	}
	for _, n := range took {
		sum += n
		squares += n * n
	}
	slices.Sort(took)

	full, err := queue.New[int](8)
	require.NoError(t, err)
	bound := 0
	for err == nil {
		if err = full.TryPut(bound); err == nil {
			bound++
		}
	}
	require.ErrorIs(t, err, queue.ErrFull)
	rest := consumers(t, full, 1)()
	return map[string]any{
		"items":        len(took),
		"once":         slices.Equal(took, numbers(1, 100)),
		"sum":          sum,
		"squares":      squares,
		"consumers":    len(lists),
		"in_order":     inOrder,
		"full_at":      bound,
		"empty_at_end": len(rest[0]) == bound,
	}
}

// consumers starts n consumers. The function that it returns closes the queue,
// waits until all is done, and returns what each of them took.
func consumers(t *testing.T, q *queue.Queue[int], n int) func() [][]int {
	t.Helper()
	cmds, outs := make([]*exec.Cmd, n), make([]bytes.Buffer, n)
	for i := range cmds {
		cmds[i] = reexec.Command("twin-consumer")
		cmds[i].Stdout, cmds[i].Stderr = &outs[i], os.Stderr
		require.NoError(t, q.StartConsumer(cmds[i]))
	}
	return func() [][]int {
		require.NoError(t, q.Close())
		require.NoError(t, q.Join(t.Context()))
		took := make([][]int, n)
		for i, cmd := range cmds {
			require.NoError(t, cmd.Wait())
			require.NoError(t, json.Unmarshal(outs[i].Bytes(), &took[i]))
		}
		return took
	}
}
