// Package pool computes in parallel, in worker processes that are started once and
// used again and again.
//
// Python writes pool.map(square, range(1, 11)). The function itself is never sent
// there, only its name: the worker is a copy of the same program and has it too. So
// it is here: a Task is registered under a name in an init function or a package
// variable, and its argument and its result travel as bytes, made by encoding/gob.
//
// Workers pay off when a task takes longer than its way there and back. The bonus
// measures from which size on that is so.
package pool

import (
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"
)

var (
	// ErrClosed is the error of a Map whose pool is closed before it is done.
	ErrClosed = errors.New("pool: closed")

	// ErrWorkerLost is the error of a task whose worker ended in the middle of it.
	ErrWorkerLost = errors.New("pool: the worker ended in the middle of the task")

	// ErrGoexit is the error of a task that ended its goroutine (runtime.Goexit), as
	// t.FailNow does.
	ErrGoexit = errors.New("pool: the task ended its goroutine")
)

// A TaskError says which task of a Map failed, and why.
type TaskError struct {
	Index int // of its input
	Err   error
}

func (e *TaskError) Error() string { return fmt.Sprintf("task %d: %v", e.Index, e.Err) }

// Unwrap returns why the task failed.
func (e *TaskError) Unwrap() error { return e.Err }

// A PanicError is the reason of a TaskError if the task panicked.
type PanicError struct {
	Value string // what it panicked with, as text
	Stack string // where, in the worker
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// A Task is a function that workers know by its name.
type Task[In, Out any] struct {
	Name string
	Func func(In) (Out, error)
}

// handlers run tasks on encoded arguments, by the tasks' names.
var handlers = map[string]func(arg []byte) (result []byte, err error){}

// Register gives a task its name. It must be called from an init function or for
// a package variable: parent and worker, the same program, then both know it.
func Register[In, Out any](name string, f func(In) (Out, error)) Task[In, Out] {
	handlers[name] = func(arg []byte) ([]byte, error) {
		in, err := decode[In](arg)
		if err != nil {
			return nil, fmt.Errorf("decode argument: %w", err)
		}
		out, err := f(in)
		if err != nil {
			return nil, err
		}
		result, err := encode(out)
		if err != nil {
			return nil, fmt.Errorf("encode result: %w", err)
		}
		return result, nil
	}
	return Task[In, Out]{Name: name, Func: f}
}

// A box lets gob carry any value at the top, a nil pointer and an interface too.
type box[T any] struct{ V T }

// encode returns v as bytes, or why that cannot be.
func encode[T any](v T) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(box[T]{v})
	return b.Bytes(), err
}

// decode is the inverse of encode.
func decode[T any](b []byte) (T, error) {
	var v box[T]
	err := gob.NewDecoder(bytes.NewReader(b)).Decode(&v)
	return v.V, err
}

// Square is the task of the objective: it returns n*n.
var Square = Register("square", func(n int) (int, error) {
	return n * n, nil
})

// Burn is a task of any size: it does the given number of rounds of arithmetic,
// about a nanosecond each, and returns a checksum.
var Burn = Register("burn", func(rounds int) (uint64, error) {
	x := uint64(88172645463325252)
	for range rounds {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x, nil
})

// workerName is argument 0 of every worker process.
const workerName = "pool-worker"

func init() { reexec.Register(workerName, workerMain) }

// Options say how a pool works.
type Options struct {
	Workers  int // the number of worker processes, at least 1
	MaxTasks int // a worker is replaced after so many tasks; 0 means never
}

// A Pool is a number of worker processes. Its methods, and Map, may be called from
// several goroutines at once.
type Pool struct {
	opts Options
	ctx  context.Context // ends when the pool is closed, and with it the workers
	stop context.CancelFunc
	idle chan *worker // those that have no task now
	once sync.Once    // for Close
}

// New starts the workers. It refuses fewer than one of them, and a MaxTasks below 0.
// If one cannot be started, New ends the others, waits for them and returns the error.
// With an error it returns no pool: nil.
func New(opts Options) (*Pool, error) {
	if opts.Workers < 1 || opts.MaxTasks < 0 {
		return nil, fmt.Errorf("pool: %d workers with at most %d tasks: need at least 1 and 0", opts.Workers, opts.MaxTasks)
	}
	p := &Pool{opts: opts, idle: make(chan *worker, opts.Workers)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	var err error
	for range opts.Workers {
		w := &worker{}
		if err == nil { // else the place stays empty, and Close finds it
			err = w.start(p.ctx)
		}
		p.idle <- w
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends the workers, whatever they are doing, and returns when they have
// ended. A Map under way returns ErrClosed. To close again does nothing.
func (p *Pool) Close() error {
	p.once.Do(func() {
		p.stop()
		for range cap(p.idle) { // a busy worker becomes idle when it is gone
			w := <-p.idle
			w.end()
		}
	})
	return nil
}

// Map runs the task for each input in the workers of p and returns the results in
// the order of the inputs.
//
// If tasks fail, the error joins a *TaskError for each (errors.Join), in the order
// of the inputs, and the results of the others are right. A panic is a failure
// (*PanicError), and so is the end of the task's goroutine (ErrGoexit); neither costs
// a worker. So is an argument or a result that cannot be encoded or decoded: the
// error tells why. If a worker ends in the middle of a task, the task
// fails with ErrWorkerLost, since nobody knows how far it came; the worker has been
// waited for when Map returns, and is replaced. If a worker ends while it has no
// task, it is replaced and nothing fails. It makes no difference if a process that
// a task has started lives on. If a worker is needed and cannot be started, the
// task fails with the reason.
//
// What a task prints goes to the standard output and standard error of this process.
//
// If ctx ends or p is closed before all tasks are done, the workers that are busy
// with them are ended, and Map returns no results and ctx.Err() or ErrClosed. What
// another Map has under way goes on when ctx ends.
func Map[In, Out any](ctx context.Context, p *Pool, task Task[In, Out], inputs []In) ([]Out, error) {
	// Each element is written by the one goroutine that took its index.
	results := make([]Out, len(inputs))
	failures := make([]error, len(inputs))
	var next atomic.Int64
	var gaveUp atomic.Bool
	var wg sync.WaitGroup
	for range min(p.opts.Workers, len(inputs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(inputs); i = int(next.Add(1)) - 1 {
				results[i], failures[i] = call(ctx, p, task, inputs[i])
				if failures[i] != nil && p.ended(ctx) != nil {
					gaveUp.Store(true)
					return
				}
			}
		})
	}
	wg.Wait()

	if gaveUp.Load() {
		return nil, p.ended(ctx)
	}
	for i, err := range failures {
		if err != nil {
			failures[i] = &TaskError{Index: i, Err: err}
		}
	}
	return results, errors.Join(failures...) // nil if all of them are
}

// ended returns why no task may begin any more, if that is so.
func (p *Pool) ended(ctx context.Context) error {
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// call runs one task in the next worker that is idle.
func call[In, Out any](ctx context.Context, p *Pool, task Task[In, Out], in In) (out Out, err error) {
	arg, err := encode(in)
	if err != nil {
		return out, fmt.Errorf("encode argument: %w", err)
	}
	var w *worker
	select {
	case w = <-p.idle:
	case <-ctx.Done():
		return out, ctx.Err()
	case <-p.ctx.Done():
		return out, ErrClosed
	}
	r, err := w.do(ctx, p, request{Task: task.Name, Arg: arg})
	p.idle <- w
	switch {
	case err != nil:
		return out, err
	case r.Panic != nil:
		return out, r.Panic
	case r.Goexit:
		return out, ErrGoexit
	case r.Err != "":
		return out, errors.New(r.Err)
	}
	return decode[Out](r.Result)
}

// A request goes to a worker, a reply comes back.
type request struct {
	Task string
	Arg  []byte
}

type reply struct {
	Result []byte
	Err    string
	Panic  *PanicError
	Goexit bool
}

// worker is the place of one worker process: the process may be replaced.
type worker struct {
	cmd      *exec.Cmd // nil if there is no process
	requests *os.File
	replies  *os.File
	enc      *gob.Encoder
	dec      *gob.Decoder
	tasks    int
}

// start starts the process.
func (w *worker) start(ctx context.Context) error {
	// The two pipes are descriptors 3 and 4 of the worker. Its standard streams
	// belong to the tasks: one that prints must not disturb the conversation.
	theirIn, requests, err1 := os.Pipe()
	replies, theirOut, err2 := os.Pipe()
	defer theirIn.Close()  // after an error they are nil, and to close nil does no harm
	defer theirOut.Close() // the worker alone must hold it: its end is how we learn of a death

	cmd := exec.CommandContext(ctx, reexec.Self()) // the end of ctx kills it
	cmd.Args = []string{workerName}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	err := errors.Join(err1, err2)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		requests.Close()
		replies.Close()
		return fmt.Errorf("pool: start worker: %w", err)
	}
	*w = worker{cmd: cmd, requests: requests, replies: replies, enc: gob.NewEncoder(requests), dec: gob.NewDecoder(replies)}
	return nil
}

// end ends the process and waits for it.
func (w *worker) end() {
	if w.cmd == nil {
		return
	}
	_ = w.cmd.Process.Kill() // an error means that it has ended
	_ = w.cmd.Wait()
	w.requests.Close()
	w.replies.Close()
	*w = worker{}
}

// do has the process run one task. A worker has one task at a time: to write on
// while it answers would fill both pipes, and then both would wait.
func (w *worker) do(ctx context.Context, p *Pool, r request) (reply, error) {
	for {
		if err := p.ended(ctx); err != nil {
			return reply{}, err
		}
		if w.cmd == nil {
			if err := w.start(p.ctx); err != nil {
				return reply{}, err
			}
		}
		process := w.cmd.Process
		stop := context.AfterFunc(ctx, func() { _ = process.Kill() })

		if err := w.enc.Encode(r); err != nil {
			// It had ended before it got the whole request: the task has not
			// begun, and another process may run it.
			stop()
			w.end()
			continue
		}
		var answer reply
		err := w.dec.Decode(&answer)
		w.tasks++
		if !stop() || err != nil || w.tasks == p.opts.MaxTasks {
			w.end()
		}
		if err != nil {
			return reply{}, ErrWorkerLost
		}
		return answer, nil
	}
}

// workerMain is the main function of a worker process: it runs the tasks that it
// is sent, by their handlers, and ends when its parent has gone.
func workerMain() {
	requests, replies := os.NewFile(3, "requests"), os.NewFile(4, "replies")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)

	todo := make(chan request)
	go func() {
		for dec := gob.NewDecoder(requests); ; {
			var r request
			if dec.Decode(&r) != nil {
				os.Exit(0) // the parent has gone: nobody waits for the rest of a task
			}
			todo <- r
		}
	}()
	enc := gob.NewEncoder(replies)
	for r := range todo {
		_ = enc.Encode(handle(r)) // an error means that the parent has gone, which ends us above
	}
}

// handle runs one task in the worker.
func handle(r request) reply {
	answers := make(chan reply, 1)
	go func() { // of its own, since the task may end it
		answer := reply{Goexit: true} // unless it returns or panics
		defer func() {
			if v := recover(); v != nil {
				answer = reply{Panic: &PanicError{Value: fmt.Sprint(v), Stack: string(debug.Stack())}}
			}
			answers <- answer
		}()
		answer = run(r)
	}()
	return <-answers
}

// run runs the task of a request.
func run(r request) reply {
	f, ok := handlers[r.Task]
	if !ok {
		return reply{Err: fmt.Sprintf("unknown task %q", r.Task)}
	}
	result, err := f(r.Arg)
	if err != nil {
		return reply{Err: err.Error()}
	}
	return reply{Result: result}
}

// A Comparison tells how long the same work took in this process alone and in the
// workers of a pool.
type Comparison struct {
	Size       int // of each task, if that is known
	Tasks      int
	Workers    int
	Sequential time.Duration
	Parallel   time.Duration
	Speedup    float64 // Sequential / Parallel
}

// ErrDifferent is the error of a comparison whose two runs gave different results.
var ErrDifferent = errors.New("pool: sequential and parallel results differ")

// Compare runs the task for each input, first in this process, one after the other,
// then in the workers of p, and measures both. If a task fails in either run, Compare
// returns its *TaskError. If ctx ends, Compare begins no other task and returns the
// error of ctx.
func Compare[In, Out any](ctx context.Context, p *Pool, task Task[In, Out], inputs []In) (Comparison, error) {
	start := time.Now()
	want := make([]Out, len(inputs))
	for i, in := range inputs {
		var err error
		if err = ctx.Err(); err == nil {
			want[i], err = task.Func(in)
		}
		if err != nil {
			return Comparison{}, fmt.Errorf("pool: sequential run: %w", &TaskError{Index: i, Err: err})
		}
	}
	sequential := time.Since(start)

	start = time.Now()
	got, err := Map(ctx, p, task, inputs)
	if err != nil {
		return Comparison{}, fmt.Errorf("pool: parallel run: %w", err)
	}
	parallel := time.Since(start)

	if !reflect.DeepEqual(got, want) {
		return Comparison{}, ErrDifferent
	}
	return Comparison{
		Tasks: len(inputs), Workers: p.opts.Workers,
		Sequential: sequential, Parallel: parallel,
		Speedup: float64(sequential) / float64(parallel),
	}, nil
}

// Sweep compares n tasks of each of the sizes, which are the tasks' inputs, and returns
// a row for each, in their order. After an error it returns the rows before it, too.
func Sweep[Out any](ctx context.Context, p *Pool, task Task[int, Out], n int, sizes ...int) ([]Comparison, error) {
	var rows []Comparison
	for _, size := range sizes {
		inputs := make([]int, n)
		for i := range inputs {
			inputs[i] = size
		}
		row, err := Compare(ctx, p, task, inputs)
		if err != nil {
			return rows, fmt.Errorf("size %d: %w", size, err)
		}
		row.Size = size
		rows = append(rows, row)
	}
	return rows, nil
}

// BreakEven returns the least size from which on the workers were faster: at it,
// and at every larger size in rows, which may come in any order. There may be none.
func BreakEven(rows []Comparison) (size int, ok bool) {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b Comparison) int { return cmp.Compare(b.Size, a.Size) })
	for _, row := range rows { // from the largest down
		if row.Speedup <= 1 {
			break
		}
		size, ok = row.Size, true
	}
	return size, ok
}
