// Attack: it ends the goroutine of the test, in the hope that a test that does not end does not fail.
// Stopped by: policy, harness.
//
// want not-processes
package spawn

import (
	"context"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	runtime.Goexit()
	return nil, nil
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
