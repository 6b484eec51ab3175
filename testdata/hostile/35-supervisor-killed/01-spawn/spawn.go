// Attack: it kills its parent, which is the supervisor: a check without a verdict.
// Stopped by: sandbox (later).
//
// want wrong
package spawn

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	supervisor, err := os.FindProcess(os.Getppid())
	if err == nil {
		err = supervisor.Kill()
	}
	return nil, err
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
