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
	"context"
	"os"
	"time"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
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
	// TODO: who holds it, who waits for it, and whether somebody has asked for it
}

// NewGIL returns a lock with the given switch interval.
func NewGIL(interval time.Duration) *GIL { return &GIL{interval: interval} }

// Acquire waits for the lock and takes it. After each interval in which the lock
// did not change hands, it asks the holder to hand it over.
func (g *GIL) Acquire() {
	// TODO: wait for the lock, and ask for it after each interval
	todo.Err("gil: GIL.Acquire")
}

// Release gives the lock to the thread that has waited longest, or to nobody.
// Only the holder may call it.
func (g *GIL) Release() {
	// TODO: pass the lock on, or set it free
	todo.Err("gil: GIL.Release")
}

// Checkpoint is what the holder calls between two instructions. If a thread has
// asked for the lock, Checkpoint hands it over, and waits for it again. Otherwise
// it costs next to nothing.
func (g *GIL) Checkpoint() {
	// TODO: hand the lock over if somebody has asked for it
	todo.Err("gil: GIL.Checkpoint")
}

// Switches returns how often the lock went from one thread to another.
func (g *GIL) Switches() int {
	// TODO: count the times
	todo.Err("gil: GIL.Switches")
	return 0
}

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
	// TODO: run the task in the given way, and account for it
	return Outcome{}, todo.Err("gil: Run")
}

// worker is the life of a worker process.
func worker() {
	// TODO: do a share of the units and tell the sum
	todo.Err("gil: worker")
	os.Exit(1)
}
