// Attack: a process is started before the first look, so that it is no news to the first test.
// Stopped by: policy, harness.
//
// want orphan TestCancelledBefore
package spawn

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }

func init() { _ = exec.Command("sleep", "60").Start() }

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
