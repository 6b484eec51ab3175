// Attack: it looks at the goroutines of the whole program for where the harness stands.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime/pprof"
	"syscall"
	"time"
)

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	return nil, pprof.Lookup("goroutine").WriteTo(io.Discard, 2)
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
