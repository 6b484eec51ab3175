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
	"os"
	"os/exec"
	"sync"
	"sync/atomic"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
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
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Wait returns nil once the result is there, whether the task has succeeded or
// not, or ctx.Err() if ctx ends first. A result that is there wins over a
// context that has ended.
func (r *Result[R]) Wait(ctx context.Context) error {
	if r.Ready() {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Successful says whether the task returned without an error. It returns
// ErrNotReady if the result is not there yet.
func (r *Result[R]) Successful() (bool, error) {
	if !r.Ready() {
		return false, ErrNotReady
	}
	return r.err == nil, nil
}

// Get waits like Wait and returns the task's value and error. It may be called
// again, also after a Get whose context ended, and returns the same. The error
// is a *TaskError if the task failed, wraps ErrWorkerDied if its process died,
// and ErrTerminated if the pool was terminated before it was done.
func (r *Result[R]) Get(ctx context.Context) (R, error) {
	if err := r.Wait(ctx); err != nil {
		var none R
		return none, err
	}
	return r.value, r.err
}

// settle tells callbacks and waiters of the outcome, in this order.
func (r *Result[R]) settle(p *Pool, value R, err error, callbacks []Callbacks[R]) {
	r.value, r.err = value, err
	p.calling.Lock()
	for _, c := range callbacks {
		if err == nil && c.Value != nil {
			apart(func() { c.Value(value) })
		}
		if err != nil && c.Error != nil {
			apart(func() { c.Error(err) })
		}
	}
	p.calling.Unlock()
	close(r.done) // not a send: it must reach every waiter, also those to come
}

// apart calls f in a goroutine of its own: a function of somebody else's may end the
// one that calls it (runtime.Goexit), and ours is still needed.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
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
	size    int            // how many workers there are to be
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
	if workers < 1 {
		return nil, fmt.Errorf("async: a pool of %d workers: need at least 1", workers)
	}
	p := &Pool{size: workers, workers: map[*worker]bool{}}
	p.changed = sync.NewCond(&p.mu)
	for range workers {
		w, err := p.start()
		if err != nil {
			p.Terminate()
			return nil, errors.Join(err, p.Join())
		}
		p.serving.Go(func() { p.serve(w) })
	}
	return p, nil
}

// Apply submits one task and returns at once, however many tasks wait. It
// returns an error if arg cannot be encoded or the pool takes no more tasks
// (ErrClosed, ErrTerminated). All else is found in the Result.
func Apply[A, R any](p *Pool, task Task[A, R], arg A, on ...Callbacks[R]) (*Result[R], error) {
	r := &Result[R]{done: make(chan struct{})}
	err := submit(p, task, []A{arg}, 1, func(values []R, err error) {
		var value R
		if err == nil {
			value = values[0]
		}
		r.settle(p, value, err, on)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Map submits a task for each of args and returns at once. Its Result holds the
// values in the order of args, or, once all tasks have ended, the error of the
// lowest index that failed. Chunks of so many tasks go to a worker together,
// which saves round trips: one after the other, up to the first that fails. A
// chunk below 1 stands for a size that gives each worker about four chunks.
func Map[A, R any](p *Pool, task Task[A, R], args []A, chunk int, on ...Callbacks[[]R]) (*Result[[]R], error) {
	if chunk < 1 {
		// About four for each worker: few messages, and yet something left to
		// share out if tasks differ in length.
		chunk = len(args)/(4*p.size) + 1
	}
	r := &Result[[]R]{done: make(chan struct{})}
	err := submit(p, task, args, chunk, func(values []R, err error) { r.settle(p, values, err, on) })
	if err != nil {
		return nil, err
	}
	return r, nil
}

// submit queues a task for each of args, in chunks, and has finish called once,
// when all of them have ended.
func submit[A, R any](p *Pool, task Task[A, R], args []A, chunk int, finish func([]R, error)) error {
	encoded := make([]json.RawMessage, len(args))
	for i, arg := range args {
		var err error
		if encoded[i], err = json.Marshal(arg); err != nil {
			return fmt.Errorf("async: encode argument %d: %w", i, err)
		}
	}
	count := max(1, (len(args)+chunk-1)/chunk) // without args: one empty chunk
	values, errs := make([]R, len(args)), make([]error, count)
	var left atomic.Int64 // chunks end in several goroutines
	left.Store(int64(count))
	jobs := make([]job, count)
	for i := range jobs {
		from := i * chunk
		to := min(from+chunk, len(args))
		jobs[i] = job{request{task.name, encoded[from:to]}, func(rep reply, err error) {
			if err == nil {
				err = decode(rep, values[from:to], from)
			}
			errs[i] = err
			if left.Add(-1) > 0 {
				return
			}
			for _, err := range errs {
				if err != nil {
					finish(nil, err)
					return
				}
			}
			finish(values, nil)
		}}
	}
	return p.enqueue(jobs...)
}

// decode puts the values of a reply into values. The first of them belongs to
// the task of the given index.
func decode[R any](rep reply, values []R, index int) error {
	if rep.Failed {
		return &TaskError{Index: index + len(rep.Values), Text: rep.Text}
	}
	for i := range values {
		if err := json.Unmarshal(rep.Values[i], &values[i]); err != nil {
			return &TaskError{Index: index + i, Text: "decode value: " + err.Error()}
		}
	}
	return nil
}

// Close refuses new tasks from now on. Those already submitted are still done. A
// pool that was terminated stays so.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == running {
		p.state = closed
	}
	p.changed.Broadcast()
}

// Terminate kills the workers. Every result that is not ready yet gets the
// error ErrTerminated. Terminate does not wait; Join does.
func (p *Pool) Terminate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = terminated
	for w := range p.workers {
		w.cmd.Process.Kill()
	}
	p.changed.Broadcast()
}

// Join waits until every task is done, all callbacks have returned and all
// workers have ended. Close or Terminate must come first: else it returns
// ErrRunning at once.
func (p *Pool) Join() error {
	p.mu.Lock()
	state := p.state
	p.mu.Unlock()
	if state == running {
		return ErrRunning
	}
	p.serving.Wait()
	return nil
}

// enqueue adds all jobs to the queue, or none.
func (p *Pool) enqueue(jobs ...job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case closed:
		return ErrClosed
	case terminated:
		return ErrTerminated
	}
	p.queue = append(p.queue, jobs...)
	p.changed.Broadcast()
	return nil
}

// next returns the next job. It waits for one as long as some may come.
func (p *Pool) next() (j job, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && p.state == running {
		p.changed.Wait()
	}
	if len(p.queue) == 0 {
		return job{}, false
	}
	j, p.queue = p.queue[0], p.queue[1:]
	return j, true
}

// serve settles one job after the other with the help of one worker at a time.
// A terminated pool's jobs pass through here too, so that each is settled by
// the same few lines.
func (p *Pool) serve(w *worker) {
	for {
		j, ok := p.next()
		if !ok {
			break
		}
		var rep reply
		var err error
		rep, w, err = p.run(w, j.request)
		j.done(rep, err)
	}
	if w != nil {
		p.end(w)
	}
}

// run has the request done by w, or by a new worker if w has died, and returns
// the worker to go on with, which may be nil.
func (p *Pool) run(w *worker, req request) (reply, *worker, error) {
	if w != nil && w.requests.Encode(req) != nil {
		// It died while it was idle. Nobody has seen the request: try again.
		p.end(w)
		w = nil
	}
	if w == nil {
		var err error
		if w, err = p.start(); err != nil {
			return reply{}, nil, err
		}
		w.requests.Encode(req) // if that fails, so does the next line
	}
	var rep reply
	if err := w.replies.Decode(&rep); err != nil {
		// It died in the middle of the task. What the task has done by then,
		// nobody knows: to do it again is not for the pool to decide.
		status := p.end(w)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.state == terminated {
			return reply{}, nil, ErrTerminated
		}
		return reply{}, nil, fmt.Errorf("%w: %v", ErrWorkerDied, status)
	}
	return rep, w, nil
}

// A worker is a worker process, as the pool sees it. Requests and answers have
// pipes of their own: standard input and output belong to the tasks.
type worker struct {
	cmd      *exec.Cmd
	requests *json.Encoder
	replies  *json.Decoder
	files    [2]*os.File // under the above
}

// start starts a worker, unless the pool is terminated.
func (p *Pool) start() (*worker, error) {
	// Under the lock: a worker that starts while Terminate runs is either
	// seen by it or not started at all.
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == terminated {
		return nil, ErrTerminated
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("async: make pipe: %w", err)
	}
	defer theirIn.Close() // once the child has it, or never will
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("async: make pipe: %w", err)
	}
	// If this end stayed open here, a dead worker's pipe would never end.
	defer theirOut.Close()
	cmd := reexec.Command("async-worker")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("async: start worker: %w", err)
	}
	w := &worker{cmd, json.NewEncoder(in), json.NewDecoder(out), [2]*os.File{in, out}}
	p.workers[w] = true
	return w, nil
}

// end closes the worker's pipes, which ends it if it lives, and reaps it.
func (p *Pool) end(w *worker) error {
	for _, f := range w.files {
		f.Close()
	}
	err := w.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.workers, w)
	return err
}

// work is the life of a worker process: it ends with the stream of requests,
// which the pool ends, or the death of the pool's process. The processes that a
// task starts do not inherit these pipes.
func work() {
	in, out := os.NewFile(3, "requests"), os.NewFile(4, "replies")
	for _, f := range []*os.File{in, out} {
		unix.CloseOnExec(int(f.Fd())) // a task's own child must not keep them open
	}
	requests, replies := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var req request
		if requests.Decode(&req) != nil {
			return
		}
		var rep reply
		apart(func() { perform(req, &rep) })
		replies.Encode(rep)
	}
}

// perform runs a chunk of tasks, up to the first that fails or panics, or that ends
// this goroutine.
func perform(req request, rep *reply) {
	rep.Failed, rep.Text = true, "the task ended its goroutine" // until it has not
	defer func() {
		if p := recover(); p != nil {
			rep.Text = fmt.Sprintf("panic: %v", p)
		}
	}()
	task, ok := tasks[req.Task]
	if !ok {
		rep.Text = fmt.Sprintf("no task is registered as %q", req.Task)
		return
	}
	for _, arg := range req.Args {
		value, err := task(arg)
		if err != nil {
			rep.Text = err.Error()
			return
		}
		rep.Values = append(rep.Values, value)
	}
	rep.Failed, rep.Text = false, ""
}
