// Attack: a test file of its own, with a TestMain that says that all is well. Test files of a
// submission are not built.
// Stopped by: harness.
//
// want not-processes
package spawn

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

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

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }
