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
	stop := context.AfterFunc(ctx, func() { hold.Close() })
	defer stop()
	err = cmd.Wait()
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	if err != nil {
		return result, fmt.Errorf("supervise %s: %w: %s", job.Kata.Folder, err, strings.TrimSpace(complaint.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return result, fmt.Errorf("read what the supervisor saw: %w", err)
	}
	return result, nil
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
