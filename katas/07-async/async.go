// Package async runs tasks in the background, in a pool of worker processes,
// and collects their results later.
//
// A call that waits for its answer is simple, and makes the caller idle while
// others work. Here Apply hands a task over and returns at once with a Result:
// a place where the value, or the error, will be one day. The program goes on,
// asks the Result when it likes (Ready), waits for it when it must (Wait, Get),
// or has a function called when it is there (Callbacks).
//
// The tasks run in worker processes. A task that burns CPU time or crashes does
// so there. The pool keeps a queue without a bound, and one goroutine for each
// worker takes a task from it, sends it down a pipe, reads the answer from
// another pipe, and settles the Result. Whatever happens to a task (an error, a
// panic, a killed worker, the end of the pool), its Result is settled, exactly
// once: nobody who waits is forgotten.
//
// Write the functions marked TODO in this file.
package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
)

func init() { reexec.Register("async-worker", work) }

var (
	ErrRunning    = errors.New("async: the pool is still running: close or terminate it first")
	ErrClosed     = errors.New("async: the pool is closed")
	ErrTerminated = errors.New("async: the pool was terminated")
	ErrNotReady   = errors.New("async: the result is not ready")
	ErrWorkerDied = errors.New("async: the worker died during the task")
)

// A TaskError is the error that a task returned in its worker, or its panic, or
// says that it ended its goroutine (runtime.Goexit), or that its argument or its value
// does not fit into the type that it has here. None of these costs the worker.
type TaskError struct {
	Index int    // the task's index in Map's args; 0 for Apply
	Text  string // what the error said in the worker
}

func (e *TaskError) Error() string { return fmt.Sprintf("async: task %d: %s", e.Index, e.Text) }

// A Task names a function that workers can run. Its argument and its value
// travel as JSON.
type Task[A, R any] struct{ name string }

// tasks holds every registered function, as one from JSON to JSON.
var tasks = map[string]func(json.RawMessage) (json.RawMessage, error){}

// Register makes f a task. It must be called while the program initializes (a
// package-level variable is a good place), so that the worker, which is this
// program started again, knows the task too. What a task prints goes where this
// program's own output goes. To run a task that was not registered is an error.
func Register[A, R any](name string, f func(A) (R, error)) Task[A, R] {
	tasks[name] = func(encoded json.RawMessage) (json.RawMessage, error) {
		var arg A
		if err := json.Unmarshal(encoded, &arg); err != nil {
			return nil, err
		}
		value, err := f(arg)
		if err != nil {
			return nil, err
		}
		return json.Marshal(value)
	}
	return Task[A, R]{name}
}

// Callbacks are functions that the pool calls once a result is there: Value if
// the task succeeded, else Error; exactly once, and before the result counts as
// ready. Either may be nil, and Apply and Map take several. A pool runs its
// callbacks one at a time. A callback may submit tasks, Close and Terminate; it
// must not wait for a Result or Join. One that ends its goroutine (runtime.Goexit) is
// over, and the next one is called.
type Callbacks[R any] struct {
	Value func(R)
	Error func(error)
}

// A Result will hold the value of a task, or its error. Its methods may be
// called by several goroutines at once, also after the pool has ended.
type Result[R any] struct {
	done  chan struct{} // closed when value and err are there
	value R
	err   error
}

// Ready says whether the result is there.
func (r *Result[R]) Ready() bool {
	// TODO: look, and do not wait.
	todo.Err("async: Result.Ready")
	return false
}

// Wait returns nil once the result is there, whether the task has succeeded or
// not, or ctx.Err() if ctx ends first. A result that is there wins over a
// context that has ended.
func (r *Result[R]) Wait(ctx context.Context) error {
	// TODO: wait for the result or the context.
	return todo.Err("async: Result.Wait")
}

// Successful says whether the task returned without an error. It returns
// ErrNotReady if the result is not there yet.
func (r *Result[R]) Successful() (bool, error) {
	// TODO: only for a result that is there.
	return false, todo.Err("async: Result.Successful")
}

// Get waits like Wait and returns the task's value and error. It may be called
// again, also after a Get whose context ended, and returns the same. The error
// is a *TaskError if the task failed, wraps ErrWorkerDied if its process died,
// and ErrTerminated if the pool was terminated before it was done.
func (r *Result[R]) Get(ctx context.Context) (R, error) {
	// TODO: wait, and return what settled the result.
	var none R
	return none, todo.Err("async: Result.Get")
}

// A request is what a worker gets: a chunk of arguments for one task.
type request struct {
	Task string
	Args []json.RawMessage
}

// A reply is what a worker returns: a value for each argument, up to the first
// that failed, and the text of its error.
type reply struct {
	Values []json.RawMessage
	Failed bool
	Text   string
}

// A job is a request on its way. done is called exactly once.
type job struct {
	request request
	done    func(reply, error)
}

// A Pool runs tasks in worker processes. Its methods, and Apply and Map, may be
// called by several goroutines at once.
type Pool struct {
	serving sync.WaitGroup // the goroutines, one a worker
	calling sync.Mutex     // held while a callback runs

	mu      sync.Mutex // guards what follows; never held while a callback runs
	changed *sync.Cond // queue or state has changed
	queue   []job
	state   state
	workers map[*worker]bool // the living
}

type state int

const (
	running    state = iota
	closed           // no new tasks; those in the queue are still done
	terminated       // nothing is done any more
)

// NewPool starts a pool of the given number of worker processes, at least 1. If
// one cannot be started, nothing is left of the others, and there is an error and no
// pool. A worker that dies is replaced, and a task that it had not got yet is not lost
// with it; if that fails, the task for which it was to start ends with the error,
// and the next one tries again. The caller closes or terminates the pool, and
// then joins it.
func NewPool(workers int) (*Pool, error) {
	// TODO: start the workers, and a goroutine for each.
	return nil, todo.Err("async: NewPool")
}

// Apply submits one task and returns at once, however many tasks wait. It
// returns an error if arg cannot be encoded or the pool takes no more tasks
// (ErrClosed, ErrTerminated). All else is found in the Result.
func Apply[A, R any](p *Pool, task Task[A, R], arg A, on ...Callbacks[R]) (*Result[R], error) {
	// TODO: encode, queue, return.
	return nil, todo.Err("async: Apply")
}

// Map submits a task for each of args and returns at once. Its Result holds the
// values in the order of args, or, once all tasks have ended, the error of the
// lowest index that failed. Chunks of so many tasks go to a worker together,
// which saves round trips: one after the other, up to the first that fails. A
// chunk below 1 stands for a size that gives each worker about four chunks.
func Map[A, R any](p *Pool, task Task[A, R], args []A, chunk int, on ...Callbacks[[]R]) (*Result[[]R], error) {
	// TODO: cut args into chunks, queue them, count those that come back.
	return nil, todo.Err("async: Map")
}

// Close refuses new tasks from now on. Those already submitted are still done. A
// pool that was terminated stays so.
func (p *Pool) Close() {
	// TODO: no new tasks.
	todo.Err("async: Pool.Close")
}

// Terminate kills the workers. Every result that is not ready yet gets the
// error ErrTerminated. Terminate does not wait; Join does.
func (p *Pool) Terminate() {
	// TODO: kill the workers; forget nobody who waits for a result.
	todo.Err("async: Pool.Terminate")
}

// Join waits until every task is done, all callbacks have returned and all
// workers have ended. Close or Terminate must come first: else it returns
// ErrRunning at once.
func (p *Pool) Join() error {
	// TODO: wait for the goroutines, and so for the workers.
	return todo.Err("async: Pool.Join")
}

// A worker is a worker process, as the pool sees it. Requests and answers have
// pipes of their own: standard input and output belong to the tasks.
type worker struct {
	cmd      *exec.Cmd
	requests *json.Encoder
	replies  *json.Decoder
	files    [2]*os.File // under the above
}

// work is the life of a worker process: it ends with the stream of requests,
// which the pool ends, or the death of the pool's process. The processes that a
// task starts do not inherit these pipes.
func work() {
	// TODO: read requests, run their tasks, write replies.
	todo.Err("async: work")
}
