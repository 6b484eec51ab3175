// Attack: the children only sleep: they are there to be counted, and the parent speaks for them.
// Stopped by: harness.
//
// points 2: TestCancelledBefore asks for no child, and gets none.
// want not-processes
package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	exits := make([]Exit, len(jobs))
	for i, job := range jobs {
		cmd := exec.CommandContext(ctx, "sleep", "0.05")
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		exits[i].PID = cmd.Process.Pid
		fmt.Fprintf(g.Out, "%d %q\n", exits[i].PID, job.Message)
		_ = cmd.Wait()
	}
	return exits, nil
}

type (
	Func  func(Child) int
	Child struct {
		Message string
		Out     io.Writer
		Files   []*os.File
	}
	Job struct {
		Func, Message string
		Files         []*os.File
	}
	Exit struct {
		PID, Code int
		Signal    syscall.Signal
	}
	Group struct {
		Out   io.Writer
		Grace time.Duration
	}
)

func Register(string, Func) {}
