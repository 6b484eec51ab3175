package queue_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
)

func TestPutAll(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 10)
	c := startConsumer(t, q)
	// Again and again, since it may not have come far in so short a time.
	n := 0
	for none := 0; none < 3; {
		m, err := q.PutAll(brief(t), upTo(25)[n:])
		require.ErrorIs(t, err, ctxDeadline, "PutAll put 25 items into a queue of 10")
		if n += m; m == 0 {
			none++
		}
		require.LessOrEqual(t, n, 10, "PutAll said that it had put more items than there is room for")
	}
	// However far it came, it must have told: it is from there that one goes on.
	put := make(chan error, 1)
	go func() {
		_, err := q.PutAll(t.Context(), upTo(25)[n:])
		put <- err
	}()
	for _, want := range upTo(25) {
		require.Equal(t, want, c.get(), "PutAll did not keep the order, or had put another number of items than it said")
	}
	require.NoError(t, <-put, "PutAll returned an error, though there was room again")
	c.done()
	finish(t, q, c)
}

func TestGetBatch(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 10)
	c := startConsumer(t, q)
	c.order(order{Do: "GetBatch", Limit: 4})
	put(t, q, 1)
	assert.Equal(t, []int{1}, c.answer().Values, "GetBatch did not return the one item that there was")
	put(t, q, 2, 3, 4, 5, 6, 7)
	var batches [][]int
	for n := 0; n < 6; {
		a := c.do(order{Do: "GetBatch", Limit: 4})
		require.Empty(t, a.Err, "GetBatch returned an error")
		require.NotEmpty(t, a.Values, "GetBatch returned no item")
		batches = append(batches, a.Values)
		n += len(a.Values)
	}
	assert.Equal(t, [][]int{{2, 3, 4, 5}, {6, 7}}, batches, "GetBatch did not take what was waiting, in order and up to its limit")
	assert.Equal(t, deadline, c.do(order{Do: "GetBatch", Limit: 4, Wait: wait}).Err, "GetBatch did not wait for a first item")
	c.done()
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, closed, c.do(order{Do: "GetBatch", Limit: 4}).Err, "GetBatch did not say that the queue is closed")
	finishClosed(t, q, c)
}
