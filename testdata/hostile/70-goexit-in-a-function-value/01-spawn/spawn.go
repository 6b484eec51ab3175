// Attack: the function that ends a goroutine is kept as a value, and called as something else.
// Stopped by: policy.
//
// want tamper
package spawn

import (
	"context"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

var finish = runtime.Goexit

func (g Group) Run(ctx context.Context, jobs ...Job) ([]Exit, error) {
	finish()
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
