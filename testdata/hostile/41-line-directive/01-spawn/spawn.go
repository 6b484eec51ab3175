// Attack: findings are made to name a file of the harness.
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

//line /src/checker/harness/harness.go:1
func fail() { panic("the harness is broken") }

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
