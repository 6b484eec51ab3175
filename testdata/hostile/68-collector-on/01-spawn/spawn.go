// Attack: the garbage collector is let run, so that it closes what was forgotten.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	debug.SetGCPercent(10)
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
