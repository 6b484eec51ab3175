package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	queue "prokata/katas/04-queue"
)

func TestCapacityBelowOne(t *testing.T) {
	harness.Test(t)
	finish(t, newQueue[int](t, 1))
	for _, capacity := range []int{0, -1} {
		q, err := queue.New[int](capacity)
		if !assert.Error(t, err, "New took a capacity of %d", capacity) {
			finish(t, q)
		}
	}
}

func TestGetWithContext(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	c := startConsumer(t, q)
	for range 3 {
		require.Equal(t, deadline, c.do(order{Do: "Get", Wait: wait}).Err, "Get of an empty queue did not end with its context")
	}
	// What was given up must not take an item along.
	put(t, q, 1, 2, 3)
	for _, n := range upTo(3) {
		require.Equal(t, n, c.get(), "a Get whose context had ended took an item")
	}
	c.done()
	finish(t, q, c)
}

func TestPutWithContext(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	c := startConsumer(t, q)
	put(t, q, 1)
	for range 3 {
		require.ErrorIs(t, q.Put(brief(t), 2), ctxDeadline, "Put to a full queue did not end with its context")
	}
	// Another goroutine's Put waits already.
	waiting := make(chan error, 1)
	go func() { waiting <- q.Put(t.Context(), 4) }()
	harness.Waiting(t, os.Getpid())
	require.ErrorIs(t, q.Put(brief(t), 5), ctxDeadline, "Put did not end with its context while another goroutine's Put was waiting")
	assert.Equal(t, 1, c.get(), "the item that was put first did not come first")
	require.NoError(t, <-waiting, "Put returned an error, though there was room again")
	assert.Equal(t, 4, c.get(), "an item whose Put had ended with its context came out of the queue")
	put(t, q, 3)
	assert.Equal(t, 3, c.get(), "an item whose Put had ended with its context came out of the queue")
	c.done()
	finish(t, q, c)
}

// The context ends in the moment in which there is room: the item is in the queue
// or it is not, Put tells which, and the next Put has nothing to do with it.
func TestContextEndsAsRoomComes(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	c := startConsumer(t, q)
	for i := 0; i < 600; i += 3 {
		put(t, q, i)
		ctx, cancel := context.WithCancel(t.Context())
		c.order(order{Do: "Get"})
		go cancel()
		err := q.Put(ctx, i+1)
		next := make(chan error, 1)
		go func() { next <- q.Put(t.Context(), i+2) }()
		require.Equal(t, []int{i}, c.answer().Values, "Get did not return the item that had waited longest")
		if err == nil {
			require.Equal(t, i+1, c.get(), "Put returned nil, and its item is not in the queue")
		} else {
			require.ErrorIs(t, err, context.Canceled, "Put did not return the error of its context, which had been cancelled")
		}
		require.Equal(t, i+2, c.get(), "a Put whose context had ended is in the queue, or it took the next one along")
		require.NoError(t, <-next, "Put returned an error, though nothing had ended its own context")
		cancel()
	}
	c.done()
	finish(t, q, c)
}

func TestTryGet(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	c := startConsumer(t, q)
	assert.Equal(t, empty, c.do(order{Do: "TryGet"}).Err, "TryGet did not say that the queue is empty")
	put(t, q, 1)
	assert.Equal(t, answer[int]{Values: []int{1}}, c.do(order{Do: "TryGet"}), "TryGet did not take the item that was there")
	assert.Equal(t, empty, c.do(order{Do: "TryGet"}).Err, "TryGet did not say that the queue is empty again")
	c.done()
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, closed, c.do(order{Do: "TryGet"}).Err, "TryGet did not say that the queue is closed")
	finishClosed(t, q, c)
}

func TestMebibyteItems(t *testing.T) {
	harness.Test(t)
	q := newQueue[string](t, 2)
	consumers := startConsumers(t, q, 2)
	for _, c := range consumers {
		c.order(order{Do: "Drain"})
	}
	want := map[string]bool{}
	for i := range 4 {
		item := fmt.Sprint(i) + strings.Repeat(string(rune('a'+i)), 1<<20)
		want[item] = true
		put(t, q, item)
	}
	require.NoError(t, q.Close(), "Close returned an error")
	got := map[string]bool{}
	for _, c := range consumers {
		for _, item := range c.answer().Values {
			got[item] = true
		}
	}
	// Not shown if they differ: it would fill the screen.
	assert.True(t, cmp.Equal(want, got), "items of 1 MiB did not arrive as they were sent: %d of them arrived", len(got))
	finishClosed(t, q, consumers...)
}

func TestItemThatCannotBeEncoded(t *testing.T) {
	harness.Test(t)
	q := newQueue[any](t, 3)
	require.NoError(t, q.Put(t.Context(), "before"), "Put returned an error")
	assert.Error(t, q.Put(t.Context(), make(chan int)), "Put took a channel")
	assert.Error(t, q.TryPut(func() {}), "TryPut took a function")
	require.NoError(t, q.Put(t.Context(), "after"), "Put returned an error after an item had been refused")
	require.NoError(t, q.TryPut("last"), "an item that was refused has taken up room")
	c := start[string](t, reexec.Command("queue-consumer", "string"), q.StartConsumer)
	for _, want := range []string{"before", "after", "last"} {
		require.Equal(t, want, c.get(), "an item that was refused has damaged the queue")
	}
	// And one that can be put, but not read: the consumer takes strings.
	put(t, q, any(5), any("more"))
	a := c.do(order{Do: "Get"})
	assert.NotEmpty(t, a.Err, "a consumer of strings took a number")
	assert.Equal(t, "more", c.get(), "an item that could not be read has damaged the queue")
	c.done()
	c.end()
	require.NoError(t, q.Close(), "Close returned an error")
	var lost *queue.LostError[any]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report the item that could not be read")
	assert.Equal(t, []queue.Lost[any]{{Value: 5., PID: c.cmd.Process.Pid}}, lost.Items, "Join did not report the item that could not be read, with the consumer that had it in hand")
}

func TestUseAfterClose(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	c, p := startConsumer(t, q), startProducer(t, q)
	require.NoError(t, q.Close(), "Close returned an error")
	assert.ErrorIs(t, q.Put(t.Context(), 1), queue.ErrClosed, "Put did not say that the queue is closed")
	assert.ErrorIs(t, q.TryPut(2), queue.ErrClosed, "TryPut did not say that the queue is closed")
	n, err := q.PutAll(t.Context(), []int{3})
	assert.ErrorIs(t, err, queue.ErrClosed, "PutAll did not say that the queue is closed")
	assert.Zero(t, n, "PutAll counted an item that it had not put")
	assert.ErrorIs(t, q.Close(), queue.ErrClosed, "the second Close returned no error")
	require.Empty(t, p.do(order{Do: "Close"}).Err, "Close of a producer returned an error")
	assert.Equal(t, closed, p.do(order{Do: "Put", Items: []int{4}}).Err, "a producer put an item after its Close")
	require.Equal(t, closed, c.do(order{Do: "Get"}).Err, "an item that was put after Close is in the queue")
	late := reexec.Command("queue-producer")
	assert.ErrorIs(t, q.StartProducer(late), queue.ErrClosed, "a producer was started after the last one had closed")
	if late.Process != nil {
		late.Process.Kill()
		late.Wait()
	}
	assert.Equal(t, closed, p.do(order{Do: "Close"}).Err, "the second Close of a producer did not say that it had closed its end")
	require.Empty(t, c.do(order{Do: "Close"}).Err, "Close of a consumer returned an error")
	for _, method := range []string{"Get", "TryGet", "GetBatch", "Close"} {
		assert.Equal(t, closed, c.do(order{Do: method, Limit: 1}).Err, "%s of a consumer did not say that it had closed its end", method)
	}
	finishClosed(t, q, c, p)

	// Close finds a Put that waits.
	q = newQueue[int](t, 1)
	put(t, q, 1)
	waiting := make(chan error, 1)
	go func() { waiting <- q.Put(t.Context(), 2) }()
	harness.Waiting(t, os.Getpid())
	require.NoError(t, q.Close(), "Close returned an error while a Put was waiting")
	assert.ErrorIs(t, <-waiting, queue.ErrClosed, "a Put that waited did not say that the queue is closed")
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report an item that nobody had taken")
	assert.Equal(t, []queue.Lost[int]{{Value: 1}}, lost.Items, "an item whose Put had returned an error is in the queue")
}

// An end belongs to one process, and is opened once.
func TestOpenOnce(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	_, err := queue.OpenConsumer[int]()
	assert.Error(t, err, "OpenConsumer found an end in a process that was given none")
	_, err = queue.OpenProducer[int]()
	assert.Error(t, err, "OpenProducer found an end in a process that was given none")
	c, p := startConsumer(t, q), startProducer(t, q)
	assert.NotEmpty(t, c.do(order{Do: "Open"}).Err, "OpenConsumer gave the end a second time")
	assert.NotEmpty(t, p.do(order{Do: "Open"}).Err, "OpenProducer gave the end a second time")
	finish(t, q, c, p)
}

func TestJoin(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	require.NoError(t, q.Join(t.Context()), "Join of a queue that was never used returned an error")
	c := startConsumer(t, q)
	for round := range 2 {
		put(t, q, 1, 2)
		assert.ErrorIs(t, q.Join(brief(t)), ctxDeadline, "round %d: Join returned while items waited", round)
		c.get()
		c.done()
		c.get()
		assert.ErrorIs(t, q.Join(brief(t)), ctxDeadline, "round %d: Join returned while a consumer had an item in hand", round)
		joined := make(chan error, 1)
		go func() { joined <- q.Join(t.Context()) }()
		c.done()
		require.NoError(t, <-joined, "round %d: Join returned an error, though every item was finished", round)
	}
	require.NoError(t, q.Close(), "Close returned an error")
	assert.ErrorIs(t, q.Join(brief(t)), ctxDeadline, "Join returned after Close while a consumer still had its end of the queue")
	finishClosed(t, q, c)
}

func TestDoneTwice(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	c := startConsumer(t, q)
	put(t, q, 1, 2)
	c.get()
	c.get()
	assert.NotEmpty(t, c.do(order{Do: "Done twice"}).Err, "Done took one task twice")
	// The second Done of the first task must not have counted for the other one.
	assert.ErrorIs(t, q.Join(brief(t)), ctxDeadline, "Join returned while a consumer had an item in hand: one task was counted twice")
	c.done()
	finish(t, q, c)
}

func TestManyGoroutinesInOneProcess(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 4)
	c, idle := startConsumer(t, q), startConsumers(t, q, 3)
	c.order(order{Do: "Drain"})
	put := make(chan error)
	for i := range 10 {
		go func() {
			_, err := q.PutAll(t.Context(), upTo(100)[10*i:10*i+10])
			put <- err
		}()
	}
	for _, c := range idle { // they go while the others are busy
		require.NoError(t, c.in.Close(), "the test could not close a pipe")
	}
	var failed error
	for range 10 {
		failed = errors.Join(failed, <-put)
	}
	for _, c := range idle {
		require.NoError(t, c.cmd.Wait(), "a consumer that had nothing to do did not end well")
	}
	require.NoError(t, failed, "PutAll returned an error")
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, upTo(100), sorted(c.answer().Values), "ten goroutines put items at one time, and not each arrived exactly once")
	finishClosed(t, q, c)
}
