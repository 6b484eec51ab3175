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
	n, err := q.PutAll(brief(t), upTo(25))
	assert.ErrorIs(t, err, ctxDeadline, "PutAll put 25 items into a queue of 10")
	assert.Equal(t, 10, n, "PutAll did not say how many items it had put")
	put := make(chan error, 1)
	go func() {
		_, err := q.PutAll(t.Context(), upTo(25)[10:])
		put <- err
	}()
	for _, n := range upTo(25) {
		require.Equal(t, n, c.get(), "PutAll did not keep the order")
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
	var took []int
	for len(took) < 6 {
		a := c.do(order{Do: "GetBatch", Limit: 4})
		require.Empty(t, a.Err, "GetBatch returned an error")
		require.NotEmpty(t, a.Values, "GetBatch returned no item")
		require.LessOrEqual(t, len(a.Values), 4, "GetBatch took more items than it was asked for")
		took = append(took, a.Values...)
	}
	assert.Equal(t, []int{2, 3, 4, 5, 6, 7}, took, "GetBatch did not keep the order")
	assert.Equal(t, deadline, c.do(order{Do: "GetBatch", Limit: 4, Wait: wait}).Err, "GetBatch did not wait for a first item")
	c.done()
	require.NoError(t, q.Close())
	assert.Equal(t, closed, c.do(order{Do: "GetBatch", Limit: 4}).Err, "GetBatch did not say that the queue is closed")
	finishClosed(t, q, c)
}
