package solutions_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	deadlock "prokata/solutions/08-deadlock"
)

func init() {
	deadlock.Register("twin-habit", func(deadlock.Moment) error { return nil })
}

// deadlockInGo is testdata/python/08_deadlock.py with the solution of kata 8.
// Python's processes give up after a while. Here they never do: that each lock is
// held says that each process waits for the next one's.
func deadlockInGo(t *testing.T) any {
	dir := t.TempDir()
	s, err := deadlock.Simulate(dir, 2)
	require.NoError(t, err)
	defer s.End()
	var circle []map[string]int
	for i, n := 0, len(s.PIDs()); i < n; i++ {
		lock, err := deadlock.OpenLock(deadlock.LockPath(dir, i))
		require.NoError(t, err)
		free, err := lock.TryAcquire()
		require.NoError(t, err)
		assert.False(t, free, "lock %d of the circle was free", i)
		require.NoError(t, lock.Close())
		circle = append(circle, map[string]int{"holds": i, "waits": (i + 1) % n})
	}
	s.End()
	return map[string]any{
		"deadlock": circle,
		"ordered":  dine(t, deadlock.Ordered),
		"admitted": dine(t, deadlock.Admitted),
	}
}

// dine returns how often each of five philosophers ate.
func dine(t *testing.T, m deadlock.Manner) []int {
	dinner, err := deadlock.Dine(t.Context(), deadlock.Table{Dir: t.TempDir(), Seats: 5, Meals: 200, Manner: m, Habit: "twin-habit"})
	require.NoError(t, err)
	return dinner.Meals
}
