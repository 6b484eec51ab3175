package solutions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gil "prokata/solutions/09-gil"
)

// gilInGo is testdata/python/09_gil.py with the solution of kata 9.
func gilInGo(t *testing.T) any {
	task := gil.Task{Name: "mix", Units: 200}
	sum := func(way gil.Way) uint64 {
		o, err := gil.Run(t.Context(), way, task, 2)
		require.NoError(t, err)
		return o.Sum
	}
	return map[string]any{
		"units":           task.Units,
		"sequential":      sum(gil.Sequential),
		"threading":       sum(gil.Threads),
		"multiprocessing": sum(gil.Processes),
	}
}
