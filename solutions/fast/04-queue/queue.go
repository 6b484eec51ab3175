// Package queue is the fast form of the queue between processes, with the same
// contract as the plain form in solutions/04-queue.
//
// In the plain form every item goes through the process that made the queue. Here
// it goes straight from the producer to the consumer, through three things of the
// kernel, which all processes hold:
//
//   - a mailbox, where one receive takes one whole message (mailbox_linux.go);
//   - the room, a semaphore that counts the free places (end.go);
//   - for each child a stream on which it tells the owner what it took and what it
//     has done, so that the owner can keep the books for Join (books.go).
//
// One message may hold many items: PutAll sends as many as there is room for at
// once, so that a batch costs hardly more than one item.
//
// What it costs. The books are written after the fact: a consumer that is killed
// in the instant between taking a message and saying so leaves items of which Join
// can only say, after Close, that they are nowhere; and the places of a process
// killed in the like instant stay taken. A batch goes to one consumer as a whole:
// what it has not returned from Get counts as in its hand. And the mailbox has a
// limit of its own: some 200 messages, however great the capacity. A Put in a child
// that waits for room when the owner and all consumers die is not woken: every
// producer holds the semaphore, so its end never comes; the Put ends with its context.
package queue

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
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
// producer: Put, TryPut and PutAll are those of its Producer.
type Queue[T any] struct {
	*Producer[T]
	books    *books
	out      end // for the consumers that will be started, and for what is left
	take     end
	give     end
	children int
	free     sync.Once
}

// New makes a queue that holds at most capacity waiting items. A capacity
// below 1 is refused.
//
// After use, Close and Join let go of all that the queue holds.
func New[T any](capacity int) (*Queue[T], error) {
	if capacity < 1 {
		return nil, fmt.Errorf("queue: a capacity of %d is less than 1", capacity)
	}
	take, give, err := newRoom(capacity)
	if err != nil {
		return nil, err
	}
	in, out, err := newMailbox()
	if err != nil {
		take.close()
		give.close()
		return nil, err
	}
	b := newBooks()
	own := &Producer[T]{in: in, take: take, give: give, turn: make(chan struct{}, 1)}
	own.note = func(n note) { b.write(n, 0) }
	own.strike = b.strike
	return &Queue[T]{Producer: own, books: b, out: out, take: take, give: give}, nil
}

// StartProducer starts cmd, which finds its end of the queue with
// OpenProducer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. After Close it fails with
// ErrClosed.
func (q *Queue[T]) StartProducer(cmd *exec.Cmd) error {
	if q.closed.Load() {
		return ErrClosed
	}
	return q.start(cmd, producerEnd, q.in, q.take, q.give)
}

// StartConsumer starts cmd, which finds its end of the queue with
// OpenConsumer. The environment and the files that the caller has given to cmd
// stay its own, and the caller waits for it as ever. It may be called after Close,
// for consumers that take what still waits.
func (q *Queue[T]) StartConsumer(cmd *exec.Cmd) error {
	return q.start(cmd, consumerEnd, q.out, q.give)
}

// The variables that tell a child which of its descriptors are its ends.
const (
	producerEnd = "QUEUE_PRODUCER_FDS"
	consumerEnd = "QUEUE_CONSUMER_FDS"
)

func (q *Queue[T]) start(cmd *exec.Cmd, variable string, ends ...end) error {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	notes, theirs := file(fds[0]), file(fds[1])
	// The child alone may hold its end of the notes: a copy left open here would
	// hide its death.
	defer theirs.Close()

	q.books.admit(notes)
	q.books.mu.Lock()
	q.children++
	value := fmt.Sprint(q.children)
	q.books.mu.Unlock()
	for _, e := range append(ends, end{theirs}) {
		var numbers []string
		for _, f := range e {
			numbers = append(numbers, fmt.Sprint(3+len(cmd.ExtraFiles)))
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		}
		value += ";" + strings.Join(numbers, ",")
	}
	cmd.Env = append(cmd.Environ(), variable+"="+value)
	if err := cmd.Start(); err != nil {
		notes.Close()
		q.books.follow(notes, -1) // It has come to its end before it began.
		return err
	}
	go q.books.follow(notes, cmd.Process.Pid)
	return nil
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed. When the other producers have closed their ends too, or have ended,
// the queue is closed: consumers take what still waits and then get ErrClosed.
func (q *Queue[T]) Close() error {
	q.books.farewell() // before the mailbox comes to its end
	return q.Producer.Close()
}

// Join waits until every item that was put is finished or lost. After Close it
// also waits until all other processes have closed their ends or have ended;
// then nothing of the queue is left in this process.
//
// It returns a *LostError[T] if items were lost, each of which is reported by
// one Join alone, or the error of ctx if that ends first; then Join may be
// called again.
func (q *Queue[T]) Join(ctx context.Context) error {
	items, err := q.books.join(ctx, q.closed.Load, q.leftover)
	if err != nil || len(items) == 0 {
		return err
	}
	lost := &LostError[T]{Items: make([]Lost[T], len(items))}
	for i, it := range items {
		lost.Items[i].PID = it.pid
		if it.value == nil {
			continue
		}
		if err := json.Unmarshal(it.value, &lost.Items[i].Value); err != nil {
			return fmt.Errorf("queue: decode a lost item: %w", err)
		}
	}
	return lost
}

// leftover takes what nobody has taken, and lets go of everything.
func (q *Queue[T]) leftover() (left []*item) {
	q.free.Do(func() {
		for {
			message, err := q.out.receive(false)
			if err != nil {
				break
			}
			first, items, _ := unpack(message)
			for i, value := range items {
				left = append(left, &item{number: first + uint64(i), value: value})
			}
		}
		q.out.close()
		q.take.close()
		q.give.close()
	})
	return left
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
	in     end
	take   end
	give   end
	note   func(note)
	strike func([]uint64) // nil in a child, which notes only what is put
	hang   func() error   // closes the stream of notes
	turn   chan struct{}  // a lock whose wait can be given up: one Put at a time
	number uint64         // of the last item
	closed atomic.Bool
}

// OpenProducer returns this process's end of the queue whose StartProducer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenProducer[T any]() (*Producer[T], error) {
	number, ends, err := inherit(producerEnd)
	if err != nil {
		return nil, err
	}
	if len(ends) != 4 {
		return nil, fmt.Errorf("queue: %d ends were passed on instead of 4", len(ends))
	}
	p := &Producer[T]{in: ends[0], take: ends[1], give: ends[2], turn: make(chan struct{}, 1)}
	p.number = uint64(number) << 40 // so that no two producers give one number twice
	p.note, p.hang = notes(ends[3])
	return p, nil
}

// notes returns what writes a note to the owner, and what ends the stream. If the
// owner is dead, there is nobody to tell, and the queue goes on without books.
func notes(e end) (func(note), func() error) {
	var mu sync.Mutex
	enc := gob.NewEncoder(e[0])
	return func(n note) {
		mu.Lock()
		defer mu.Unlock()
		enc.Encode(n)
	}, e.close
}

// Put adds an item, and waits for room while the queue is full. When Put has
// returned nil, the item is in the queue, even if this process ends at once.
// When ctx ends first, Put returns its error and the item is not in the queue.
//
// An item that has no JSON form is refused with an error, and so is one that
// nobody will ever take, because the process that made the queue has ended and
// no consumer is left.
func (p *Producer[T]) Put(ctx context.Context, item T) error {
	_, err := p.put(ctx, []T{item}, false)
	return err
}

// TryPut adds an item if there is room for it now, and else returns ErrFull.
func (p *Producer[T]) TryPut(item T) error {
	_, err := p.put(context.Background(), []T{item}, true)
	return err
}

// PutAll adds the items in their order and waits for room as often as needed.
// It returns how many are in the queue, and an error if these are not all.
func (p *Producer[T]) PutAll(ctx context.Context, items []T) (int, error) {
	return p.put(ctx, items, false)
}

// batch is the greatest number of items in one message.
const batch = 256

func (p *Producer[T]) put(ctx context.Context, items []T, try bool) (int, error) {
	var bad error
	values := make([][]byte, 0, len(items))
	for _, item := range items {
		value, err := json.Marshal(item)
		if err != nil {
			bad = fmt.Errorf("queue: encode the item: %w", err)
			break // What comes before it is put; nothing of it was sent.
		}
		values = append(values, value)
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	n := 0
	for n < len(values) {
		m, err := p.send(ctx, values[n:], try)
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, bad
}

// send puts as many of the values as there is room for, in one message.
func (p *Producer[T]) send(ctx context.Context, values [][]byte, try bool) (n int, err error) {
	if p.closed.Load() {
		return 0, ErrClosed
	}
	most := 1
	for size := len(values[0]); most < min(len(values), batch); most++ {
		if size += len(values[most]); size > 8<<10 {
			break
		}
	}
	err = until(ctx, p.take[0], func() (err error) {
		n, err = p.take.occupy(most, !try)
		return err
	})
	if err != nil {
		return 0, p.failed(err)
	}
	numbers := make([]uint64, n)
	for i := range numbers {
		p.number++
		numbers[i] = p.number
	}
	// The owner writes its own items down before they can be done, and strikes
	// them out if they did not go. A child tells of them afterwards.
	put := note{Put: numbers, Items: values[:n]}
	if p.strike != nil {
		p.note(put)
	}
	err = until(ctx, p.in[0], func() error { return p.in.send(pack(numbers[0], values[:n]), !try) })
	if err != nil {
		if p.strike != nil {
			p.strike(numbers)
		}
		p.give.free(n)
		return 0, p.failed(err)
	}
	if p.strike == nil {
		put.Items = nil
		p.note(put)
	}
	return n, nil
}

// failed is the error in the words of Put.
func (p *Producer[T]) failed(err error) error {
	switch {
	case p.closed.Load():
		return ErrClosed
	case errors.Is(err, errWouldWait):
		return ErrFull
	default:
		return err
	}
}

// Close says that this process puts no more items. A Put that waits returns
// ErrClosed.
func (p *Producer[T]) Close() error {
	if p.closed.Swap(true) {
		return ErrClosed
	}
	p.take[0].SetReadDeadline(time.Unix(1, 0)) // in the past: it ends a Put that waits for room
	err := p.in.close()
	if p.hang != nil { // in a child
		err = errors.Join(err, p.take.close(), p.give.close(), p.hang())
	}
	return err
}

// A Consumer is a process's end for taking items out. It may be used by
// several goroutines at once.
type Consumer[T any] struct {
	out    end
	give   end
	note   func(note)
	hang   func() error
	owner  *os.File // the stream of notes; the other way it says that the owner has closed
	told   bool     // it has said so
	turn   chan struct{}
	taken  []*Task[T] // of the last message, and not yet returned
	closed atomic.Bool
}

// A Task is an item in the hand of a consumer.
type Task[T any] struct {
	Value  T
	number uint64
	done   atomic.Bool
}

// OpenConsumer returns this process's end of the queue whose StartConsumer
// started it. It may be called once: a second call is an error, and so is one in
// a process that was not started so. The children of this process do not
// inherit the end.
func OpenConsumer[T any]() (*Consumer[T], error) {
	_, ends, err := inherit(consumerEnd)
	if err != nil {
		return nil, err
	}
	if len(ends) != 3 {
		return nil, fmt.Errorf("queue: %d ends were passed on instead of 3", len(ends))
	}
	c := &Consumer[T]{out: ends[0], give: ends[1], turn: make(chan struct{}, 1)}
	c.note, c.hang = notes(ends[2])
	c.owner = ends[2][0]
	return c, nil
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
	tasks, err := c.get(ctx, 1, false)
	if err != nil {
		return nil, err
	}
	return tasks[0], nil
}

// TryGet takes an item if one waits now, and else returns ErrEmpty, or
// ErrClosed when none can come any more.
func (c *Consumer[T]) TryGet() (*Task[T], error) {
	tasks, err := c.get(context.Background(), 1, true)
	if err != nil {
		return nil, err
	}
	return tasks[0], nil
}

func (c *Consumer[T]) get(ctx context.Context, limit int, try bool) ([]*Task[T], error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(c.taken) < limit {
		// Only the first is waited for.
		if err := c.receive(ctx, !try && len(c.taken) == 0); err != nil && len(c.taken) == 0 {
			return nil, err
		} else if err != nil {
			break // The next Get meets it too.
		}
	}
	n := min(limit, len(c.taken))
	tasks := c.taken[:n:n]
	c.taken = c.taken[n:]
	return tasks, nil
}

// receive takes one message.
func (c *Consumer[T]) receive(ctx context.Context, wait bool) error {
	if c.closed.Load() {
		return ErrClosed
	}
	var message []byte
	err := until(ctx, c.out[0], func() (err error) {
		message, err = c.out.receive(wait)
		return err
	})
	switch {
	case c.closed.Load():
		return ErrClosed
	case errors.Is(err, io.EOF):
		return c.over()
	case errors.Is(err, errWouldWait):
		return ErrEmpty
	case err != nil:
		return err
	}
	first, values, err := unpack(message)
	if err != nil {
		return err
	}
	took := note{Items: values}
	for i, value := range values {
		t := &Task[T]{number: first + uint64(i)}
		if e := json.Unmarshal(value, &t.Value); e != nil {
			err = fmt.Errorf("queue: decode the item: %w", e)
		} else {
			c.taken = append(c.taken, t)
		}
		took.Took = append(took.Took, t.number)
	}
	c.note(took)
	if e := c.give.free(len(values)); e != nil && !errors.Is(e, syscall.EPIPE) {
		return e // EPIPE: no producer is left, and nobody needs the room.
	}
	return err
}

// over says why nothing comes any more: the owner has told that it has closed its
// end, or has ended and never will.
func (c *Consumer[T]) over() error {
	if !c.told {
		_, err := io.ReadFull(c.owner, make([]byte, len(goodbye)))
		if err != nil && !c.closed.Load() {
			return fmt.Errorf("queue: the process that made the queue has ended: %w", err)
		}
		c.told = err == nil
	}
	return ErrClosed
}

// GetBatch waits for a first item as Get does, and takes with it what else waits
// now, up to limit items in all.
func (c *Consumer[T]) GetBatch(ctx context.Context, limit int) ([]*Task[T], error) {
	return c.get(ctx, max(1, limit), false)
}

// Done says that the tasks are finished. To say it twice of one task is an
// error.
func (c *Consumer[T]) Done(tasks ...*Task[T]) error {
	var numbers []uint64
	for _, t := range tasks {
		if t.done.Swap(true) {
			return fmt.Errorf("queue: task %d was done before", t.number)
		}
		numbers = append(numbers, t.number)
	}
	if c.closed.Load() {
		return ErrClosed
	}
	c.note(note{Done: numbers})
	return nil
}

// Close says that this process takes no more items. What it has in hand then
// is lost.
func (c *Consumer[T]) Close() error {
	if c.closed.Swap(true) {
		return ErrClosed
	}
	return errors.Join(c.out.close(), c.give.close(), c.hang())
}
