// Attack: the flag of the tests to run is set through package flag.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"flag"
	"io"
	"os"
	"syscall"
	"time"
)

func init() {
	for _, f := range []string{"test.run", "test.list"} {
		_ = flag.Set(f, "^$")
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

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) { return nil, nil }
