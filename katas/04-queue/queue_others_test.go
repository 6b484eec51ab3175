package queue_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	queue "prokata/katas/04-queue"
)

// What one process does, or stops doing, and the others have nothing to do with.

// A consumer stands still while an item comes to it that is larger than what any
// pipe or socket holds.
func TestStoppedConsumerHoldsNobodyUp(t *testing.T) {
	harness.Test(t)
	q := newQueue[string](t, 4)
	slow, other := startConsumer(t, q), startConsumer(t, q)
	slow.order(order{Do: "Get"})
	harness.Waiting(t, slow.cmd.Process.Pid)
	require.NoError(t, slow.cmd.Process.Signal(syscall.SIGSTOP), "the test could not stop a process")
	big := strings.Repeat("x", 1<<20)
	put(t, q, big, "small")
	took := other.get()
	if took == big { // which was for whoever asks next
		took = other.get()
		put(t, q, big)
	}
	assert.True(t, took == "small", "Get of one consumer did not return the next item while another consumer stood still, but one of %d bytes", len(took))
	require.NoError(t, slow.cmd.Process.Signal(syscall.SIGCONT), "the test could not continue a process")
	late := slow.answer().Values
	require.Equal(t, 1, len(late), "a consumer that had stood still did not get an item")
	assert.True(t, late[0] == big, "an item of %d bytes did not arrive as it was sent, but as one of %d", len(big), len(late[0]))
	slow.done()
	other.done()
	finish(t, q, slow, other)
}

func TestManyGoroutinesTake(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 4)
	consumers := startConsumers(t, q, 2)
	for _, c := range consumers {
		c.order(order{Do: "Drain by four"})
	}
	put(t, q, upTo(200)...)
	require.NoError(t, q.Close(), "Close returned an error")
	var all []int
	for _, c := range consumers {
		a := c.answer()
		assert.Equal(t, closed, a.Err, "goroutines of a consumer were not told that the queue is closed")
		all = append(all, a.Values...)
	}
	assert.Equal(t, upTo(200), sorted(all), "four goroutines of each consumer took items at one time, and did not take each exactly once")
	finishClosed(t, q, consumers...)
}

// Two consumers take in turn, and are killed in the other order.
func TestLostInOrder(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 5)
	first, second := startConsumer(t, q), startConsumer(t, q)
	put(t, q, upTo(5)...)
	for i, c := range []*child[int]{first, second, first, second} {
		require.Equal(t, i+1, c.get(), "Get did not return the item that had waited longest")
	}
	second.kill()
	first.kill()
	require.NoError(t, q.Close(), "Close returned an error")
	var lost *queue.LostError[int]
	require.ErrorAs(t, q.Join(t.Context()), &lost, "Join did not report what killed consumers had in hand")
	one, two := first.cmd.Process.Pid, second.cmd.Process.Pid
	assert.Equal(t, []queue.Lost[int]{{Value: 1, PID: one}, {Value: 2, PID: two}, {Value: 3, PID: one}, {Value: 4, PID: two}, {Value: 5}}, lost.Items,
		"Join did not report the lost items in the order in which they were put, each with the consumer that had it in hand")
}

// A producer has a child that knows nothing of the queue, and outlives it.
func TestChildOfAProducer(t *testing.T) {
	harness.Test(t)
	q := newQueue[int](t, 1)
	until, end, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { end.Close() })
	gone, alive, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { gone.Close() })
	cmd := reexec.Command("queue-producer")
	cmd.ExtraFiles = []*os.File{until, alive}
	p := start[int](t, cmd, func(cmd *exec.Cmd) error {
		defer until.Close()
		defer alive.Close()
		return q.StartProducer(cmd)
	})
	require.Empty(t, p.do(order{Do: "Start bystander"}).Err, "the producer did not get the files that its command had brought along")
	require.NoError(t, q.Close(), "Close returned an error")
	p.kill()
	c := startConsumer(t, q)
	assert.Equal(t, closed, c.do(order{Do: "Get"}).Err, "Get did not say that the queue is closed when the last producer had been killed, and its child lived on")
	finishClosed(t, q, c)
	require.NoError(t, end.Close(), "the test could not close a pipe")
	_, err = io.Copy(io.Discard, gone) // ends with the child of the producer
	require.NoError(t, err, "the test could not read from a pipe")
}

// environment says, as an error, what is in two variables of the environment.
func environment() error {
	return fmt.Errorf("parent's %q, command's %q", os.Getenv("QUEUE_TEST_PARENT"), os.Getenv("QUEUE_TEST_COMMAND"))
}

// What a command has for an environment, be it that of its parent, it keeps.
func TestEnvironmentOfAChild(t *testing.T) {
	harness.Test(t)
	t.Setenv("QUEUE_TEST_PARENT", "left")
	q := newQueue[int](t, 1)
	for _, s := range []struct {
		name, child string
		start       func(*exec.Cmd) error
	}{
		{"StartConsumer", "queue-consumer", q.StartConsumer},
		{"StartProducer", "queue-producer", q.StartProducer},
	} {
		heir := start[int](t, reexec.Command(s.child, "int"), s.start)
		assert.Equal(t, `parent's "left", command's ""`, heir.do(order{Do: "Environment"}).Err, "%s did not leave a command without an environment of its own that of its parent", s.name)
		cmd := reexec.Command(s.child, "int")
		cmd.Env = append(os.Environ(), "QUEUE_TEST_PARENT=", "QUEUE_TEST_COMMAND=right")
		own := start[int](t, cmd, s.start)
		assert.Equal(t, fmt.Sprintf("parent's %q, command's %q", "", "right"), own.do(order{Do: "Environment"}).Err, "%s did not leave a command its own environment", s.name)
		endAll([]*child[int]{heir, own})
	}
	finish(t, q)
}
