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
	"bufio"
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
	fmt.Fprintf(c.Out, "%d %q\n", os.Getpid(), c.Message)
	return 0
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
	for _, job := range jobs {
		if _, ok := funcs[job.Func]; !ok {
			return nil, fmt.Errorf("spawn: unknown function %q", job.Func)
		}
	}

	// One context for all of them: to give it up ends whatever was started.
	all, giveUp := context.WithCancel(ctx)
	defer giveUp()

	// A Grace after its end, nobody waits for output any more.
	patience, loseIt := context.WithCancel(context.Background())
	defer loseIt()
	defer context.AfterFunc(all, func() {
		grace, cancel := context.WithTimeout(patience, g.Grace)
		defer cancel()
		<-grace.Done()
		loseIt()
	})()

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
		wg.Go(func() { exits[i] = p.wait(patience) })
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
	cmd   *exec.Cmd
	stdin *os.File       // our end of its standard input
	io    sync.WaitGroup // the goroutines that serve its input and output

	stdout *os.File // our end of its standard output
}

// start starts the child for a job.
func (g Group) start(ctx context.Context, job Job, lines *lineWriter) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, reexec.Self())}
	p.cmd.Args = []string{childName}
	p.cmd.Stderr = os.Stderr
	p.cmd.ExtraFiles = job.Files

	// The child leads a process group of its own, so that a signal reaches the
	// processes that it starts, too.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = max(g.Grace, 1) // 0 would mean: wait for ever

	// The order goes through the child's standard input: an argument could hold
	// neither a zero byte nor more than 128 KiB. Our end stays open for as long as
	// the child lives. If this process dies, the kernel closes it, and the child knows.
	theirIn, stdin, err1 := os.Pipe()
	// Each child has its own pipe for what it prints. In a shared one, pieces
	// longer than PIPE_BUF (4 KiB) would mingle. And the pipe is ours and not of
	// exec's making, so that wait can come between the child's end and the pipe's.
	r, theirOut, err2 := os.Pipe()
	defer theirIn.Close()  // after an error they are nil, and to close nil does no harm
	defer theirOut.Close() // the child has its own; with ours open, the pipe would never end
	p.cmd.Stdin, p.stdin, p.cmd.Stdout = theirIn, stdin, theirOut

	err := errors.Join(err1, err2)
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		stdin.Close()
		r.Close()
		return nil, err
	}
	p.io.Go(func() {
		// An error means that the child has ended; wait sees how.
		_ = gob.NewEncoder(stdin).Encode(order{job.Func, job.Message, len(job.Files)})
	})
	p.io.Go(func() {
		defer r.Close()
		lines.copy(r)
	})
	p.stdout = r
	return p, nil
}

// signal sends sig to the child and all that it started. Its group keeps the
// child's ID for as long as one member lives.
func (p *process) signal(sig syscall.Signal) error {
	return syscall.Kill(-p.cmd.Process.Pid, sig)
}

// wait returns after the child and all that it started have ended, and all that
// they printed has been passed on. It waits no longer than patience lasts for what
// a process outside of the group may still print.
func (p *process) wait(patience context.Context) Exit {
	_ = p.cmd.Wait() // its error says no more than the state below
	// What the child left running still holds the pipe: without this, a forgotten
	// grandchild would make us wait for as long as it likes.
	_ = p.signal(syscall.SIGKILL)
	p.stdin.Close()
	stop := context.AfterFunc(patience, func() { _ = p.stdout.SetReadDeadline(time.Unix(1, 0)) })
	p.io.Wait()
	stop()

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
		_ = syscall.Kill(-os.Getpid(), syscall.SIGKILL) // its group: what it has started, too
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

// copy passes on the lines from r until its end. It reads on when out fails: a
// child whose pipe nobody empties would block when it prints.
func (l *lineWriter) copy(r *os.File) {
	br := bufio.NewReader(&untilDeadline{r: r}) // not a Scanner, which gives up at lines of 64 KiB
	for {
		line, err := br.ReadBytes('\n')
		if err != nil && len(line) > 0 {
			line = append(line, '\n')
		}
		if len(line) > 0 {
			l.write(line)
		}
		if err != nil {
			return
		}
	}
}

func (l *lineWriter) write(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		_, l.err = l.out.Write(line)
	}
}

// untilDeadline reads a pipe to its end, or, once a deadline for reading is set, until
// nothing is left in it.
type untilDeadline struct {
	r    *os.File
	rest io.Reader // what was left
}

func (u *untilDeadline) Read(b []byte) (int, error) {
	if u.rest != nil {
		return u.rest.Read(b)
	}
	n, err := u.r.Read(b)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	// The child's own last lines may still be in the pipe. One read that does not
	// wait, and is as large as a pipe can be, gets all of them. A loop might never
	// end, since somebody else goes on writing.
	_ = u.r.SetReadDeadline(time.Time{})
	left := make([]byte, 1<<20)
	raw, err := u.r.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), left)
			return true
		})
	}
	if err != nil {
		return 0, err
	}
	u.rest = bytes.NewReader(left[:max(n, 0)])
	return u.rest.Read(b)
}
