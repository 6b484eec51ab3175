package queue_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	queue "prokata/katas/04-queue"
)

func TestEachItemOnce(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 8)
	consumers := startConsumers(t, q, 3)
	for _, c := range consumers {
		c.order(order{Do: "Drain"})
	}
	put(t, q, upTo(300)...)
	require.NoError(t, q.Close(), "Close returned an error")
	var all []int
	for _, c := range consumers {
		a := c.answer()
		assert.Equal(t, closed, a.Err, "a consumer was not told that the queue is closed")
		all = append(all, a.Values...)
	}
	assert.Equal(t, upTo(300), sorted(all), "the consumers together did not take each item exactly once")
	finishClosed(t, q, consumers...)
}

func TestFull(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	for _, n := range upTo(3) {
		require.NoError(t, q.TryPut(n), "the queue of 3 did not take item %d", n)
	}
	assert.ErrorIs(t, q.TryPut(4), queue.ErrFull, "the queue of 3 took a fourth item")
	c := startConsumer(t, q)
	assert.Equal(t, 1, c.get(), "the wrong item came first")
	assert.NoError(t, q.TryPut(5), "an item was taken, but its place was not free: only waiting items count")
	assert.ErrorIs(t, q.TryPut(6), queue.ErrFull, "the queue of 3 took a fourth item after one was taken")
	c.done()
	assert.ErrorIs(t, q.TryPut(7), queue.ErrFull, "a task was done, and the queue of 3 took a fourth item: only Get makes room")
	c.order(order{Do: "Drain"})
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, []int{2, 3, 5}, c.answer().Values, "the items that were refused are in the queue, or others are not")
	finishClosed(t, q, c)
}

func TestPutWaitsForRoom(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 2)
	c := startConsumer(t, q)
	put(t, q, 1, 2)
	// Put of a full queue must not return: so the only end that this context can
	// come to is its own.
	assert.ErrorIs(t, q.Put(brief(t), 3), ctxDeadline, "Put did not wait while the queue was full")
	returned := make(chan error, 1)
	go func() { returned <- q.Put(t.Context(), 4) }()
	assert.Equal(t, 1, c.get(), "the item that was put first did not come first")
	require.NoError(t, <-returned, "Put returned an error, though there was room again")
	assert.Equal(t, 2, c.get(), "the item that was put second did not come second")
	assert.Equal(t, 4, c.get(), "the item whose Put had waited is not the next, or one whose Put had failed is in the queue")
	c.done()
	finish(t, q, c)
}

func TestEveryConsumerTakesPart(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	consumers := startConsumers(t, q, 3)
	for _, c := range consumers {
		c.order(order{Do: "Get"})
	}
	// Each has asked for one item, and there is one for each.
	put(t, q, 1, 2, 3)
	var all []int
	for _, c := range consumers {
		a := c.answer()
		require.Empty(t, a.Err, "Get returned an error")
		all = append(all, a.Values...)
		c.done()
	}
	assert.Equal(t, []int{1, 2, 3}, sorted(all), "the three consumers did not take one item each")
	finish(t, q, consumers...)
}

func TestSlowConsumerHoldsNobodyUp(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 10)
	slow, quick := startConsumer(t, q), startConsumer(t, q)
	put(t, q, upTo(10)...)
	assert.Equal(t, 1, slow.get(), "the item that was put first did not come first")
	for n := 2; n <= 10; n++ {
		require.Equal(t, n, quick.get(), "an item was kept for a consumer that was still busy")
	}
	quick.done()
	slow.done()
	finish(t, q, slow, quick)
}

func TestCloseLeavesWhatWaits(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	put(t, q, upTo(5)...)
	require.NoError(t, q.Close(), "Close returned an error")
	consumers := startConsumers(t, q, 2)
	assert.Equal(t, 1, consumers[0].get(), "the queue was closed before it was empty")
	rest := consumers[1].do(order{Do: "Drain"})
	assert.Equal(t, []int{2, 3, 4, 5}, rest.Values, "the queue was closed before it was empty")
	assert.Equal(t, closed, rest.Err, "the consumer that took the last item was not told that the queue is closed")
	consumers[0].done()
	assert.Equal(t, closed, consumers[0].do(order{Do: "Get"}).Err, "one consumer was told that the queue is closed, the other was not")
	assert.Equal(t, closed, consumers[0].do(order{Do: "Get"}).Err, "the queue was closed and then was not")
	finishClosed(t, q, consumers...)
}

func TestCloseWakesEveryConsumer(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	consumers := startConsumers(t, q, 3)
	var waiting []int
	for _, c := range consumers {
		c.order(order{Do: "Get"})
		waiting = append(waiting, c.cmd.Process.Pid)
	}
	harness.Waiting(t, waiting...)
	require.NoError(t, q.Close(), "Close returned an error")
	for _, c := range consumers {
		assert.Equal(t, closed, c.answer().Err, "Get did not say that the queue is closed")
	}
	finishClosed(t, q, consumers...)
}

func TestOrder(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 4)
	alone := startConsumer(t, q)
	putting := make(chan error, 1)
	go func() {
		var err error
		for _, n := range upTo(20) {
			if err = q.Put(t.Context(), n); err != nil {
				q.Close() // so that nobody waits for what does not come
				break
			}
		}
		putting <- err
	}()
	for _, n := range upTo(20) {
		a := alone.do(order{Do: "Get"})
		if a.Err == closed {
			require.NoError(t, <-putting, "Put returned an error, though it had only to wait for room")
		}
		require.Empty(t, a.Err, "Get returned an error")
		require.Equal(t, []int{n}, a.Values, "a consumer alone did not get the items in the order in which they were put")
	}
	require.NoError(t, <-putting, "Put returned an error, though there was room again")
	alone.done()
	pair := startConsumers(t, q, 2)
	for _, c := range pair {
		c.order(order{Do: "Drain"})
	}
	put(t, q, upTo(100)...)
	require.NoError(t, q.Close(), "Close returned an error")
	for _, c := range pair {
		took := c.answer().Values
		assert.True(t, slices.IsSorted(took), "one of two consumers got later items before earlier ones: %v", took)
	}
	finishClosed(t, q, append(pair, alone)...)
}

func TestSeveralProducers(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 4)
	c := startConsumer(t, q)
	first, second := startProducer(t, q), startProducer(t, q)
	// The owner puts nothing and closes its end; there are two others.
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, deadline, c.do(order{Do: "Get", Wait: wait}).Err, "Get did not wait for the producers that were left")
	c.order(order{Do: "Get"})
	require.Empty(t, first.do(order{Do: "Put", Items: []int{1}}).Err, "Put returned an error after another producer's Close")
	assert.Equal(t, []int{1}, c.answer().Values, "Get did not wait for the producers that were left")
	require.Empty(t, first.do(order{Do: "Close"}).Err, "Close returned an error")
	require.Empty(t, second.do(order{Do: "Put", Items: []int{2}}).Err, "Put returned an error after another producer's Close")
	assert.Equal(t, 2, c.get(), "Get did not return the item that a second producer had put")
	c.done()
	c.order(order{Do: "Get"})
	require.Empty(t, second.do(order{Do: "Close"}).Err, "Close returned an error")
	assert.Equal(t, closed, c.answer().Err, "the last producer had closed its end, and the consumer was not told")
	finishClosed(t, q, c, first, second)
}

func TestWaitingCostsNothing(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	c, p := startConsumer(t, q), startProducer(t, q)
	c.order(order{Do: "Get"})
	harness.Waiting(t, os.Getpid(), c.cmd.Process.Pid) // for an item
	put(t, q, 1)
	assert.Equal(t, []int{1}, c.answer().Values, "a Get that had waited did not return the item that was put")
	c.done()
	put(t, q, 2)
	p.order(order{Do: "Put", Items: []int{3}})
	harness.Waiting(t, os.Getpid(), p.cmd.Process.Pid) // for room
	assert.Equal(t, 2, c.get(), "the item that was put second did not come second")
	require.Empty(t, p.answer().Err, "Put returned an error, though there was room again")
	assert.Equal(t, 3, c.get(), "the item whose Put had waited did not come next")
	c.done()
	finish(t, q, c, p)
}
