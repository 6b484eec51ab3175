// Package spawn starts child processes, gathers what they print, and waits for
// them.
//
// Python writes Process(target=hello, args=("Ada",)), and the child is a copy of
// its parent in which hello runs. A Go program cannot be copied so: fork takes
// along only the thread that calls it, and a Go program without its other threads
// (the scheduler's, the garbage collector's) is not able to go on. So a child is
// this program started again, from the beginning, under another name: main (here
// TestMain) calls reexec.Init, which finds that name among the registered ones
// and runs the child's part instead of the parent's. Nothing of the parent's
// memory comes along. What the child must know has to be sent.
package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"

	"prokata/checker/todo"
)

// A Func is what a child process runs. Its result is the child's exit code.
type Func func(c Child) int

// A Child is what a child process has to work with.
type Child struct {
	Message string     // from its Job, byte for byte
	Out     io.Writer  // what is written here reaches Group.Out in the parent
	Files   []*os.File // from its Job, in the same order; what the child starts does not get them
}

// A Job says what one child process shall do.
type Job struct {
	Func    string     // the name under which the function was registered
	Message string     // any bytes, of any length
	Files   []*os.File // open files for the child to use; they stay open here
}

// An Exit says how a child process ended.
type Exit struct {
	PID    int
	Code   int            // the exit code, or -1 if a signal ended the child
	Signal syscall.Signal // the signal that ended the child, or 0
}

// A Group runs child processes side by side.
type Group struct {
	// Out gets what the children print, line by line: each line is one call of
	// Write, made as soon as the line is complete, and no two calls overlap. If
	// a child's last line has no newline, one is added.
	Out io.Writer

	// Grace is the time from the request to end (SIGTERM) to the end by force
	// (SIGKILL). Zero is no time at all.
	Grace time.Duration
}

// childName is argument 0 of every child process.
const childName = "spawn-child"

var funcs = map[string]Func{}

func init() {
	reexec.Register(childName, childMain)
	Register("hello", hello)
}

// Register gives a function the name by which a Job asks for it. It must be
// called from an init function: parent and child, the same program, then both
// know it.
func Register(name string, f Func) { funcs[name] = f }

// hello prints one line with the process ID of the child and the message in
// quotes, as by fmt's verbs %d and %q: 4312 "message".
func hello(c Child) int {
	// TODO: write me.
	_ = todo.Err("spawn: hello")
	return 1
}

// Run starts one child process for each job, all at once, and returns after the
// last of them has ended and all that they printed has been written to Out. It
// returns one Exit for each child that was started, in the order of the jobs. How
// a child ends is no error, and does not concern the other children.
//
// If ctx ends first, or if a child cannot be started, Run ends the children that
// it has started: it asks, and after the Grace it forces. What they print until they
// end is written to Out as ever. It waits for them, and the error is ctx.Err() or
// what prevented the start. A job with an unknown function is an error that names
// the function, before anything is started. If Out fails, the children run on, and
// its first error is returned.
//
// The processes that a child has started end with the child, even those that do not
// listen when they are asked to. A process that has left the child's process group
// (setsid) is its own master: Run does not end it, and waits for what it may still
// print no longer than until ctx has ended and the Grace is over.
//
// If this process is killed, its children end by themselves, with what they have
// started, even those that do not listen; whether they are asked first is left to
// you. So does a child that has not heard yet what it shall do: unless it has got its
// whole message, its function does not run. What a child writes to its standard
// error goes to that of this process.
func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	// TODO: write me.
	return nil, todo.Err("spawn: Run")
}

// childMain is the main function of a child process: it learns what it shall do,
// does it, and ends with its result as the exit code. It never returns.
func childMain() {
	// TODO: write me.
	fmt.Fprintln(os.Stderr, todo.Err("spawn: childMain"))
	os.Exit(1)
}
