package queue_test

import (
	"errors"
	"fmt"
	"io"
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
	assert.Equal(t, 1, c.get())
	put(t, q, 3)
	assert.Equal(t, 3, c.get(), "an item whose Put had ended with its context came out of the queue")
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
	require.NoError(t, q.Close())
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
	require.NoError(t, q.Close())
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
	require.NoError(t, q.Put(t.Context(), "before"))
	assert.Error(t, q.Put(t.Context(), make(chan int)), "Put took a channel")
	assert.Error(t, q.TryPut(func() {}), "TryPut took a function")
	require.NoError(t, q.Put(t.Context(), "after"), "Put returned an error after an item had been refused")
	require.NoError(t, q.TryPut("last"), "an item that was refused has taken up room")
	c := start[string](t, reexec.Command("queue-consumer", "string"), q.StartConsumer)
	for _, want := range []string{"before", "after", "last"} {
		require.Equal(t, want, c.get(), "an item that was refused has damaged the queue")
	}
	c.done()
	c.end()
	finish(t, q)
}

func TestProducerKilled(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	p := startProducer(t, q)
	require.NoError(t, q.Close())
	require.Empty(t, p.do(order{Do: "Put", Items: []int{1, 2, 3}}).Err)
	consumers := startConsumers(t, q, 2)
	assert.Equal(t, 1, consumers[0].get())
	consumers[0].done()
	p.order(order{Do: "Put", Items: []int{4, 5, 6}}) // two more than there is room for
	p.kill()
	var all []int
	for _, c := range consumers {
		c.order(order{Do: "Drain"})
	}
	for _, c := range consumers {
		a := c.answer()
		assert.Equal(t, closed, a.Err, "the only producer was killed, and a consumer was not told that the queue is closed")
		all = append(all, a.Values...)
	}
	assert.Subset(t, all, []int{2, 3}, "items that a producer had put before it was killed were lost")
	assert.Subset(t, []int{2, 3, 4, 5, 6}, all, "the consumers took items that were never put")
	finishClosed(t, q, consumers...)
}

func TestOwnerKilled(t *testing.T) {
	harness.Test(t)
	require.NoError(t, makeQueue(), "New returned an error")
	// The consumers hold the write end of this pipe; it ends when they end.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	owner := reexec.Command("queue-owner")
	owner.Stdout, owner.Stderr = w, os.Stderr
	in, err := owner.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	require.NoError(t, owner.Start())
	w.Close()
	opened := make([]byte, 1)
	for lines := 0; lines < 2; { // each says that it has its end of the queue
		_, err := r.Read(opened)
		if opened[0] == '\n' {
			lines++
		}
		if err != nil {
			owner.Wait()
			require.NoError(t, err, "the owner of the queue did not start two consumers")
		}
	}
	require.NoError(t, owner.Process.Kill())
	owner.Wait()
	answers, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(answers), `"Err"`), "the process that made the queue was killed, and its consumers did not come to an end by themselves")
}

func TestConsumerKilled(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 10)
	victim, other := startConsumer(t, q), startConsumer(t, q)
	put(t, q, upTo(5)...)
	assert.Equal(t, 1, victim.get())
	victim.done()
	assert.Equal(t, 2, victim.get())
	assert.Equal(t, 3, other.get())
	assert.Equal(t, 4, victim.get())
	victim.kill()
	other.done()
	put(t, q, 6)
	assert.Equal(t, 5, other.get(), "the queue did not go on for the other consumer")
	assert.Equal(t, 6, other.get(), "the queue did not go on for the other consumer")
	other.done()
	err := q.Join(t.Context())
	var lost *queue.LostError[int]
	require.ErrorAs(t, err, &lost, "Join did not report what a killed consumer had in hand")
	pid := victim.cmd.Process.Pid
	assert.Equal(t, []queue.Lost[int]{{Value: 2, PID: pid}, {Value: 4, PID: pid}}, lost.Items, "Join did not report what the killed consumer had taken and not finished")
	assert.NotEmpty(t, lost.Error())
	finish(t, q, other) // which also expects that nothing is reported twice
}

func TestConsumerKilledWhileItWaits(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 2)
	victim, other := startConsumer(t, q), startConsumer(t, q)
	victim.order(order{Do: "Get"})
	harness.Waiting(t, victim.cmd.Process.Pid)
	victim.kill()
	put(t, q, 1, 2)
	// The queue may hear of the death only when it hands the first item to the
	// dead. That may cost the item its turn, and no more.
	assert.Equal(t, []int{1, 2}, sorted([]int{other.get(), other.get()}), "an item went to a consumer that was dead")
	other.done()
	finish(t, q, other)
}

func TestConsumerReplaced(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	put(t, q, 1, 2, 3)
	victim := startConsumer(t, q)
	assert.Equal(t, 1, victim.get())
	victim.kill()
	require.NoError(t, q.Close())
	next := startConsumer(t, q)
	assert.Equal(t, []int{2, 3}, next.do(order{Do: "Drain"}).Values, "a new consumer did not take over from the killed one")
	next.end()
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what a killed consumer had in hand")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: victim.cmd.Process.Pid}}, lost.Items)
}

func TestNobodyLeftToTake(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	c := startConsumer(t, q)
	put(t, q, 1, 2, 3)
	assert.Equal(t, 1, c.get())
	require.Empty(t, c.do(order{Do: "Close"}).Err, "Close returned an error")
	c.end()
	require.NoError(t, q.Close())
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report the items that nobody had taken")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: c.cmd.Process.Pid}, {Value: 2}, {Value: 3}}, lost.Items, "Join did not report what was left when the last consumer had closed its end")
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
	require.Empty(t, p.do(order{Do: "Close"}).Err)
	assert.Equal(t, closed, p.do(order{Do: "Put", Items: []int{4}}).Err, "a producer put an item after its Close")
	require.Equal(t, closed, c.do(order{Do: "Get"}).Err, "an item that was put after Close is in the queue")
	late := reexec.Command("queue-producer")
	assert.ErrorIs(t, q.StartProducer(late), queue.ErrClosed, "a producer was started after the last one had closed")
	if late.Process != nil {
		late.Process.Kill()
		late.Wait()
	}
	require.Empty(t, c.do(order{Do: "Close"}).Err)
	assert.Equal(t, closed, c.do(order{Do: "Get"}).Err, "a consumer did not say that it had closed its end")
	finishClosed(t, q, c, p)
}

func TestProducerExitsAtOnce(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 50)
	p := startProducer(t, q)
	p.order(order{Do: "Put and exit", Items: upTo(50)})
	require.NoError(t, p.cmd.Wait(), "Put returned an error")
	p.in.Close()
	require.NoError(t, q.Close())
	c := startConsumer(t, q)
	assert.Equal(t, upTo(50), c.do(order{Do: "Drain"}).Values, "items were lost when the producer ended right after its last Put")
	finishClosed(t, q, c)
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
	require.NoError(t, q.Close())
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

func TestStartFails(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	cmd := reexec.Command("queue-consumer", "int")
	cmd.Path = t.TempDir() + "/nothing"
	assert.Error(t, q.StartConsumer(cmd), "StartConsumer did not say that the program is missing")
	producer := reexec.Command("queue-producer")
	producer.Path = cmd.Path
	assert.Error(t, q.StartProducer(producer), "StartProducer did not say that the program is missing")
	c := startConsumer(t, q)
	put(t, q, 1)
	assert.Equal(t, 1, c.get())
	c.done()
	c.order(order{Do: "Get"})
	require.NoError(t, q.Close())
	assert.Equal(t, closed, c.answer().Err, "a producer that never started keeps the queue open")
	finishClosed(t, q, c)
}

func TestManyGoroutinesInOneProcess(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 4)
	c := startConsumer(t, q)
	c.order(order{Do: "Drain"})
	put := make(chan error)
	for i := range 10 {
		go func() {
			_, err := q.PutAll(t.Context(), upTo(100)[10*i:10*i+10])
			put <- err
		}()
	}
	var failed error
	for range 10 {
		failed = errors.Join(failed, <-put)
	}
	require.NoError(t, failed, "PutAll returned an error")
	require.NoError(t, q.Close())
	assert.Equal(t, upTo(100), sorted(c.answer().Values), "ten goroutines put items at one time, and not each arrived exactly once")
	finishClosed(t, q, c)
}
