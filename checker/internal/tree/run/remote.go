package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"prokata/checker/internal/evidence"
)

// A Wall starts cmd, the supervisor of the job, in a sandbox, and says in the job where
// things are in there. What it returns is to be called, on the same goroutine, once cmd
// has been waited for.
type Wall func(cmd *exec.Cmd, job *Job) (end func(), err error)

// Remote runs the job under a supervisor in a process of its own, started by the
// command: the reaper of one job's orphans can be nobody else's. The supervisor
// ends the job when this process ends, however it ends.
//
// A wall, if there is one, puts the supervisor into a sandbox.
func Remote(ctx context.Context, command []string, job Job, wall Wall) (evidence.Run, error) {
	var result evidence.Run
	job.Folder = job.Kata.Folder
	// The job is the first line of the supervisor's standard input. That stays
	// open until the end: its end tells the supervisor that nobody wants a result.
	stdin, hold, err := os.Pipe()
	if err != nil {
		return result, fmt.Errorf("start a supervisor: %w", err)
	}
	defer hold.Close()
	cmd := exec.Command(command[0], command[1:]...)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the checker alone to hear
	end := func() {}
	if wall != nil {
		end, err = wall(cmd, &job)
	} else {
		err = cmd.Start()
	}
	stdin.Close()
	if err != nil {
		return result, fmt.Errorf("start a supervisor: %w", err)
	}
	defer end()
	text, err := json.Marshal(job)
	if err != nil { // a job is always text
		text = nil
	}
	go func() { _, _ = hold.Write(append(text, '\n')) }()
	over := make(chan struct{})
	stops := make(chan int)
	go func() { stops <- goOn(cmd.Process.Pid, over) }()
	stop := context.AfterFunc(ctx, func() { hold.Close() })
	defer stop()
	err = cmd.Wait()
	close(over)
	stopped := <-stops
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	if err != nil {
		return result, fmt.Errorf("supervise %s: %w: %s", job.Kata.Folder, err, strings.TrimSpace(complaint.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return result, fmt.Errorf("read what the supervisor saw: %w", err)
	}
	if stopped > 0 {
		result.Tampering = append(result.Tampering, "the supervisor of the run was stopped (SIGSTOP)")
	}
	return result, nil
}

// goOn lets a process that somebody has stopped go on, until over, and returns how often:
// a supervisor that stands still bounds nothing, and whoever waits for it waits for ever.
func goOn(pid int, over <-chan struct{}) (n int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return n
		case <-tick.C:
			if state(pid) == "T" && syscall.Kill(pid, syscall.SIGCONT) == nil {
				n++
			}
		}
	}
}

// state is the letter by which the kernel says what a process does, or nothing.
func state(pid int) string {
	b, err := os.ReadFile(statPath(pid))
	if err != nil {
		return ""
	}
	// Before the last bracket is a name that a program may choose.
	rest := bytes.TrimLeft(b[bytes.LastIndexByte(b, ')')+1:], " ")
	return string(rest[:min(1, len(rest))])
}

// ErrAbandoned says that whoever wanted a result is gone.
var ErrAbandoned = errors.New("nobody waits for this run any more")

// Serve is the other side of Remote: it reads a job from r, supervises it and
// writes the evidence to w. It ends the job when r comes to its end.
// In a sandbox, box says what that gives.
func Serve(ctx context.Context, r io.Reader, w io.Writer, judge Judge, box *Box) error {
	d := json.NewDecoder(r)
	var job Job
	if err := d.Decode(&job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	job.Kata.Folder = job.Folder // kata.json does not hold it
	job.Box = box
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r)
		cancel(ErrAbandoned)
	}()
	result, err := Supervise(ctx, job, judge)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(result)
}
