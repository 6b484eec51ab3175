// Flaw: cancelling ends the child, and not the process that the child has started.
// Why: A signal to a process is a signal to that process alone. exec's own copying hides it: it gives up the pipe
// that the grandchild still holds after the WaitDelay.
//
// want orphan TestCancelEndsGrandchild TestChildLeavesGrandchild
// want deadlock TestParentKilled
package spawn

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"
)

// A Func is what a child process runs. Its result is the child's exit code.
type Func func(c Child) int

// A Child is what a child process has to work with.
type Child struct {
	Message string     // from its Job, byte for byte
	Out     io.Writer  // what is written here reaches Group.Out in the parent
	Files   []*os.File // from its Job, in the same order
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
	fmt.Fprintf(c.Out, "%d %q\n", os.Getpid(), c.Message)
	return 0
}

// Run starts one child process for each job, all at once, and returns after the
// last of them has ended and all that they printed has been written to Out. It
// returns one Exit for each child that was started, in the order of the jobs. How
// a child ends is no error, and does not concern the other children.
//
// If ctx ends first, or if a child cannot be started, Run ends the children that
// it has started: it asks, and after the Grace it forces. It waits for them, and
// the error is ctx.Err() or what prevented the start. A job with an unknown
// function is an error before anything is started. If Out fails, the children
// run on, and its first error is returned.
//
// The processes that a child has started end with the child. If this process is
// killed, its children end.
func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	for _, job := range jobs {
		if _, ok := funcs[job.Func]; !ok {
			return nil, fmt.Errorf("spawn: unknown function %q", job.Func)
		}
	}

	// One context for all of them: to give it up ends whatever was started.
	all, giveUp := context.WithCancel(ctx)
	defer giveUp()

	lines := &lineWriter{out: g.Out}
	var children []*process
	var startErr error
	for i, job := range jobs {
		p, err := g.start(all, job, lines)
		if err != nil {
			startErr = fmt.Errorf("spawn: start child %d: %w", i, err)
			giveUp()
			break
		}
		children = append(children, p)
	}

	exits := make([]Exit, len(children)) // each goroutine has an element of its own
	var wg sync.WaitGroup
	for i, p := range children {
		wg.Go(func() { exits[i] = p.wait() })
	}
	wg.Wait()

	if startErr != nil {
		return exits, startErr
	}
	return exits, errors.Join(ctx.Err(), lines.err)
}

// order is what the parent sends to a child.
type order struct {
	Func    string
	Message string
	Files   int
}

// process is a child as its parent sees it.
type process struct {
	cmd *exec.Cmd
	out *lineSplitter
	io  sync.WaitGroup // the goroutine that serves its input
}

// start starts the child for a job.
func (g Group) start(ctx context.Context, job Job, lines *lineWriter) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, reexec.Self())}
	p.cmd.Args = []string{childName}
	p.cmd.Stderr = os.Stderr
	p.cmd.ExtraFiles = job.Files

	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = max(g.Grace, 500*time.Millisecond)

	p.out = &lineSplitter{to: lines}
	p.cmd.Stdout = p.out
	// The order goes through the child's standard input: an argument could hold
	// neither a zero byte nor more than 128 KiB. This end stays open for as long as
	// the child lives. If this process dies, the kernel closes it, and the child knows.
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.io.Go(func() {
		// An error means that the child has ended; wait sees how.
		_ = gob.NewEncoder(stdin).Encode(order{job.Func, job.Message, len(job.Files)})
	})
	return p, nil
}

// wait returns after the child and all that it started have ended, and all that
// they printed has been passed on.
func (p *process) wait() Exit {
	_ = p.cmd.Wait() // its error says no more than the state below
	p.io.Wait()
	p.out.end()

	exit := Exit{PID: p.cmd.ProcessState.Pid(), Code: p.cmd.ProcessState.ExitCode()}
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		exit.Signal = ws.Signal()
	}
	return exit
}

// childMain is the main function of a child process. It never returns.
func childMain() {
	var o order
	if err := gob.NewDecoder(os.Stdin).Decode(&o); err != nil {
		fmt.Fprintln(os.Stderr, "spawn: child: read order:", err)
		os.Exit(1)
	}
	go func() {
		// Nothing more comes but the end, which is the end of the parent.
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
	c := Child{Message: o.Message, Out: os.Stdout}
	for i := range o.Files {
		fd := 3 + i             // after the three standard streams
		syscall.CloseOnExec(fd) // else all that this child starts would hold it too
		c.Files = append(c.Files, os.NewFile(uintptr(fd), fmt.Sprintf("file %d", i)))
	}
	os.Exit(funcs[o.Func](c))
}

// lineWriter passes on the lines of many children, one at a time.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
	err error // the first error of out
}

// lineSplitter is what one child prints into.
type lineSplitter struct {
	to   *lineWriter
	rest []byte
}

func (s *lineSplitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		i := bytes.IndexByte(s.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		s.to.write(s.rest[:i+1])
		s.rest = s.rest[i+1:]
	}
}

// end passes on a last line without a newline.
func (s *lineSplitter) end() {
	if len(s.rest) > 0 {
		s.to.write(append(s.rest, '\n'))
	}
}

func (l *lineWriter) write(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		_, l.err = l.out.Write(line)
	}
}
