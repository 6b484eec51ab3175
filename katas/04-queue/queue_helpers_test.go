package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moby/sys/reexec"
	"github.com/stretchr/testify/require"

	queue "prokata/katas/04-queue"
)

// The children of these tests do what their parent tells them, one order at a
// time: so it is the test alone that decides what happens before what.
func init() {
	reexec.Register("queue-consumer", func() {
		if os.Args[1] == "string" {
			consume[string]()
		} else {
			consume[int]()
		}
	})
	reexec.Register("queue-producer", produce)
}

// An order is one call of the queue that a child shall make, and an answer what
// came of it.
type order struct {
	Do    string        // the method: "Get", "TryGet", "Put", ...
	Items []int         // what to put
	Limit int           // of GetBatch
	Wait  time.Duration // how long the context lasts; 0: for ever
}

type answer[T any] struct {
	Values []T
	Err    string // one of the words below, or the text of another error
}

// The words for the errors that the queue promises.
const (
	full     = "full"
	empty    = "empty"
	closed   = "closed"
	deadline = "deadline exceeded"
)

func word(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, queue.ErrFull):
		return full
	case errors.Is(err, queue.ErrEmpty):
		return empty
	case errors.Is(err, queue.ErrClosed):
		return closed
	case errors.Is(err, context.DeadlineExceeded):
		return deadline
	default:
		return err.Error()
	}
}

// consume is a child that takes items.
func consume[T any]() {
	c, err := queue.OpenConsumer[T]()
	var hand []*queue.Task[T]
	obey(err, func(ctx context.Context, o order) (a answer[T]) {
		var err error
		took := func(tasks ...*queue.Task[T]) {
			for _, t := range tasks {
				a.Values = append(a.Values, t.Value)
			}
			hand = append(hand, tasks...)
		}
		var t *queue.Task[T]
		switch o.Do {
		case "Get":
			if t, err = c.Get(ctx); err == nil {
				took(t)
			}
		case "TryGet":
			if t, err = c.TryGet(); err == nil {
				took(t)
			}
		case "GetBatch":
			var tasks []*queue.Task[T]
			tasks, err = c.GetBatch(ctx, o.Limit)
			took(tasks...)
		case "Done": // of all that it has in hand
			if err = c.Done(hand...); err == nil {
				hand = nil
			}
		case "Done twice":
			t, hand = hand[0], hand[1:]
			if err = c.Done(t); err == nil {
				err = c.Done(t)
			}
		case "Drain": // take and finish, until an error
			for {
				if t, err = c.Get(ctx); err != nil {
					break
				}
				a.Values = append(a.Values, t.Value)
				if err = c.Done(t); err != nil {
					break
				}
			}
		case "Drain by four": // the same, in four goroutines
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for {
						t, e := c.Get(ctx)
						mu.Lock()
						if e == nil {
							a.Values = append(a.Values, t.Value)
						}
						mu.Unlock()
						if e == nil {
							e = c.Done(t)
						}
						if e != nil {
							mu.Lock()
							err = e
							mu.Unlock()
							return
						}
					}
				})
			}
			wg.Wait()
		case "Close":
			err = c.Close()
		case "Open":
			_, err = queue.OpenConsumer[T]()
		case "Start bystander":
			err = startBystander()
		case "Environment":
			err = environment()
		}
		a.Err = word(err)
		return a
	})
}

// produce is a child that puts items.
func produce() {
	p, err := queue.OpenProducer[int]()
	obey(err, func(ctx context.Context, o order) (a answer[int]) {
		var err error
		switch o.Do {
		case "Put":
			for _, item := range o.Items {
				if err = p.Put(ctx, item); err != nil {
					break
				}
			}
		case "Put and exit":
			for _, item := range o.Items {
				if p.Put(ctx, item) != nil {
					os.Exit(1)
				}
			}
			os.Exit(0) // at once: no Close, nothing deferred
		case "Close":
			err = p.Close()
		case "Open":
			_, err = queue.OpenProducer[int]()
		case "Start bystander":
			err = startBystander()
		case "Environment":
			err = environment()
		}
		a.Err = word(err)
		return a
	})
}

// obey carries out the orders from the standard input, up to its end. It says
// first whether the end of the queue could be opened.
func obey[T any](opened error, do func(context.Context, order) answer[T]) {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	out.Encode(answer[T]{Err: word(opened)})
	if opened != nil {
		os.Exit(1)
	}
	for {
		var o order
		if in.Decode(&o) != nil {
			return
		}
		ctx, cancel := context.Background(), func() {}
		if o.Wait > 0 {
			ctx, cancel = context.WithTimeout(ctx, o.Wait)
		}
		out.Encode(do(ctx, o))
		cancel()
	}
}

// A child is a process that carries out orders; T is what it takes.
type child[T any] struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *json.Encoder
	dec *json.Decoder
}

func startConsumer[T any](t *testing.T, q *queue.Queue[T]) *child[T] {
	t.Helper()
	return start[T](t, reexec.Command("queue-consumer", fmt.Sprintf("%T", *new(T))), q.StartConsumer)
}

func startConsumers[T any](t *testing.T, q *queue.Queue[T], n int) []*child[T] {
	t.Helper()
	var all []*child[T]
	for range n {
		all = append(all, startConsumer(t, q))
	}
	return all
}

func startProducer(t *testing.T, q *queue.Queue[int]) *child[int] {
	t.Helper()
	return start[int](t, reexec.Command("queue-producer"), q.StartProducer)
}

// start starts cmd by way of the queue and waits until it has its end of it.
func start[T any](t *testing.T, cmd *exec.Cmd, start func(*exec.Cmd) error) *child[T] {
	t.Helper()
	c := &child[T]{t: t, cmd: cmd}
	// Not StdinPipe: who would close it if the queue did not start the command?
	stdin, in, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { in.Close() })
	out, stdout, err := os.Pipe()
	require.NoError(t, err, "the test could not make a pipe")
	t.Cleanup(func() { out.Close() })
	c.in, c.enc, c.dec = in, json.NewEncoder(in), json.NewDecoder(out)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, os.Stderr
	err = start(cmd)
	stdin.Close()
	stdout.Close()
	require.NoError(t, err, "the queue did not start the child")
	t.Cleanup(func() { // for a test that failed on its way
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	require.Empty(t, c.answer().Err, "the child did not get its end of the queue")
	return c
}

// order tells the child what to do next and does not wait for it.
func (c *child[T]) order(o order) {
	c.t.Helper()
	require.NoError(c.t, c.enc.Encode(o), "the child had ended before the order %q", o.Do)
}

// answer waits for what came of the last order.
func (c *child[T]) answer() answer[T] {
	c.t.Helper()
	var a answer[T]
	require.NoError(c.t, c.dec.Decode(&a), "the child ended without an answer")
	return a
}

func (c *child[T]) do(o order) answer[T] {
	c.t.Helper()
	c.order(o)
	return c.answer()
}

// get has the child take one item and returns it.
func (c *child[T]) get() T {
	c.t.Helper()
	a := c.do(order{Do: "Get"})
	require.Empty(c.t, a.Err, "Get returned an error")
	require.Len(c.t, a.Values, 1, "Get returned no item")
	return a.Values[0]
}

// done has the child finish all that it has in hand.
func (c *child[T]) done() {
	c.t.Helper()
	require.Empty(c.t, c.do(order{Do: "Done"}).Err, "Done returned an error")
}

// end has the child come to its end, and waits for it.
func (c *child[T]) end() {
	c.t.Helper()
	require.NoError(c.t, c.in.Close(), "the test could not close a pipe")
	require.NoError(c.t, c.cmd.Wait(), "the child did not end well")
}

func endAll[T any](children []*child[T]) {
	for _, c := range children {
		c.t.Helper()
		c.end()
	}
}

// kill ends the child without warning, and waits for it.
func (c *child[T]) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill(), "the test could not kill a child")
	require.Error(c.t, c.cmd.Wait(), "a child had ended by itself before it was killed")
}

// newQueue makes a queue that the test closes and joins.
func newQueue[T any](t *testing.T, capacity int) *queue.Queue[T] {
	t.Helper()
	q, err := queue.New[T](capacity)
	require.NoError(t, err, "New refused a capacity of %d", capacity)
	t.Cleanup(func() {
		if t.Failed() { // it may have stopped on its way: leave nothing behind
			q.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			q.Join(ctx)
		}
	})
	return q
}

// finish closes the queue, waits for the children, and expects that no item was
// lost.
func finish[T any](t *testing.T, q *queue.Queue[T], children ...*child[T]) {
	t.Helper()
	require.NoError(t, q.Close(), "Close returned an error")
	finishClosed(t, q, children...)
}

// finishClosed does so for a queue that is closed already.
func finishClosed[T any](t *testing.T, q *queue.Queue[T], children ...*child[T]) {
	t.Helper()
	endAll(children)
	require.NoError(t, q.Join(t.Context()), "Join returned an error, though every item was finished")
}

// makeQueue makes a queue and lets go of it: so it tells whether that can be
// done at all.
func makeQueue() error {
	q, err := queue.New[int](1)
	if err != nil {
		return err
	}
	return errors.Join(q.Close(), q.Join(context.Background()))
}

// put puts items from this process.
func put[T any](t *testing.T, q *queue.Queue[T], items ...T) {
	t.Helper()
	for _, item := range items {
		require.NoError(t, q.Put(t.Context(), item), "Put returned an error")
	}
}

// brief returns a context that ends soon.
func brief(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	t.Cleanup(cancel)
	return ctx
}

// wait is how long the contexts of these tests last: however slow the machine,
// what is awaited with them never comes.
const wait = 30 * time.Millisecond

// ctxDeadline is how such a context ends.
var ctxDeadline = context.DeadlineExceeded

// upTo returns the numbers from 1 to n.
func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return numbers
}

func sorted(numbers []int) []int {
	return slices.Sorted(slices.Values(numbers))
}
