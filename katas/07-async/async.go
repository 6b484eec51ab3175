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
// so there. Whatever happens to a task (an error, a panic, a killed worker, the
// end of the pool), its Result is settled, exactly once: nobody who waits is
// forgotten.
package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

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
	// TODO: what does a result need that is not there yet?
}

// Ready says whether the result is there.
func (r *Result[R]) Ready() bool {
	// TODO: write me.
	todo.Err("async: Result.Ready")
	return false
}

// Wait returns nil once the result is there, whether the task has succeeded or
// not, or ctx.Err() if ctx ends first. A result that is there wins over a
// context that has ended.
func (r *Result[R]) Wait(ctx context.Context) error {
	// TODO: write me.
	return todo.Err("async: Result.Wait")
}

// Successful says whether the task returned without an error. It returns
// ErrNotReady if the result is not there yet.
func (r *Result[R]) Successful() (bool, error) {
	// TODO: write me.
	return false, todo.Err("async: Result.Successful")
}

// Get waits like Wait and returns the task's value and error. It may be called
// again, also after a Get whose context ended, and returns the same. The error
// is a *TaskError if the task failed, wraps ErrWorkerDied if its process died,
// and ErrTerminated if the pool was terminated before it was done.
func (r *Result[R]) Get(ctx context.Context) (R, error) {
	// TODO: write me.
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

// A Pool runs tasks in worker processes. Its methods, and Apply and Map, may be
// called by several goroutines at once.
type Pool struct {
	// TODO: what does a pool need?
}

// NewPool starts a pool of the given number of worker processes, at least 1. If
// one cannot be started, nothing is left of the others, and there is an error and no
// pool. A worker that dies is replaced, and a task that it had not got yet is not lost
// with it; if that fails, the task for which it was to start ends with the error,
// and the next one tries again. The caller closes or terminates the pool, and
// then joins it.
func NewPool(workers int) (*Pool, error) {
	// TODO: write me.
	return nil, todo.Err("async: NewPool")
}

// Apply submits one task and returns at once, however many tasks wait. It
// returns an error if arg cannot be encoded or the pool takes no more tasks
// (ErrClosed, ErrTerminated). All else is found in the Result.
func Apply[A, R any](p *Pool, task Task[A, R], arg A, on ...Callbacks[R]) (*Result[R], error) {
	// TODO: write me.
	return nil, todo.Err("async: Apply")
}

// Map submits a task for each of args and returns at once. Its Result holds the
// values in the order of args, or, once all tasks have ended, the error of the
// lowest index that failed. Chunks of so many tasks go to a worker together,
// which saves round trips: one after the other, up to the first that fails. A
// chunk below 1 stands for a size that gives each worker about four chunks.
func Map[A, R any](p *Pool, task Task[A, R], args []A, chunk int, on ...Callbacks[[]R]) (*Result[[]R], error) {
	// TODO: write me.
	return nil, todo.Err("async: Map")
}

// Close refuses new tasks from now on. Those already submitted are still done. A
// pool that was terminated stays so.
func (p *Pool) Close() {
	// TODO: write me.
	todo.Err("async: Pool.Close")
}

// Terminate kills the workers. Every result that is not ready yet gets the
// error ErrTerminated. Terminate does not wait; Join does.
func (p *Pool) Terminate() {
	// TODO: write me.
	todo.Err("async: Pool.Terminate")
}

// Join waits until every task is done, all callbacks have returned and all
// workers have ended. Close or Terminate must come first: else it returns
// ErrRunning at once.
func (p *Pool) Join() error {
	// TODO: write me.
	return todo.Err("async: Pool.Join")
}

// A worker is a worker process, as the pool sees it.
type worker struct {
	cmd      *exec.Cmd
	in       io.Closer // under requests
	requests *json.Encoder
	replies  *json.Decoder
}

// start starts a worker.
func start() (*worker, error) {
	cmd := reexec.Command("async-worker")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, err
	}
	return &worker{cmd, in, json.NewEncoder(in), json.NewDecoder(out)}, nil
}

// end ends a worker, once it has done what it has got, and waits for it.
func (w *worker) end() error {
	w.in.Close()
	return w.cmd.Wait()
}

// work is the life of a worker process: it ends with the stream of requests,
// which the pool ends, or the death of the pool's process. The processes that a
// task starts do not inherit these pipes.
func work() {
	// TODO: write me.
	todo.Err("async: work")
}
