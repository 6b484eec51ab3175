// Attack: it prints without end before the first test begins, where no test's bound holds.
// Stopped by: policy, harness.
//
// want crash
package spawn

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }

func init() {
	line := make([]byte, 64<<10)
	for {
		_, _ = os.Stdout.Write(line)
	}
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
