// Attack: the supervisor shall wait for a process group that it does not know: a call by its number.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	_, _, errno := syscall.Syscall(syscall.SYS_PRCTL, 36, 1, 0)
	return nil, errno
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
