// Package queue is a bounded queue between processes: producers put items in,
// several consumers take them out, and each item goes to one consumer alone.
//
// Python hands you multiprocessing.JoinableQueue. Here you build it. The hard
// part is not to move bytes, it is to agree: two consumers that read one pipe
// can each get half of a message; a stop marker is eaten by one consumer while
// the others wait for ever; and a consumer that dies takes its item along.
//
// Three roles. The process that calls New owns the Queue and is its first
// producer. It starts the others: StartProducer and StartConsumer start a
// command that finds its end of the queue with OpenProducer or OpenConsumer.
//
// Items travel as JSON (package encoding/json), so that an item may be any
// value that has a JSON form, of any size.
//
// An item is waiting from Put to Get, in hand from Get to Done, and finished
// after that. Only waiting items count towards the capacity.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"sync/atomic"
)

var (
	// ErrFull is what TryPut returns while as many items wait as the queue holds.
	ErrFull = errors.New("queue is full")
	// ErrEmpty is what TryGet returns while no item waits and one may still come.
	ErrEmpty = errors.New("queue is empty")
	// ErrClosed is what Get returns when no item waits and none can come any more,
	// and what every method of an end returns after that end's Close.
	ErrClosed = errors.New("queue is closed")
)

// A Queue is the queue in the process that made it, which is also its first
// producer: Put, TryPut and PutAll are those of its Producer. A process that is
// slow, or stopped, holds up nobody but itself, whatever the size of the item that
// it puts or takes.
type Queue[T any] struct {
	*Producer[T]
	keeper *keeper
	own    *peer // the keeper's end of the Producer
}

// New makes a queue that holds at most capacity waiting items. A capacity
// below 1 is refused.
//
// After use, Close and Join let go of all that the queue holds.
func New[T any](capacity int) (*Queue[T], error) {
	if capacity < 1 {
		return nil, fmt.Errorf("queue: a capacity of %d is less than 1", capacity)
	}
	k := newKeeper(capacity)
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	// The owner puts items in as every other producer does: one way to do it is
	// one way to get it right.
	own := k.admit(ours, true)
	go k.serve(own)
	return &Queue[T]{Producer: &Producer[T]{newClient(theirs)}, keeper: k, own: own}, nil
}

// StartProducer starts cmd, which finds its end of the queue with
// OpenProducer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. After Close it fails with
// ErrClosed.
func (q *Queue[T]) StartProducer(cmd *exec.Cmd) error {
	select {
	case <-q.own.gone:
		return ErrClosed
	default:
		return q.start(cmd, producerEnd)
	}
}

// StartConsumer starts cmd, which finds its end of the queue with
// OpenConsumer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. It may be called after Close,
// for consumers that take what still waits.
func (q *Queue[T]) StartConsumer(cmd *exec.Cmd) error {
	return q.start(cmd, consumerEnd)
}

func (q *Queue[T]) start(cmd *exec.Cmd, end string) error {
	ours, theirs, err := socketpair()
	if err != nil {
		return err
	}
	// The child alone may hold its end. A copy left open here, or in another
	// child, would hide its death: the stream would never end.
	defer theirs.Close()
	p := q.keeper.admit(ours, end == producerEnd)
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", end, 3+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	if err := cmd.Start(); err != nil {
		ours.Close()
		q.keeper.dismiss(p, false)
		return err
	}
	p.pid = cmd.Process.Pid
	go q.keeper.serve(p)
	return nil
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed. When the other producers have closed their ends too, or have ended,
// the queue is closed: consumers take what still waits and then get ErrClosed.
func (q *Queue[T]) Close() error {
	err := q.Producer.Close()
	<-q.own.gone // so that a Join after this sees that the owner has closed
	return err
}

// Join waits until every item that was put is finished or lost. After Close it
// also waits until all other processes have closed their ends or have ended;
// then nothing of the queue is left in this process.
//
// It returns a *LostError[T] if items were lost, each of which is reported by
// one Join alone, or the error of ctx if that ends first; then Join may be
// called again.
func (q *Queue[T]) Join(ctx context.Context) error {
	tasks, err := q.keeper.join(ctx, q.own)
	if err != nil || len(tasks) == 0 {
		return err
	}
	lost := &LostError[T]{Items: make([]Lost[T], len(tasks))}
	for i, t := range tasks {
		lost.Items[i].PID = t.pid
		// One that another producer put and that is no T here stays zero: it is lost
		// all the same.
		json.Unmarshal(t.item, &lost.Items[i].Value)
	}
	return lost
}

// A LostError names the items that were put and that nobody will finish.
type LostError[T any] struct {
	Items []Lost[T] // in the order in which they were put
}

// A Lost item was in the hand of a consumer that ended without finishing it, or
// was still waiting when the last process had let go of a closed queue.
type Lost[T any] struct {
	Value T
	PID   int // the consumer that had it in hand; 0 if nobody had
}

// Error says how many items were lost, and the first of them.
func (e *LostError[T]) Error() string {
	first := e.Items[0]
	return fmt.Sprintf("queue: %d item(s) lost, the first, %v, in the hand of process %d", len(e.Items), first.Value, first.PID)
}

// A Producer is a process's end for putting items in. It may be used by
// several goroutines at once.
type Producer[T any] struct {
	*client
}

// OpenProducer returns this process's end of the queue whose StartProducer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenProducer[T any]() (*Producer[T], error) {
	c, err := inherit(producerEnd)
	if err != nil {
		return nil, err
	}
	return &Producer[T]{c}, nil
}

// Put adds an item, and waits for room while the queue is full. When Put has
// returned nil, the item is in the queue, even if this process ends at once.
// When ctx ends first, Put returns its error and the item is not in the queue.
//
// An item that has no JSON form is refused with an error, and so is one that
// nobody will ever take, because the process that made the queue has ended and
// no consumer is left.
func (p *Producer[T]) Put(ctx context.Context, item T) error {
	return p.put(ctx, item, false)
}

// TryPut adds an item if there is room for it now, and else returns ErrFull.
func (p *Producer[T]) TryPut(item T) error {
	return p.put(context.Background(), item, true)
}

func (p *Producer[T]) put(ctx context.Context, item T, try bool) error {
	b, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("queue: encode the item: %w", err) // Nothing was sent: the queue goes on.
	}
	// Put returns when the keeper has the item, so that a process which ends
	// right after it loses nothing.
	_, err = p.call(ctx, request{Op: "put", Try: try, Item: b})
	return err
}

// PutAll adds the items in their order and waits for room as often as needed.
// It returns how many are in the queue, and an error if these are not all.
func (p *Producer[T]) PutAll(ctx context.Context, items []T) (int, error) {
	for i, item := range items {
		if err := p.Put(ctx, item); err != nil {
			return i, err
		}
	}
	return len(items), nil
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed.
func (p *Producer[T]) Close() error {
	return p.close()
}

// A Consumer is a process's end for taking items out. It may be used by
// several goroutines at once.
type Consumer[T any] struct {
	*client
}

// A Task is an item in the hand of a consumer.
type Task[T any] struct {
	Value  T
	number int
	done   atomic.Bool
}

// OpenConsumer returns this process's end of the queue whose StartConsumer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenConsumer[T any]() (*Consumer[T], error) {
	c, err := inherit(consumerEnd)
	if err != nil {
		return nil, err
	}
	return &Consumer[T]{c}, nil
}

// Get takes the item that has waited longest, and waits for one while there is
// none. The item goes to no other consumer. It is in hand until Done.
//
// Get returns ErrClosed when no item is left and none can come, and another
// error when the process that made the queue has ended. When ctx ends first,
// it returns the error of ctx and has taken nothing. An item that does not fit
// into a T is an error too; it is in hand as any other, and lost with its
// consumer.
func (c *Consumer[T]) Get(ctx context.Context) (*Task[T], error) {
	return c.get(ctx, false)
}

// TryGet takes an item if one waits now, and else returns ErrEmpty, or
// ErrClosed when none can come any more.
func (c *Consumer[T]) TryGet() (*Task[T], error) {
	return c.get(context.Background(), true)
}

func (c *Consumer[T]) get(ctx context.Context, try bool) (*Task[T], error) {
	r, err := c.call(ctx, request{Op: "get", Try: try})
	if err != nil {
		return nil, err
	}
	t := &Task[T]{number: r.Task}
	if err := json.Unmarshal(r.Item, &t.Value); err != nil {
		return nil, fmt.Errorf("queue: decode the item: %w", err)
	}
	return t, nil
}

// GetBatch waits for a first item as Get does, and takes with it what else waits
// now, up to limit items in all.
func (c *Consumer[T]) GetBatch(ctx context.Context, limit int) ([]*Task[T], error) {
	t, err := c.Get(ctx)
	if err != nil {
		return nil, err
	}
	tasks := []*Task[T]{t}
	for len(tasks) < limit {
		if t, err = c.TryGet(); err != nil {
			break // Whatever it is, the next Get meets it too.
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// Done says that the tasks are finished. To say it twice of one task is an
// error.
func (c *Consumer[T]) Done(tasks ...*Task[T]) error {
	var numbers []int
	for _, t := range tasks {
		if t.done.Swap(true) {
			return fmt.Errorf("queue: task %d was done before", t.number)
		}
		numbers = append(numbers, t.number)
	}
	// No reply is needed: the keeper reads it before it sees this process end.
	return c.send(request{Op: "done", Tasks: numbers})
}

// Close says that this process takes no more items. What it has in hand then
// is lost.
func (c *Consumer[T]) Close() error {
	return c.close()
}
