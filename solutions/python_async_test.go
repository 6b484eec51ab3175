package solutions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	async "prokata/solutions/07-async"
)

var (
	asyncSquare = async.Register("twin-square", func(n int) (int, error) { return n * n, nil })
	asyncFail   = async.Register("twin-fail", func(n int) (int, error) { return 0, fmt.Errorf("%d is not wanted", n) })
	asyncPicky  = async.Register("twin-picky", func(n int) (int, error) {
		if n == 7 {
			return 0, fmt.Errorf("%d is not wanted", n)
		}
		return n * n, nil
	})
	// The argument is the path of a named pipe, which is open when its other end is.
	asyncGated = async.Register("twin-gated", func(gate string) (int, error) {
		_, err := os.ReadFile(gate)
		return 42 * 42, err
	})
)

// asyncInGo is testdata/python/07_async.py with the solution of kata 7.
func asyncInGo(t *testing.T) any {
	ctx := t.Context()
	p, err := async.NewPool(2)
	require.NoError(t, err)
	defer func() {
		p.Terminate()
		assert.NoError(t, p.Join())
	}()
	gate := filepath.Join(t.TempDir(), "gate")
	require.NoError(t, syscall.Mkfifo(gate, 0o600))
	var values []int
	slow, err := async.Apply(p, asyncGated, gate, async.Callbacks[int]{Value: func(v int) { values = append(values, v) }})
	require.NoError(t, err)
	ready := slow.Ready()
	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = slow.Get(brief)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	open, err := os.OpenFile(gate, os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, open.Close())
	value, err := slow.Get(ctx)
	require.NoError(t, err)
	again, err := slow.Get(ctx)
	require.NoError(t, err)

	var texts []string
	failed, err := async.Apply(p, asyncFail, 7, async.Callbacks[int]{Error: func(err error) { texts = append(texts, text(t, err)) }})
	require.NoError(t, err)
	_, failure := failed.Get(ctx)
	mapped, err := async.Map(p, asyncSquare, numbers(0, 9), 3)
	require.NoError(t, err)
	squares, err := mapped.Get(ctx)
	require.NoError(t, err)
	spoiled, err := async.Map(p, asyncPicky, numbers(0, 9), 3)
	require.NoError(t, err)
	_, mapFailure := spoiled.Get(ctx)

	var many []*async.Result[int]
	for n := range 10_000 {
		r, err := async.Apply(p, asyncSquare, n)
		require.NoError(t, err)
		many = append(many, r)
	}
	sum := 0
	for _, r := range many {
		n, err := r.Get(ctx)
		require.NoError(t, err)
		sum += n
	}
	p.Close()
	afterClose := ""
	if _, err := async.Apply(p, asyncSquare, 1); errors.Is(err, async.ErrClosed) {
		afterClose = "Pool not running" // so Python says
	}
	require.NoError(t, p.Join())
	afterJoin, err := slow.Get(ctx)
	require.NoError(t, err)
	well, err := slow.Successful()
	require.NoError(t, err)
	ill, err := failed.Successful()
	require.NoError(t, err)
	return map[string]any{
		"ready_at_once":  ready,
		"square":         value,
		"again":          again,
		"error":          text(t, failure),
		"successful":     []bool{well, ill},
		"callback":       values,
		"error_callback": texts,
		"map":            squares,
		"map_error":      text(t, mapFailure),
		"outstanding":    sum,
		"after_close":    afterClose,
		"after_join":     afterJoin,
	}
}

// text returns what a task's error said in its worker.
func text(t *testing.T, err error) string {
	var failed *async.TaskError
	if assert.ErrorAs(t, err, &failed) {
		return failed.Text
	}
	return ""
}
