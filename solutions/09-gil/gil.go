// Package gil runs one task that needs nothing but processor time in four ways:
// in sequence, by threads under a global interpreter lock, by goroutines without
// one, and by processes.
//
// CPython's interpreter works on one thread at a time: whoever runs Python code
// holds the global interpreter lock, the GIL. A thread that wants it waits for the
// switch interval, 5 ms, and then asks for it; the holder sees the request between
// two instructions and hands the lock over. So threads take turns, and two of them
// need as long as one. Processes have an interpreter, and a lock, each.
//
// Go has no such lock, so this kata builds it, to show what it costs. The file
// gil.go holds the lock and the four ways; the file chart.go measures and draws
// them.
package gil

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

func init() {
	reexec.Register("gil-worker", worker)
	Register("mix", Mix)
}

// SwitchInterval is how long a thread waits for the lock before it asks for it,
// as in CPython (sys.getswitchinterval).
const SwitchInterval = 5 * time.Millisecond

// A GIL is a lock that one thread holds at a time, and that the holder hands over
// on request.
type GIL struct {
	interval time.Duration
	request  atomic.Bool  // a thread has waited for an interval
	switches atomic.Int64 // how often the lock was handed over

	mu    sync.Mutex
	held  bool
	queue []chan struct{} // of the threads that wait, the longest first
}

// NewGIL returns a lock with the given switch interval.
func NewGIL(interval time.Duration) *GIL { return &GIL{interval: interval} }

// Acquire waits for the lock and takes it. After each interval in which the lock
// did not change hands, it asks the holder to hand it over.
func (g *GIL) Acquire() {
	g.mu.Lock()
	if !g.held {
		g.held = true
		g.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()
	for {
		before := g.switches.Load()
		select {
		case <-turn:
			return // the lock is ours already
		case <-time.After(g.interval):
			// Whoever has just got the lock may keep it for an interval, or the more
			// threads wait, the less each of them would get done in its turn.
			if g.switches.Load() == before {
				g.request.Store(true)
			}
		}
	}
}

// Release gives the lock to the thread that has waited longest, or to nobody.
// Only the holder may call it.
func (g *GIL) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.request.Store(false)
	if len(g.queue) == 0 {
		g.held = false
		return
	}
	// The lock does not become free in between. If it did, the holder, which is
	// running, would take it again before the other thread had even woken up: the
	// trouble of Python's lock before version 3.2.
	turn := g.queue[0]
	g.queue = g.queue[1:]
	g.switches.Add(1)
	close(turn)
}

// Checkpoint is what the holder calls between two instructions. If a thread has
// asked for the lock, Checkpoint hands it over, and waits for it again. Otherwise
// it costs next to nothing.
func (g *GIL) Checkpoint() {
	if g.request.Load() {
		g.Release()
		g.Acquire()
	}
}

// Switches returns how often the lock went from one thread to another.
func (g *GIL) Switches() int { return int(g.switches.Load()) }

var kinds = map[string]func(i int) uint64{}

// Register gives a kind of work a name. It consists of units, which need nothing
// but processor time; unit returns the result of number i. Call it in an init
// function.
func Register(name string, unit func(i int) uint64) { kinds[name] = unit }

// Mix is a unit that takes about a microsecond, and is as easy to write in Python.
func Mix(i int) uint64 {
	x := uint64(i)
	for range 1000 {
		x = (x*1103515245 + 12345) & 0x7fffffff
	}
	return x
}

// A Task is the units 0 to Units-1 of a kind of work. Its result is the sum of
// their results, modulo 2^64.
type Task struct {
	Name  string // of the kind of work
	Units int
}

// A Way is a way to run a task.
type Way int

// The ways. Worker w of n does the units w, w+n, w+2n and so on.
const (
	Sequential Way = iota // one after the other, here
	Threads               // threads of the operating system, a GIL, and a checkpoint after each unit
	Goroutines            // goroutines, no lock
	Processes             // child processes
	PythonThreads
	PythonProcesses
)

func (w Way) String() string {
	return [...]string{"sequential", "threads", "goroutines", "processes", "python threads", "python processes"}[w]
}

// An Outcome is what came of a run.
type Outcome struct {
	Sum      uint64
	Wall     time.Duration // from its beginning to its end
	Startup  time.Duration // of that, until all worker processes were ready to work
	CPU      time.Duration // processor time that this process needed
	ChildCPU time.Duration // processor time that the worker processes needed
	Memory   int64         // bytes that the worker processes had in memory at most, together
	Switches int           // how often the GIL changed hands
}

// Run runs the task in the given way, one of the first four, with so many workers
// (Sequential is always one). When a worker fails, or ctx ends, no worker begins
// another unit, worker processes are killed, and the error wraps the reason: that
// of ctx, or the number of the worker ("worker 2: …") and what happened to it. A
// worker fails when its process dies, and when a unit ends the goroutine that calls
// it (runtime.Goexit). With an error the outcome is zero.
func Run(ctx context.Context, way Way, t Task, workers int) (Outcome, error) {
	if kinds[t.Name] == nil {
		return Outcome{}, fmt.Errorf("run: no work is registered as %q", t.Name)
	}
	if workers < 1 || t.Units < 0 {
		return Outcome{}, fmt.Errorf("run: %d units by %d workers", t.Units, workers)
	}
	var out Outcome
	var err error
	begin, before := time.Now(), ownCPU()
	switch way {
	case Sequential:
		out.Sum, err = each(ctx, 1, func(ctx context.Context, w int) (uint64, error) {
			return share(ctx, t, 0, 1, func() {})
		})
	case Threads:
		lock := NewGIL(SwitchInterval)
		out.Sum, err = each(ctx, workers, func(ctx context.Context, w int) (uint64, error) {
			// A goroutine is no thread. Locked to one, it is as good as one.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			lock.Acquire()
			defer lock.Release()
			return share(ctx, t, w, workers, lock.Checkpoint)
		})
		out.Switches = lock.Switches()
	case Goroutines:
		out.Sum, err = each(ctx, workers, func(ctx context.Context, w int) (uint64, error) {
			return share(ctx, t, w, workers, func() {})
		})
	case Processes:
		out, err = processes(ctx, t, workers)
	default:
		return Outcome{}, fmt.Errorf("run: no such way: %d", way)
	}
	out.Wall, out.CPU = time.Since(begin), ownCPU()-before
	if err != nil {
		return Outcome{}, fmt.Errorf("run: %w", err)
	}
	return out, nil
}

// share does the units of worker w, and calls checkpoint after each of them.
func share(ctx context.Context, t Task, w, workers int, checkpoint func()) (sum uint64, err error) {
	unit := kinds[t.Name]
	for i := w; i < t.Units; i += workers {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		sum += unit(i)
		checkpoint()
	}
	return sum, nil
}

// each runs the workers in goroutines and adds up what they return. When one of them
// fails, the context of the others ends.
func each(ctx context.Context, workers int, work func(ctx context.Context, w int) (uint64, error)) (sum uint64, err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	sums := make([]uint64, workers) // each worker has a place of its own
	errs := make([]error, workers)  // here, and none needs a lock for it
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			sums[w], errs[w] = apart(func() (uint64, error) { return work(ctx, w) })
			if errs[w] != nil {
				fail(fmt.Errorf("worker %d: %w", w, errs[w])) // the first one counts; the end of ctx came first
			}
		})
	}
	wg.Wait()
	for _, s := range sums {
		sum += s
	}
	if errors.Join(errs...) == nil {
		return sum, nil
	}
	return 0, context.Cause(ctx)
}

// apart calls f in a goroutine of its own, which a unit may end.
func apart(f func() (uint64, error)) (sum uint64, err error) {
	err = errors.New("a unit ended its goroutine")
	done := make(chan struct{})
	go func() {
		defer close(done)
		sum, err = f()
	}()
	<-done
	return sum, err
}

// A result is what a worker process has to tell at its end.
type result struct {
	Sum    uint64
	Memory int64
}

// processes runs the task in child processes. They all get ready first and begin
// together: so the cost of starting them can be told from the work, and no worker
// has finished before the last one was there.
func processes(ctx context.Context, t Task, workers int) (Outcome, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	goR, goW, err := os.Pipe()
	if err != nil {
		return Outcome{}, err
	}
	var ready, done sync.WaitGroup
	results := make([]result, workers)
	cpu := make([]time.Duration, workers)
	begin := time.Now()
	for w := range workers {
		cmd := reexec.Command("gil-worker", t.Name, fmt.Sprint(t.Units, w, workers))
		cmd.ExtraFiles = []*os.File{goR} // its descriptor 3
		cmd.Stderr = os.Stderr
		out, err := start(cmd)
		if err != nil {
			fail(fmt.Errorf("worker %d: %w", w, err))
			break
		}
		ready.Add(1)
		done.Go(func() {
			defer out.Close()
			defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
			_, err := io.ReadFull(out, make([]byte, 1))
			ready.Done()
			if err == nil {
				err = json.NewDecoder(out).Decode(&results[w])
			}
			if exit := cmd.Wait(); exit != nil {
				err = exit // it says better why there was no result
			}
			if err != nil {
				fail(fmt.Errorf("worker %d: %w", w, err)) // the first one counts: the others it killed
			}
			cpu[w] = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		})
	}
	goR.Close()
	ready.Wait()
	var out Outcome
	out.Startup = time.Since(begin)
	goW.Close() // go, to all of them
	done.Wait()
	for w, r := range results {
		out.Sum += r.Sum
		out.Memory += r.Memory
		out.ChildCPU += cpu[w]
	}
	return out, context.Cause(ctx)
}

// start starts the command and returns the pipe of its standard output.
func start(cmd *exec.Cmd) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// worker is the life of a worker process.
func worker() {
	if err := work(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gil-worker:", err)
		os.Exit(1)
	}
}

func work(name, args string) error {
	var units, own, workers int
	if _, err := fmt.Sscan(args, &units, &own, &workers); err != nil {
		return err
	}
	if _, err := os.Stdout.Write([]byte{1}); err != nil { // ready
		return err
	}
	if _, err := io.ReadAll(os.NewFile(3, "go")); err != nil {
		return err
	}
	sum, err := apart(func() (uint64, error) {
		return share(context.Background(), Task{name, units}, own, workers, func() {})
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result{sum, ownMemory()})
}

// ownCPU returns the processor time of this process.
func ownCPU() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ownMemory returns the bytes that this process had in memory at most.
func ownMemory() int64 {
	// The kernel's own answer on Linux, in a line like "VmHWM:	    5204 kB".
	// Getrusage would not do there: its maximum counts from before the exec, when
	// the child still was in the memory of its parent.
	status, _ := os.ReadFile("/proc/self/status")
	if _, line, ok := bytes.Cut(status, []byte("VmHWM:")); ok {
		var kib int64
		if _, err := fmt.Sscan(string(line), &kib); err == nil {
			return kib << 10
		}
	}
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return int64(u.Maxrss) // bytes on macOS
}
