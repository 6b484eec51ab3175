package queue_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	queue "prokata/katas/04-queue"
)

func init() {
	reexec.Register("queue-owner", own)
	reexec.Register("queue-bystander", func() { io.Copy(io.Discard, os.Stdin) })
}

// own is a child that makes two queues of its own and closes neither: one has two
// consumers, the other one a producer.
func own() {
	consumers, err := queue.New[int](4)
	var last *exec.Cmd
	for range 2 {
		if err == nil {
			last = owned("queue-consumer", "int")
			err = startDraining(consumers, last)
		}
	}
	var producers *queue.Queue[int]
	if err == nil {
		producers, err = queue.New[int](4)
	}
	if err == nil {
		p := owned("queue-producer")
		p.Stdin = os.Stdin
		err = producers.StartProducer(p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "owner:", err)
		os.Exit(1)
	}
	last.Wait() // until it is killed itself: no consumer comes to its end
}

// startDraining starts a consumer that has its order before it has begun: it is the
// producer that has the test's orders, also when its parent is dead. A Reader as its
// input would not do, for that is copied by the parent, which may be killed first.
func startDraining(q *queue.Queue[int], cmd *exec.Cmd) error {
	stdin, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	if err := errors.Join(json.NewEncoder(in).Encode(order{Do: "Drain"}), in.Close()); err != nil {
		return err
	}
	cmd.Stdin = stdin
	return q.StartConsumer(cmd)
}

// owned returns the command of a child of the owner. Not reexec.Command: on Linux
// that would have the kernel end the child together with its parent, and it is the
// queue that shall do that.
func owned(args ...string) *exec.Cmd {
	return &exec.Cmd{Path: reexec.Self(), Args: args, Stdout: os.Stdout, Stderr: os.Stderr}
}

// startBystander starts a child of a child that knows nothing of the queue. It
// lives until the input ends that the test has given to its parent, as the first
// of the files that a command can bring along, and holds the second all the while.
func startBystander() error {
	// Not reexec.Command: on Linux that would have the kernel end it with its parent.
	cmd := &exec.Cmd{Path: reexec.Self(), Args: []string{"queue-bystander"}}
	until, alive := os.NewFile(3, "until"), os.NewFile(4, "alive")
	if _, err := alive.WriteString("alive"); err != nil { // so that it is the test's file
		return err
	}
	cmd.Stdin, cmd.Stdout = until, alive
	return cmd.Start()
}

func TestProducerKilled(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 3)
	p := startProducer(t, q)
	require.NoError(t, q.Close(), "Close returned an error")
	require.Empty(t, p.do(order{Do: "Put", Items: []int{1, 2, 3}}).Err, "Put returned an error, though there was room")
	consumers := startConsumers(t, q, 2)
	assert.Equal(t, 1, consumers[0].get(), "the item that was put first did not come first")
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
	// The owner's children hold the write end of this pipe; it ends when they end.
	r, w, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	defer r.Close()
	owner := reexec.Command("queue-owner")
	owner.Stdout, owner.Stderr = w, os.Stderr
	stdin, in, err := os.Pipe() // not StdinPipe, which Wait closes
	require.NoError(t, err, "the test could not make a pipe")
	defer in.Close()
	owner.Stdin = stdin
	require.NoError(t, owner.Start(), "the test could not start a process")
	w.Close()
	stdin.Close()
	said := json.NewDecoder(r)
	for range 3 { // each says that it has its end of the queue
		var a answer[int]
		if err := said.Decode(&a); err != nil {
			owner.Wait()
			require.NoError(t, err, "the owner of the queues did not start two consumers and a producer")
		}
	}
	require.NoError(t, owner.Process.Kill(), "the test could not kill a process")
	owner.Wait()
	// The owner's input is that of its producer.
	require.NoError(t, json.NewEncoder(in).Encode(order{Do: "Put", Items: []int{1}}), "the test could not write to a pipe")
	for range 3 {
		var a answer[int]
		require.NoError(t, said.Decode(&a), "the process that made the queue was killed, and its consumers did not come to an end by themselves")
		assert.NotEmpty(t, a.Err, "a method returned no error, though the process that made the queue had been killed")
		assert.NotEqual(t, closed, a.Err, "a method said that the queue is closed, though the process that made it had been killed before it was")
	}
	in.Close()
	require.ErrorIs(t, said.Decode(new(answer[int])), io.EOF, "a child of the process that was killed said something that nobody had asked it")
}

func TestConsumerKilled(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 10)
	victim, other := startConsumer(t, q), startConsumer(t, q)
	put(t, q, upTo(8)...)
	assert.Equal(t, 1, victim.get(), "the item that was put first did not come first")
	victim.done()
	assert.Equal(t, 2, victim.get(), "Get did not return the item that had waited longest")
	assert.Equal(t, 3, other.get(), "Get did not return the item that had waited longest")
	for n := 4; n <= 7; n++ {
		assert.Equal(t, n, victim.get(), "Get did not return the item that had waited longest")
	}
	victim.kill()
	other.done()
	put(t, q, 9)
	assert.Equal(t, 8, other.get(), "the queue did not go on for the other consumer")
	assert.Equal(t, 9, other.get(), "the queue did not go on for the other consumer")
	other.done()
	joined := make(chan error)
	for range 3 {
		go func() { joined <- q.Join(t.Context()) }()
	}
	var items []queue.Lost[int]
	for range 3 {
		if err := <-joined; err != nil {
			var lost *queue.LostError[int]
			require.ErrorAs(t, err, &lost, "Join returned another error than that items were lost")
			assert.Contains(t, lost.Error(), fmt.Sprint(len(lost.Items)), "the error of Join did not say how many items were lost")
			items = append(items, lost.Items...)
		}
	}
	pid := victim.cmd.Process.Pid
	assert.Equal(t, []queue.Lost[int]{{Value: 2, PID: pid}, {Value: 4, PID: pid}, {Value: 5, PID: pid}, {Value: 6, PID: pid}, {Value: 7, PID: pid}}, items,
		"Join did not report, once and in order, what the killed consumer had taken and not finished")
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

// What was on its way to a killed consumer is taken by another one, or Join
// reports it. What it had in hand before is reported, whatever was on its way.
func TestConsumerKilledBeforeItHears(t *testing.T) {
	harness.Test(t)
	stopped := func(q *queue.Queue[int]) *child[int] {
		c := startConsumer(t, q)
		put(t, q, 1)
		assert.Equal(t, 1, c.get(), "Get did not return the item that was put")
		c.order(order{Do: "Get"})
		harness.Waiting(t, c.cmd.Process.Pid)
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP), "the test could not stop a process") // it reads nothing any more
		return c
	}
	q := newQueue[int](t, 2)
	victim := stopped(q)
	put(t, q, 2)
	victim.kill()
	require.NoError(t, q.Close(), "Close returned an error")
	next := startConsumer(t, q)
	took := next.do(order{Do: "Drain"}).Values
	next.end()
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what a killed consumer had in hand")
	assert.Equal(t, queue.Lost[int]{Value: 1, PID: victim.cmd.Process.Pid}, lost.Items[0], "Join did not report first what the killed consumer had in hand")
	for _, item := range lost.Items[1:] {
		took = append(took, item.Value)
	}
	assert.Equal(t, []int{2}, took, "an item on its way to a killed consumer was neither taken by another one nor lost, or both")

	q = newQueue[int](t, 2)
	victim = stopped(q)
	require.NoError(t, q.Close(), "Close returned an error")
	victim.kill()
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what a killed consumer had in hand")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: victim.cmd.Process.Pid}}, lost.Items, "Join did not report what the killed consumer had in hand, and nothing else")
}

func TestConsumerReplaced(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	put(t, q, 1, 2, 3)
	victim := startConsumer(t, q)
	assert.Equal(t, 1, victim.get(), "the item that was put first did not come first")
	victim.kill()
	require.NoError(t, q.Close(), "Close returned an error")
	next := startConsumer(t, q)
	assert.Equal(t, []int{2, 3}, next.do(order{Do: "Drain"}).Values, "a new consumer did not take over from the killed one")
	next.end()
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what a killed consumer had in hand")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: victim.cmd.Process.Pid}}, lost.Items, "Join did not report what the killed consumer had in hand, and nothing else")
	assert.Contains(t, lost.Error(), fmt.Sprint(victim.cmd.Process.Pid), "the error does not name who had the first item in hand")
}

func TestNobodyLeftToTake(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	c := startConsumer(t, q)
	put(t, q, 1, 2, 3)
	assert.Equal(t, 1, c.get(), "the item that was put first did not come first")
	require.Empty(t, c.do(order{Do: "Close"}).Err, "Close returned an error")
	assert.Equal(t, closed, c.do(order{Do: "Done"}).Err, "Done of a consumer did not say that it had closed its end")
	c.end()
	require.NoError(t, q.Close(), "Close returned an error")
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report the items that nobody had taken")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: c.cmd.Process.Pid}, {Value: 2}, {Value: 3}}, lost.Items, "Join did not report what was left when the last consumer had closed its end")
}

// A consumer has files from its caller, and a child of its own to whom it gives
// them. The child outlives it, and must not be taken for it.
func TestChildOfAConsumer(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	until, end, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { end.Close() })
	gone, alive, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { gone.Close() })
	cmd := reexec.Command("queue-consumer", "int")
	cmd.ExtraFiles = []*os.File{until, alive}
	c := start[int](t, cmd, func(cmd *exec.Cmd) error {
		defer until.Close()
		defer alive.Close()
		return q.StartConsumer(cmd)
	})
	require.Empty(t, c.do(order{Do: "Start bystander"}).Err, "the consumer did not get the files that its command had brought along")
	put(t, q, 1)
	assert.Equal(t, 1, c.get(), "the item that was put first did not come first")
	c.kill()
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what a killed consumer had in hand")
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: c.cmd.Process.Pid}}, lost.Items, "Join did not report what the killed consumer had in hand, and nothing else")
	finish(t, q)
	require.NoError(t, end.Close(), "the test could not close a pipe")
	said, err := io.ReadAll(gone)
	require.NoError(t, err, "the test could not read from a pipe")
	assert.Equal(t, "alive", string(said), "the consumer did not get the files that its command had brought along")
}

func TestProducerExitsAtOnce(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 50)
	p := startProducer(t, q)
	p.order(order{Do: "Put and exit", Items: upTo(50)})
	require.NoError(t, p.cmd.Wait(), "Put of a producer returned an error, though there was room")
	p.in.Close()
	require.NoError(t, q.Close(), "Close returned an error")
	c := startConsumer(t, q)
	assert.Equal(t, upTo(50), c.do(order{Do: "Drain"}).Values, "items were lost when the producer ended right after its last Put")
	finishClosed(t, q, c)
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
	assert.Equal(t, 1, c.get(), "the item that was put first did not come first")
	c.done()
	c.order(order{Do: "Get"})
	require.NoError(t, q.Close(), "Close returned an error")
	assert.Equal(t, closed, c.answer().Err, "a producer that never started keeps the queue open")
	finishClosed(t, q, c)
}

// Each step of a start is refused once: there is no descriptor left for it.
func TestStartFailsHalfWay(t *testing.T) {
	harness.Test(t)
	require.NoError(t, makeQueue(), "New returned an error")
	harness.UntilItFits(t, func() error {
		q, err := queue.New[int](1)
		if err == nil {
			require.NotNil(t, q, "New returned neither an error nor a queue")
			finish(t, q)
		}
		return err
	})
	q := newQueue[int](t, 1)
	for _, s := range []struct {
		name, child string
		start       func(*exec.Cmd) error
	}{
		{"StartConsumer", "queue-consumer", q.StartConsumer},
		{"StartProducer", "queue-producer", q.StartProducer},
	} {
		var cmd *exec.Cmd
		harness.UntilItFits(t, func() error {
			cmd = reexec.Command(s.child, "int")
			err := s.start(cmd)
			if err != nil && cmd.Process != nil {
				t.Errorf("%s returned an error, and the process was started", s.name)
				cmd.Process.Kill()
				cmd.Wait()
			}
			return err
		})
		require.NotNil(t, cmd.Process, "%s returned no error, and no process was started", s.name)
		require.NoError(t, cmd.Wait(), "a child that had nothing to do did not end well after %s", s.name)
	}
	finish(t, q)
}
