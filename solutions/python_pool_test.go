package solutions_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	pool "prokata/solutions/02-pool"
)

var (
	whoami = pool.Register("twin-whoami", func(int) (int, error) { return os.Getpid(), nil })
	picky  = pool.Register("twin-picky", func(n int) (int, error) {
		if n == 3 {
			return 0, errors.New("ValueError: 3")
		}
		return n, nil
	})
)

// poolInGo is testdata/python/02_pool.py with the solution of kata 2.
func poolInGo(t *testing.T) any {
	ctx := t.Context()
	p, err := pool.New(pool.Options{Workers: 4})
	require.NoError(t, err)
	defer p.Close()
	squares, err := pool.Map(ctx, p, pool.Square, numbers(1, 10))
	require.NoError(t, err)
	empty, err := pool.Map(ctx, p, pool.Square, nil)
	require.NoError(t, err)
	pids, err := pool.Map(ctx, p, whoami, numbers(1, 1000))
	require.NoError(t, err)
	_, err = pool.Map(ctx, p, picky, numbers(0, 5))
	var failed *pool.TaskError
	require.ErrorAs(t, err, &failed)
	_, same := pool.Compare(ctx, p, pool.Square, numbers(1, 10))
	_, sameToo := pool.Compare(ctx, p, pool.Burn, slices.Repeat([]int{100_000}, 8))

	short, err := pool.New(pool.Options{Workers: 2, MaxTasks: 3})
	require.NoError(t, err)
	defer short.Close()
	replaced, err := pool.Map(ctx, short, whoami, numbers(1, 12))
	require.NoError(t, err)
	_, refused := pool.New(pool.Options{Workers: 0})
	return map[string]any{
		"squares":              squares,
		"empty":                append([]int{}, empty...),
		"same_results":         same == nil && sameToo == nil,
		"workers_within_limit": distinct(pids) <= 4,
		"none_in_parent":       !slices.Contains(pids, os.Getpid()),
		"error":                failed.Err.Error(),
		"workers_replaced":     distinct(replaced) >= 4,
		"refused":              refused != nil,
	}
}

// numbers returns the numbers from one to the other.
func numbers(from, to int) (list []int) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}

func distinct(list []int) int {
	slices.Sort(list)
	return len(slices.Compact(list))
}
