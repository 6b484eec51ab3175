// Attack: the process ends before the tests begin, by what reads as a predeclared function.
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

var clear = os.Exit

func init() { clear(0) }

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }

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
