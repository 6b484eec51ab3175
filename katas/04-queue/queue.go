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
	"errors"
	"fmt"
	"os/exec"

	"prokata/checker/todo"
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
	// TODO: what the owner of the queue has to remember.
}

// New makes a queue that holds at most capacity waiting items. A capacity
// below 1 is refused.
//
// After use, Close and Join let go of all that the queue holds.
func New[T any](capacity int) (*Queue[T], error) {
	// TODO: make the queue.
	return nil, todo.Err("queue: New")
}

// StartProducer starts cmd, which finds its end of the queue with
// OpenProducer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. After Close it fails with
// ErrClosed.
func (q *Queue[T]) StartProducer(cmd *exec.Cmd) error {
	// TODO: give cmd its end of the queue and start it.
	return todo.Err("queue: StartProducer")
}

// StartConsumer starts cmd, which finds its end of the queue with
// OpenConsumer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. It may be called after Close,
// for consumers that take what still waits.
func (q *Queue[T]) StartConsumer(cmd *exec.Cmd) error {
	// TODO: give cmd its end of the queue and start it.
	return todo.Err("queue: StartConsumer")
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed. When the other producers have closed their ends too, or have ended,
// the queue is closed: consumers take what still waits and then get ErrClosed.
func (q *Queue[T]) Close() error {
	// TODO: close this process's own end.
	return todo.Err("queue: Close")
}

// Join waits until every item that was put is finished or lost. After Close it
// also waits until all other processes have closed their ends or have ended;
// then nothing of the queue is left in this process.
//
// It returns a *LostError[T] if items were lost, each of which is reported by
// one Join alone, or the error of ctx if that ends first; then Join may be
// called again.
func (q *Queue[T]) Join(ctx context.Context) error {
	// TODO: wait for the last item.
	return todo.Err("queue: Join")
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
	// TODO: what a producer needs.
}

// OpenProducer returns this process's end of the queue whose StartProducer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenProducer[T any]() (*Producer[T], error) {
	// TODO: find the end that the owner of the queue passed on.
	return nil, todo.Err("queue: OpenProducer")
}

// Put adds an item, and waits for room while the queue is full. When Put has
// returned nil, the item is in the queue, even if this process ends at once.
// When ctx ends first, Put returns its error and the item is not in the queue.
//
// An item that has no JSON form is refused with an error, and so is one that
// nobody will ever take, because the process that made the queue has ended and
// no consumer is left.
func (p *Producer[T]) Put(ctx context.Context, item T) error {
	// TODO: add the item.
	return todo.Err("queue: Put")
}

// TryPut adds an item if there is room for it now, and else returns ErrFull.
func (p *Producer[T]) TryPut(item T) error {
	// TODO: add the item without waiting.
	return todo.Err("queue: TryPut")
}

// PutAll adds the items in their order and waits for room as often as needed.
// It returns how many are in the queue, and an error if these are not all.
func (p *Producer[T]) PutAll(ctx context.Context, items []T) (int, error) {
	// TODO: add the items.
	return 0, todo.Err("queue: PutAll")
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed.
func (p *Producer[T]) Close() error {
	// TODO: close the end.
	return todo.Err("queue: Producer.Close")
}

// A Consumer is a process's end for taking items out. It may be used by
// several goroutines at once.
type Consumer[T any] struct {
	// TODO: what a consumer needs.
}

// A Task is an item in the hand of a consumer.
type Task[T any] struct {
	Value T
	// TODO: what Done needs to know.
}

// OpenConsumer returns this process's end of the queue whose StartConsumer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenConsumer[T any]() (*Consumer[T], error) {
	// TODO: find the end that the owner of the queue passed on.
	return nil, todo.Err("queue: OpenConsumer")
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
	// TODO: take an item.
	return nil, todo.Err("queue: Get")
}

// TryGet takes an item if one waits now, and else returns ErrEmpty, or
// ErrClosed when none can come any more.
func (c *Consumer[T]) TryGet() (*Task[T], error) {
	// TODO: take an item without waiting.
	return nil, todo.Err("queue: TryGet")
}

// GetBatch waits for a first item as Get does, and takes with it what else waits
// now, up to limit items in all.
func (c *Consumer[T]) GetBatch(ctx context.Context, limit int) ([]*Task[T], error) {
	// TODO: take several items.
	return nil, todo.Err("queue: GetBatch")
}

// Done says that the tasks are finished. To say it twice of one task is an
// error.
func (c *Consumer[T]) Done(tasks ...*Task[T]) error {
	// TODO: tell the owner of the queue.
	return todo.Err("queue: Done")
}

// Close says that this process takes no more items. What it has in hand then
// is lost.
func (c *Consumer[T]) Close() error {
	// TODO: close the end.
	return todo.Err("queue: Consumer.Close")
}
