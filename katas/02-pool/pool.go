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
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
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
	// TODO: write me.
	return 0, todo.Err("pool: Square")
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
}

// New starts the workers. It refuses fewer than one of them, and a MaxTasks below 0.
// If one cannot be started, New ends the others, waits for them and returns the error.
// With an error it returns no pool: nil.
func New(opts Options) (*Pool, error) {
	// TODO: write me.
	return nil, todo.Err("pool: New")
}

// Close ends the workers, whatever they are doing, and returns when they have
// ended. A Map under way returns ErrClosed. To close again does nothing.
func (p *Pool) Close() error {
	// TODO: write me.
	return todo.Err("pool: Close")
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
	// TODO: write me.
	return nil, todo.Err("pool: Map")
}

// workerMain is the main function of a worker process: it runs the tasks that it
// is sent, by their handlers, and ends when its parent has gone.
func workerMain() {
	// TODO: write me.
	fmt.Fprintln(os.Stderr, todo.Err("pool: workerMain"))
	os.Exit(1)
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
	// TODO: write me.
	return Comparison{}, todo.Err("pool: Compare")
}

// Sweep compares n tasks of each of the sizes, which are the tasks' inputs, and returns
// a row for each, in their order. After an error it returns the rows before it, too.
func Sweep[Out any](ctx context.Context, p *Pool, task Task[int, Out], n int, sizes ...int) ([]Comparison, error) {
	// TODO: write me.
	return nil, todo.Err("pool: Sweep")
}

// BreakEven returns the least size from which on the workers were faster: at it,
// and at every larger size in rows, which may come in any order. There may be none.
func BreakEven(rows []Comparison) (size int, ok bool) {
	// TODO: write me.
	_ = todo.Err("pool: BreakEven")
	return 0, false
}
