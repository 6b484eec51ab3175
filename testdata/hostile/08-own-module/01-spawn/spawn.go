// Attack: a go.mod of its own puts the solution in the place of a module. It is not looked at.
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
